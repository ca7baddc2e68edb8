"""Talking with the teddy. A turn is stored whole or not at all, and only with consent."""

import time
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, insert, select, update

from campaign.demo.companion import Said, instead_of, reply_to
from campaign.demo.consents import require_collection
from campaign.demo.content_filter import category_of
from campaign.demo.database import Database
from campaign.demo.defects import ERRORS_UNDER_LOAD, MEMORY_LEAK, WRITE_SKEW
from campaign.demo.now import now_ms
from campaign.demo.problems import NotFoundError
from campaign.demo.schema import messages, safety_events, sessions
from campaign.demo.tokens import new_id

CONTEXT_LINES = 20
REMEMBERED_LINES = 60
"""How much context the defect `memory-leak` keeps with each turn."""

REVIEW_S = 0.12
"""How long the review of a message takes that the defect `errors-under-load` waits for."""

THINKING_S = 0.06
"""How long the reply takes that the defect `write-skew` makes up outside of any transaction."""

CONTEXT = (
    select(messages.c.role, messages.c.text)
    .where(messages.c.session_id == bindparam("session_id"))
    .order_by(messages.c.created_at_ms.desc(), messages.c.id.desc())
    .limit(bindparam("lines"))
)
TOUCH = (
    update(sessions)
    .where(sessions.c.id == bindparam("session_id"), sessions.c.child_id == bindparam("of_child"))
    .values(last_active_at_ms=bindparam("now_ms"))
)
NEW_SESSION = insert(sessions)
NEW_LINES = insert(messages)
NEW_EVENTS = insert(safety_events)

_remembered: dict[str, tuple[str, list[Said]]] = {}


@dataclass(frozen=True, slots=True)
class Turn:
    """What the teddy answered; `filtered` if either side was not fit for a child."""

    id: str
    session_id: str
    reply: str
    filtered: bool


@dataclass(frozen=True, slots=True)
class Exchange:
    """Both lines of a turn, each with the category the filter found in it, if any."""

    words: str
    found_in_words: str | None
    reply: str
    found_in_reply: str | None


class Conversations:
    """Takes turns and stores them."""

    def __init__(self, database: Database, *, defects: frozenset[str]) -> None:
        self._database = database
        self._defects = defects
        self._context_lines = REMEMBERED_LINES if MEMORY_LEAK in defects else CONTEXT_LINES

    def take_turn(self, parent_id: str, child_id: str, *, words: str, session_id: str | None) -> Turn:
        """The answer to a child's `words`, in a new session if none is given.

        Raises NotFoundError for a child or session that is not there or not this parent's, and
        ConsentRequiredError, in which cases nothing is stored.
        """
        if ERRORS_UNDER_LOAD in self._defects:
            with self._database.reading():  # taken from the pool long before it is needed
                time.sleep(REVIEW_S)
        if WRITE_SKEW in self._defects:
            with self._database.reading() as connection:
                require_collection(connection, parent_id, child_id=child_id)
            time.sleep(THINKING_S)
        turn_id, now = new_id(), now_ms()
        with self._database.writing() as connection:
            if WRITE_SKEW not in self._defects:
                require_collection(connection, parent_id, child_id=child_id)
            session_id = _open_session(connection, session_id, child_id=child_id, now=now)
            context = _context(connection, session_id, lines=self._context_lines)
            exchange = _answer(words, context)
            _store(connection, exchange, turn_id=turn_id, session_id=session_id, child_id=child_id, now=now)
        if MEMORY_LEAK in self._defects:
            remember(turn_id, exchange, context=context)
        filtered = bool(exchange.found_in_words or exchange.found_in_reply)
        return Turn(turn_id, session_id, exchange.reply, filtered)


def remember(turn_id: str, exchange: Exchange, *, context: list[Said]) -> None:
    """Keep a turn and all it was based on, for quick repeats. Nothing ever leaves this cache."""
    lines = "\n".join(f"{said.role}: {said.text}" for said in context)
    _remembered[turn_id] = (f"{lines}\nchild: {exchange.words}\nteddy: {exchange.reply}", context)


def _open_session(connection: Connection, session_id: str | None, *, child_id: str, now: int) -> str:
    if session_id is None:
        session_id = new_id()
        times = {"started_at_ms": now, "last_active_at_ms": now}
        connection.execute(NEW_SESSION, {"id": session_id, "child_id": child_id, **times})
        return session_id
    touched = connection.execute(TOUCH, {"session_id": session_id, "of_child": child_id, "now_ms": now})
    if touched.rowcount == 0:
        raise NotFoundError("there is no such session of this child")
    return session_id


def _context(connection: Connection, session_id: str, *, lines: int) -> list[Said]:
    newest_first = connection.execute(CONTEXT, {"session_id": session_id, "lines": lines}).all()
    return [Said(role, text) for role, text in reversed(newest_first)]


def _answer(words: str, context: list[Said]) -> Exchange:
    if found := category_of(words):
        return Exchange(words, found, instead_of(found), None)
    reply = reply_to(words, context)
    if found := category_of(reply):
        return Exchange(words, None, instead_of(found), found)
    return Exchange(words, None, reply, None)


def _store(
    connection: Connection, exchange: Exchange, *, turn_id: str, session_id: str, child_id: str, now: int
) -> None:
    common = {"turn_id": turn_id, "session_id": session_id, "child_id": child_id, "created_at_ms": now}
    lines = (
        ("child", exchange.words, exchange.found_in_words),
        ("teddy", exchange.reply, exchange.found_in_reply),
    )
    rows = [common | {"role": role, "text": text, "filtered": bool(found)} for role, text, found in lines]
    connection.execute(NEW_LINES, rows)
    events = [common | {"direction": role, "category": found} for role, _, found in lines if found]
    if events:
        connection.execute(NEW_EVENTS, events)
