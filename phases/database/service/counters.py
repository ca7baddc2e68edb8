"""How many statements the server counted: pg_stat_statements, or the commands of MariaDB.

A PostgreSQL without that extension still counts transactions: a statement outside of any is one of its own,
so there are at least as many statements.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from campaign.database.address import Kind
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


_COMMANDS = frozenset(
    f"Com_{name}"
    for name in (
        "select", "insert", "insert_select", "update", "update_multi", "delete", "delete_multi", "replace",
        "replace_select", "call_procedure",
    )
)  # fmt: skip
"""Questions would count what drivers say around statements, too."""

_TRANSACTIONS = """
SELECT xact_commit + xact_rollback FROM pg_stat_database WHERE datname = current_database()
"""


class Counter(Protocol):
    """Counts statements over the server's life; only differences mean anything.

    `source` is what counts, in words.
    """

    @property
    def source(self) -> str:
        """What counts."""

    @property
    def at_least(self) -> bool:
        """Whether there may have been more. Such a server hears of a session's work with the session's next
        transaction, a second later at the earliest.
        """

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
        return _Commands(server)
    view = _view(server, territory)
    return _Calls(server, view) if view else _Transactions(server)


def _view(server: Server, territory: Territory | None) -> str:
    """The name of the view, made in our own place for now where the database has none; "" where we cannot."""
    schema = server.scalar(_EXTENSION)
    try:
        if schema is None and territory is not None and territory.schema:
            server.run(f"CREATE EXTENSION pg_stat_statements SCHEMA {territory.schema}")
            schema = territory.schema
        view = f"{schema}.pg_stat_statements"
        server.scalar(f"SELECT count(*) FROM {view}")  # noqa: S608 - a name from the catalogue or our own
    except SQLAlchemyError:
        return ""  # not loaded, not ours to make, or not ours to read
    return view if schema else ""


class _Calls:
    source = "pg_stat_statements"
    at_least = False

    def __init__(self, server: Server, view: str) -> None:
        self._asking = _session(server)
        self._statement = _CALLS.format(view=view)

    def read(self) -> float:
        return float(self._asking.execute(text(self._statement), {"frames": _FRAMES}).scalar() or 0)

    def close(self) -> None:
        self._asking.close()


class _Transactions:
    source = "pg_stat_database, in transactions"
    at_least = True

    def __init__(self, server: Server) -> None:
        self._asking = _session(server)

    def read(self) -> float:
        return float(self._asking.execute(text(_TRANSACTIONS)).scalar() or 0)

    def close(self) -> None:
        self._asking.close()


class _Commands:
    source = "the server's Com_ counters"
    at_least = False

    def __init__(self, server: Server) -> None:
        self._asking = _session(server)

    def read(self) -> float:
        rows = self._asking.execute(text("SHOW GLOBAL STATUS LIKE 'Com\\_%'"))
        return float(sum(int(row[1]) for row in rows if row[0] in _COMMANDS))

    def close(self) -> None:
        self._asking.close()


def _session(server: Server) -> Connection:
    """A session that stays open, so that connecting is not counted."""
    return server.engine.connect().execution_options(isolation_level="AUTOCOMMIT")
