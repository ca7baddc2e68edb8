"""What was said before: a session's lines page by page, a child's sessions, and search."""

from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, func, select

from campaign.demo.database import Database
from campaign.demo.defects import IDOR_READ, IDOR_SEARCH, N_PLUS_ONE
from campaign.demo.ownership import require_child
from campaign.demo.problems import NotFoundError
from campaign.demo.schema import children, messages, sessions

SEARCHED_LINES = 500
MOST_MATCHES = 20
MOST_SESSIONS = 100

LINE = (
    messages.c.turn_id,
    messages.c.session_id,
    messages.c.role,
    messages.c.text,
    messages.c.filtered,
    messages.c.created_at_ms,
)
IN_SESSION = messages.c.session_id == bindparam("session_id")
NEWEST_FIRST = (messages.c.created_at_ms.desc(), messages.c.id.desc())
PAGE = (
    select(*LINE)
    .where(IN_SESSION)
    .order_by(*NEWEST_FIRST)
    .limit(bindparam("limit"))
    .offset(bindparam("offset"))
)
PAGE_IDS = PAGE.with_only_columns(messages.c.id)
ONE_LINE = select(*LINE).where(messages.c.id == bindparam("id"))
TOTAL = select(func.count()).select_from(messages).where(IN_SESSION)
OWNER = (
    select(sessions.c.child_id)
    .join(children, children.c.id == sessions.c.child_id)
    .where(sessions.c.id == bindparam("session_id"), children.c.parent_id == bindparam("parent_id"))
)
FAMILY = (
    select(children.c.parent_id, sessions.c.child_id)
    .join(children, children.c.id == sessions.c.child_id)
    .where(sessions.c.id == bindparam("session_id"))
)
SESSIONS = (
    select(sessions.c.id, sessions.c.started_at_ms, sessions.c.last_active_at_ms)
    .where(sessions.c.child_id == bindparam("child_id"))
    .order_by(sessions.c.last_active_at_ms.desc())
    .limit(MOST_SESSIONS)
)
RECENT = (
    select(*LINE)
    .where(messages.c.child_id == bindparam("child_id"))
    .order_by(*NEWEST_FIRST)
    .limit(SEARCHED_LINES)
    .subquery()
)


@dataclass(frozen=True, slots=True)
class Message:
    """One line by `child` or `teddy`; both lines of a turn carry the turn's id."""

    id: str
    session_id: str
    role: str
    text: str
    filtered: bool
    created_at_ms: int


@dataclass(frozen=True, slots=True)
class Page:
    """Lines of a session, newest first, and how many there are in all."""

    session_id: str
    total: int
    messages: list[Message]


@dataclass(frozen=True, slots=True)
class Session:
    """One conversation of a child."""

    id: str
    started_at_ms: int
    last_active_at_ms: int


class History:
    """Reads sessions and messages of the parent's own children."""

    def __init__(self, database: Database, *, defects: frozenset[str] = frozenset()) -> None:
        self._database = database
        self._asks = IDOR_READ not in defects
        self._asks_in_search = IDOR_SEARCH not in defects
        self._lines = _one_by_one if N_PLUS_ONE in defects else _at_once
        # SQLite's LIKE ignores the case of ASCII letters by itself, and folding each line costs more than it.
        like = RECENT.c.text.ilike if database.kind == "postgresql" else RECENT.c.text.like
        matching = like(bindparam("like"), escape="\\")
        self._matches = select(RECENT).where(matching).limit(MOST_MATCHES)

    def page(self, parent_id: str, session_id: str, *, limit: int, offset: int) -> Page:
        """At most `limit` lines after the newest `offset`; NotFoundError for another family's session."""
        with self._database.reading() as connection:
            keys: dict[str, object] = {"session_id": session_id, "parent_id": parent_id}
            if self._asks and connection.execute(OWNER, keys).first() is None:
                raise NotFoundError("there is no such session")
            total = connection.execute(TOTAL, {"session_id": session_id}).scalar_one()
            window = {"session_id": session_id, "limit": limit, "offset": offset}
            lines = self._lines(connection, window)
        return Page(session_id, total, lines)

    def child_of(self, parent_id: str, session_id: str) -> str:
        """The id of the child whose session it is; NotFoundError for another family's session."""
        with self._database.reading() as connection:
            keys = {"session_id": session_id, "parent_id": parent_id}
            owner = connection.execute(OWNER, keys).first()
        if owner is None:
            raise NotFoundError("there is no such session")
        return str(owner.child_id)

    def family_of(self, session_id: str) -> tuple[str, str]:
        """The parent and the child whose session it is, whoever asks; NotFoundError where there is none."""
        with self._database.reading() as connection:
            owner = connection.execute(FAMILY, {"session_id": session_id}).first()
        if owner is None:
            raise NotFoundError("there is no such session")
        return str(owner.parent_id), str(owner.child_id)

    def sessions(self, parent_id: str, child_id: str) -> list[Session]:
        """The child's latest sessions, newest first."""
        with self._database.reading() as connection:
            require_child(connection, parent_id, child_id=child_id)
            return [Session(*row) for row in connection.execute(SESSIONS, {"child_id": child_id})]

    def search(self, parent_id: str, child_id: str, *, query: str) -> list[Message]:
        """The newest lines with `query` in them, among the child's latest five hundred."""
        with self._database.reading() as connection:
            if self._asks_in_search:
                require_child(connection, parent_id, child_id=child_id)
            found = connection.execute(self._matches, {"child_id": child_id, "like": _containing(query)})
            return [Message(*row) for row in found]


def _at_once(connection: Connection, window: dict[str, object]) -> list[Message]:
    return [Message(*row) for row in connection.execute(PAGE, window)]


def _one_by_one(connection: Connection, window: dict[str, object]) -> list[Message]:
    ids = connection.execute(PAGE_IDS, window).scalars().all()
    return [Message(*connection.execute(ONE_LINE, {"id": each}).one()) for each in ids]


def _containing(query: str) -> str:
    plain = query.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{plain}%"
