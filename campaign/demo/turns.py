"""A turn of a conversation: what is asked for, what both sides said, and how it is stored."""

import time
from dataclasses import dataclass, field

from sqlalchemy import Connection, bindparam, insert, select, update

from campaign.demo.companion import Said
from campaign.demo.idempotency import claim
from campaign.demo.problems import NotFoundError
from campaign.demo.schema import messages, safety_events, sessions
from campaign.demo.tokens import new_id

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
OF_CHILD = select(sessions.c.id).where(
    sessions.c.id == bindparam("session_id"), sessions.c.child_id == bindparam("child_id")
)
NO_SUCH_SESSION = "there is no such session of this child"
NEW_SESSION = insert(sessions)
NEW_LINES = insert(messages)
NEW_EVENTS = insert(safety_events)


class ToldBeforeError(Exception):
    """The same request is being answered, or was, at the same moment."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Who says what to the teddy, and where (None: in a new session); a `key` makes the same request, sent
    again, the same turn. `arrived` is when (time.monotonic).
    """

    parent_id: str
    child_id: str
    words: str
    session_id: str | None = None
    key: str | None = None
    arrived: float = field(default_factory=time.monotonic, compare=False)


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

    @property
    def filtered(self) -> bool:
        """Whether the filter found something in either."""
        return bool(self.found_in_words or self.found_in_reply)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a turn is stored, and since when it is."""

    turn_id: str
    session_id: str
    child_id: str
    now_ms: int


def open_session(connection: Connection, session_id: str | None, *, child_id: str, now: int) -> str:
    """The session's id, a new one if none is given; raises NotFoundError unless it is this child's."""
    if session_id is None:
        session_id = new_id()
        times = {"started_at_ms": now, "last_active_at_ms": now}
        connection.execute(NEW_SESSION, {"id": session_id, "child_id": child_id, **times})
        return session_id
    touched = connection.execute(TOUCH, {"session_id": session_id, "of_child": child_id, "now_ms": now})
    if touched.rowcount == 0:
        raise NotFoundError(NO_SUCH_SESSION)
    return session_id


def require_session(connection: Connection, session_id: str, *, child_id: str) -> None:
    """Return if the session is this child's, else raise NotFoundError."""
    if connection.execute(OF_CHILD, {"session_id": session_id, "child_id": child_id}).first() is None:
        raise NotFoundError(NO_SUCH_SESSION)


def context_of(connection: Connection, session_id: str, *, lines: int) -> list[Said]:
    """The latest lines, oldest first."""
    newest_first = connection.execute(CONTEXT, {"session_id": session_id, "lines": lines}).all()
    return [Said(role, text) for role, text in reversed(newest_first)]


def store(connection: Connection, wanted: Wanted, exchange: Exchange, *, place: Place) -> None:
    """Store both lines and what the filter found; raises ToldBeforeError where the key has been used."""
    if wanted.key is not None:
        row = {"parent_id": wanted.parent_id, "key": wanted.key, "session_id": place.session_id}
        if not claim(connection, row | {"turn_id": place.turn_id, "created_at_ms": place.now_ms}):
            raise ToldBeforeError
    common = {
        "turn_id": place.turn_id,
        "session_id": place.session_id,
        "child_id": place.child_id,
        "created_at_ms": place.now_ms,
    }
    lines = (
        ("child", exchange.words, exchange.found_in_words),
        ("teddy", exchange.reply, exchange.found_in_reply),
    )
    rows = [common | {"role": role, "text": text, "filtered": bool(found)} for role, text, found in lines]
    connection.execute(NEW_LINES, rows)
    events = [common | {"direction": role, "category": found} for role, _, found in lines if found]
    if events:
        connection.execute(NEW_EVENTS, events)
