"""How many statements the server counted: pg_stat_statements on PostgreSQL, Questions elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from campaign.database.address import Kind
from campaign.database.failure import failure_of
from campaign.database.server import Server
from campaign.database.territory import Territory

if TYPE_CHECKING:
    from sqlalchemy import Connection

_FRAMES = [
    "BEGIN%",
    "COMMIT%",
    "ROLLBACK%",
    "SET %",
    "SHOW %",
    "DEALLOCATE%",
    "DISCARD%",
    "START TRANSACTION%",
]
"""What stands around statements, and what drivers say when they connect."""

_CALLS = """
SELECT COALESCE(SUM(calls), 0) FROM {view} AS counted JOIN pg_database ON pg_database.oid = counted.dbid
WHERE datname = current_database() AND NOT upper(query) LIKE ANY (:frames)
  AND query NOT LIKE '%pg_stat_statements%' AND query NOT LIKE '%pg_stat_activity%'
"""
_EXTENSION = """
SELECT quote_ident(nspname) FROM pg_extension JOIN pg_namespace ON pg_namespace.oid = extnamespace
WHERE extname = 'pg_stat_statements'
"""


class Counter(Protocol):
    """Counts statements over the server's life; only differences mean anything."""

    def read(self) -> float:
        """How many there were so far, our own reading left out."""

    def close(self) -> None:
        """Let go of the session that asks."""


class NoCounter(Exception):  # noqa: N818 - the reason, in words
    """The server does not count, or not for us; `never` where such a database cannot."""

    def __init__(self, why: str, *, never: bool = False) -> None:
        super().__init__(why)
        self.never = never


def open_counter(server: Server, territory: Territory | None) -> Counter:
    """What counts on this server. Raises NoCounter, whose text says why there is none."""
    if server.kind is Kind.SQLITE:
        raise NoCounter("SQLite counts no statements", never=True)
    if server.kind is Kind.MYSQL:
        return _Questions(server)
    return _Calls(server, _view(server, territory))


def _view(server: Server, territory: Territory | None) -> str:
    """The name of the view, made in our own place for now where the database has none."""
    schema = server.scalar(_EXTENSION)
    try:
        if schema is None and territory is not None and territory.schema:
            server.run(f"CREATE EXTENSION pg_stat_statements SCHEMA {territory.schema}")
            schema = territory.schema
        if schema is None:
            raise NoCounter("the extension pg_stat_statements is not there")
        view = f"{schema}.pg_stat_statements"
        server.scalar(f"SELECT count(*) FROM {view}")  # noqa: S608 - a name from the catalogue or our own
    except SQLAlchemyError as error:
        raise NoCounter(f"the server does not count statements for us: {failure_of(error).text}") from error
    return view


class _Calls:
    def __init__(self, server: Server, view: str) -> None:
        self._asking = _session(server)
        self._statement = _CALLS.format(view=view)

    def read(self) -> float:
        return float(self._asking.execute(text(self._statement), {"frames": _FRAMES}).scalar() or 0)

    def close(self) -> None:
        self._asking.close()


class _Questions:
    def __init__(self, server: Server) -> None:
        self._asking = _session(server)
        self._own = 0

    def read(self) -> float:
        row: Any = self._asking.execute(text("SHOW GLOBAL STATUS LIKE 'Questions'")).first()
        self._own += 1
        return float(row[1]) - self._own

    def close(self) -> None:
        self._asking.close()


def _session(server: Server) -> Connection:
    """A session that stays open, so that connecting is not counted."""
    return server.engine.connect().execution_options(isolation_level="AUTOCOMMIT")
