"""What the server itself counted between two moments, as a check of what we counted.

Sources: PostgreSQL's pg_stat_database, pg_stat_statements where it may be read, pg_locks and
pg_stat_activity; SHOW GLOBAL STATUS of MariaDB and MySQL, which count the whole server; SQLite's pragmas.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Self

from campaign.database.address import Kind
from campaign.database.server import Server

_DATABASE = """
SELECT xact_commit AS commits, xact_rollback AS rollbacks, tup_returned AS rows_scanned,
       tup_fetched AS rows_fetched, tup_inserted + tup_updated + tup_deleted AS rows_written,
       blks_hit AS cache_hits, blks_read AS cache_misses, deadlocks, temp_files, temp_bytes
FROM pg_stat_database WHERE datname = current_database()
"""
_CALLS = """
SELECT COALESCE(SUM(calls), 0)::bigint FROM pg_stat_statements
WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
"""
_STATES = """
SELECT COALESCE(state, 'unknown') AS state, COUNT(*) AS sessions FROM pg_stat_activity
WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()
GROUP BY 1
"""
_WAITING = """
SELECT COUNT(*) FROM pg_locks WHERE NOT granted
AND (database IS NULL OR database = (SELECT oid FROM pg_database WHERE datname = current_database()))
"""
_STATUS = {
    "Questions": "statements",
    "Com_commit": "commits",
    "Com_rollback": "rollbacks",
    "Innodb_rows_read": "rows_scanned",
    "Rows_read": "rows_scanned",
    "Innodb_buffer_pool_read_requests": "cache_requests",
    "Innodb_buffer_pool_reads": "cache_misses",
    "Innodb_row_lock_waits": "lock_waits",
    "Innodb_deadlocks": "deadlocks",
    "Created_tmp_disk_tables": "temp_files",
    "Slow_queries": "slow",
    "Aborted_clients": "aborted",
}
"""Counters of MariaDB and MySQL by our name; a server may lack some."""


@dataclass(frozen=True, slots=True)
class ServerView:
    """The server's counters at one moment: `counters` since it was started, all else as it is now.

    `sessions` are others' and ours of this database by the server's word for their state, without the one
    that asks; `waiting` is how many wait for a lock. Empty or None is "the server does not say".
    """

    source: str
    counters: Mapping[str, float] = field(default_factory=dict)
    sessions: Mapping[str, int] = field(default_factory=dict)
    waiting: int | None = None
    most_sessions: int | None = None

    @classmethod
    def take(cls, server: Server) -> Self:
        """The view now. Blocks; raises what SQLAlchemy raises.

        PostgreSQL's sessions report what they did when they end, and each second or so before that.
        """
        if server.kind is Kind.POSTGRESQL:
            return cls(**_postgresql(server))
        if server.kind is Kind.MYSQL:
            return cls(**_mysql(server))
        return cls(**_sqlite(server))

    @property
    def connected(self) -> int:
        """How many sessions there are."""
        return sum(self.sessions.values())


@dataclass(frozen=True, slots=True)
class Activity:
    """What the server counted between two moments, everybody's; None where it does not say.

    `statements` are all that it was sent; `transactions` those that ended, a statement in autocommit among
    them (PostgreSQL). `cache_hits` is a share of the pages asked for, 0..1; `counters` are all differences.
    """

    source: str
    statements: float | None
    transactions: float | None
    cache_hits: float | None
    counters: Mapping[str, float]
    after: ServerView

    def as_data(self) -> dict[str, Any]:
        """The view as plain JSON data."""
        return {
            "source": self.source,
            "statements": self.statements,
            "transactions": self.transactions,
            "cache_hits": self.cache_hits,
            "counters": dict(self.counters),
            "sessions": dict(self.after.sessions),
            "waiting": self.after.waiting,
            "most_sessions": self.after.most_sessions,
        }


def between(before: ServerView, after: ServerView) -> Activity:
    """What was counted from one view to the other; nothing where the counters were reset in between."""
    names = before.counters.keys() & after.counters.keys()
    counted = {name: after.counters[name] - before.counters[name] for name in sorted(names)}
    if any(value < 0 for value in counted.values()):
        counted = {}
    ended = [counted[name] for name in ("commits", "rollbacks") if name in counted]
    whole = after.source.startswith("pg_")
    return Activity(
        after.source,
        counted.get("statements"),
        sum(ended) if ended and whole else None,
        _hits(counted),
        counted,
        after,
    )


@dataclass(frozen=True, slots=True)
class Comparison:
    """What we did and what the server counted, in `unit` ("statements", "transactions")."""

    ours: float
    theirs: float
    unit: str

    @property
    def others(self) -> float:
        """How many more the server counted than we did, as a share of ours; negative: it counted fewer."""
        return (self.theirs - self.ours) / self.ours


def compare(activity: Activity, *, statements: float, transactions: float) -> Comparison | None:
    """Our counts beside the server's: transactions where it counts them, else statements; None where it
    counts neither, or we did nothing.
    """
    if activity.transactions is not None and transactions > 0:
        return Comparison(transactions, activity.transactions, "transactions")
    if activity.statements is not None and statements > 0:
        return Comparison(statements, activity.statements, "statements")
    return None


def _hits(counted: Mapping[str, float]) -> float | None:
    misses = counted.get("cache_misses")
    hits = counted.get("cache_hits")
    if misses is not None and hits is None and "cache_requests" in counted:
        hits = counted["cache_requests"] - misses
    if hits is None or misses is None or hits + misses <= 0:
        return None
    return max(0.0, hits) / (max(0.0, hits) + misses)


def _postgresql(server: Server) -> dict[str, Any]:
    from sqlalchemy.exc import SQLAlchemyError  # noqa: PLC0415

    counters = {name: float(value or 0) for name, value in server.rows(_DATABASE)[0].items()}
    source = "pg_stat_database"
    with suppress(SQLAlchemyError):  # it is not installed, or not for us
        counters["statements"] = float(server.scalar(_CALLS))
        source = "pg_stat_statements"
    return {
        "source": source,
        "counters": counters,
        "sessions": {str(row["state"]): int(row["sessions"]) for row in server.rows(_STATES)},
        "waiting": int(server.scalar(_WAITING)),
        "most_sessions": int(server.scalar("SHOW max_connections")),
    }


def _mysql(server: Server) -> dict[str, Any]:
    rows = server.rows("SHOW GLOBAL STATUS")
    said = {str(row["Variable_name"]): str(row["Value"]) for row in rows}
    running = int(said.get("Threads_running", 0))
    connected = int(said.get("Threads_connected", 0))
    most = server.rows("SHOW GLOBAL VARIABLES LIKE 'max_connections'")
    return {
        "source": "SHOW GLOBAL STATUS",
        "counters": dict(_figures(said)),
        "sessions": {"running": max(0, running - 1), "idle": max(0, connected - running)},
        "waiting": int(said.get("Innodb_row_lock_current_waits", 0)),
        "most_sessions": int(most[0]["Value"]) if most else None,
    }


def _figures(said: Mapping[str, str]) -> Iterator[tuple[str, float]]:
    for theirs, ours in _STATUS.items():
        with suppress(KeyError, ValueError):
            yield ours, float(said[theirs])


def _sqlite(server: Server) -> dict[str, Any]:
    pragmas = ("page_count", "page_size", "freelist_count")
    return {
        "source": "PRAGMA page_count",
        "counters": {name: float(server.scalar(f"PRAGMA {name}") or 0) for name in pragmas},
    }
