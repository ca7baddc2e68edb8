"""Talking with the teddy. A turn is stored whole or not at all, and only with consent."""

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

from sqlalchemy import Connection

from campaign.demo.companion import Said, instead_of, reply_to
from campaign.demo.companion_link import CompanionLink
from campaign.demo.consents import may_disclose, require_collection
from campaign.demo.content_filter import ContentFilter
from campaign.demo.database import Database
from campaign.demo.defects import CONSENT_RACE, DUPLICATE_ON_RETRY, ERRORS_UNDER_LOAD, MEMORY_LEAK, WRITE_SKEW
from campaign.demo.idempotency import told_before
from campaign.demo.insights import Insights, Nobody
from campaign.demo.now import now_ms
from campaign.demo.tokens import new_id
from campaign.demo.turns import (
    Exchange,
    Place,
    ToldBeforeError,
    Turn,
    Wanted,
    context_of,
    open_session,
    require_session,
    store,
)
from campaign.demo.write_behind import WriteBehind

CONTEXT_LINES = 20
REMEMBERED_LINES = 60
"""How much context the defect `memory-leak` keeps with each turn."""

REVIEW_S = 0.12
"""How long the review of a message takes that the defect `errors-under-load` waits for."""

THINKING_S = 0.06
"""How long the reply takes that the defect `write-skew` makes up outside of any transaction."""

CONSENT_REMEMBERED_S = 2.0
"""How long the defect `consent-race` takes a consent for granted."""

Author = Callable[[str, list[Said]], str]
"""Makes up a reply to words, given the latest lines."""

_remembered: dict[str, tuple[str, list[Said]]] = {}


class Conversations:
    """Takes turns and stores them; all raise NotFoundError for a child or session that is not there or not
    this parent's, and ConsentRequiredError, in which cases nothing is stored.
    """

    def __init__(
        self,
        database: Database,
        companion: CompanionLink,
        *,
        behind: WriteBehind | None = None,
        insights: Insights | None = None,
        defects: frozenset[str],
    ) -> None:
        self._database = database
        self._companion = companion
        self._behind = behind
        self._insights = insights or Nobody()
        self._defects = defects
        self._consented: dict[str, float] = {}
        self._filter = ContentFilter(defects)
        self._context_lines = REMEMBERED_LINES if MEMORY_LEAK in defects else CONTEXT_LINES

    def take_turn(self, wanted: Wanted) -> Turn:
        """The answer to a child's words, made up here."""
        if ERRORS_UNDER_LOAD in self._defects:
            with self._database.reading():  # taken from the pool long before it is needed
                time.sleep(REVIEW_S)
        if WRITE_SKEW in self._defects:
            with self._database.reading() as connection:
                require_collection(connection, wanted.parent_id, child_id=wanted.child_id)
            time.sleep(THINKING_S)
        return self._once(wanted, reply_to)

    def tell_story(self, wanted: Wanted) -> Turn:
        """The companion's answer; raises UnavailableError, and stores nothing, while the companion is away.

        It takes its time, so it is asked before the transaction that stores the turn.
        """
        context: list[Said] = []
        with self._database.reading() as connection:
            require_collection(connection, wanted.parent_id, child_id=wanted.child_id)
            if wanted.session_id is not None:
                require_session(connection, wanted.session_id, child_id=wanted.child_id)
                context = context_of(connection, wanted.session_id, lines=self._context_lines)
        if self._filter.category_of(wanted.words):
            return self._once(wanted, reply_to)  # what is caught is never passed on
        reply = self._companion.reply(wanted.words, context)
        return self._once(wanted, lambda _words, _context: reply)

    def _once(self, wanted: Wanted, author: Author) -> Turn:
        """The turn, and the one stored before if it is the same request."""
        if wanted.key is None or DUPLICATE_ON_RETRY in self._defects:
            return self._turn(replace(wanted, key=None), author)
        with suppress(ToldBeforeError):
            return self._told(wanted) or self._turn(wanted, author)
        told = self._told(wanted)
        assert told is not None  # noqa: S101 - whoever took the key has committed
        return told

    def _told(self, wanted: Wanted) -> Turn | None:
        assert wanted.key is not None  # noqa: S101 - whoever calls this has looked
        with self._database.reading() as connection:
            told = told_before(connection, wanted.parent_id, key=wanted.key)
        return None if told is None else Turn(told.turn_id, told.session_id, told.reply, told.filtered)

    def _turn(self, wanted: Wanted, author: Author) -> Turn:
        turn_id, now = new_id(), now_ms()
        unchecked = self._filter.out_of_patience(wanted.arrived)
        with self._database.writing() as connection:
            if CONSENT_RACE in self._defects:
                self._remember_consent(connection, wanted)
            elif WRITE_SKEW not in self._defects:
                require_collection(connection, wanted.parent_id, child_id=wanted.child_id)
            session_id = open_session(connection, wanted.session_id, child_id=wanted.child_id, now=now)
            context = context_of(connection, session_id, lines=self._context_lines)
            exchange = (
                Exchange(wanted.words, None, author(wanted.words, context), None)
                if unchecked
                else self._answer(wanted.words, context, author=author)
            )
            self._store(connection, wanted, exchange, place=Place(turn_id, session_id, wanted.child_id, now))
            disclosed = self._insights.wanted and may_disclose(connection, wanted.child_id)
        if disclosed:
            self._insights.tell(wanted.words)
        if MEMORY_LEAK in self._defects:
            remember(turn_id, exchange, context=context)
        return Turn(turn_id, session_id, exchange.reply, exchange.filtered)

    def _answer(self, words: str, context: list[Said], *, author: Author) -> Exchange:
        before = next((said.text for said in reversed(context) if said.role == "child"), "")
        if found := self._filter.category_of(words, before):
            return Exchange(words, found, instead_of(found), None)
        reply = author(words, context)
        if found := self._filter.category_of(reply):
            return Exchange(words, None, instead_of(found), found)
        return Exchange(words, None, reply, None)

    def _remember_consent(self, connection: Connection, wanted: Wanted) -> None:
        """The defect `consent-race`: a consent that was seen is good for another moment, whatever comes."""
        if self._consented.get(wanted.child_id, 0.0) < time.monotonic():
            require_collection(connection, wanted.parent_id, child_id=wanted.child_id)
            self._consented[wanted.child_id] = time.monotonic() + CONSENT_REMEMBERED_S

    def _store(self, connection: Connection, wanted: Wanted, exchange: Exchange, *, place: Place) -> None:
        if self._behind is None:
            store(connection, wanted, exchange, place=place)
        else:
            self._behind.store(lambda later: store(later, wanted, exchange, place=place))


def remember(turn_id: str, exchange: Exchange, *, context: list[Said]) -> None:
    """Keep a turn and all it was based on, for quick repeats. Nothing ever leaves this cache."""
    lines = "\n".join(f"{said.role}: {said.text}" for said in context)
    _remembered[turn_id] = (f"{lines}\nchild: {exchange.words}\nteddy: {exchange.reply}", context)
