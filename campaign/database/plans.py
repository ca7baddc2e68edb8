"""How the database would answer a statement, read into one plain structure, and the index that is missing.

Sources: EXPLAIN of PostgreSQL, of MariaDB and MySQL, EXPLAIN QUERY PLAN of SQLite. PostgreSQL and MariaDB run
a plain read once to count its rows, in a read-only transaction under a timeout that is rolled back; the
others, and statements that write, are estimated.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from campaign.database.address import Kind
from campaign.database.server import Server

MANY_ROWS = 1_000
"""A scan of fewer rows needs no index."""

SELECTIVE = 0.1
"""The share of rows that survive a filter, below which an index would have spared most of the reading."""

EXPLAIN_SECONDS = 10.0
"""How long a statement may run to be explained; after that it is estimated."""

LONGEST_TEXT = 20_000


@dataclass(frozen=True, slots=True)
class Scan:
    """One table as it is read: `table_rows` in one pass, `read` in all passes, `kept` of them by the filter.

    `columns` are those of an index that would serve the filter and is not there; empty where no index would,
    or where there is one.
    """

    table: str
    how: str
    table_rows: int
    read: int
    kept: int
    filter: str
    columns: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """How a statement is answered: `text` is the server's own account, `counted` whether its rows were
    counted and not estimated.
    """

    scans: tuple[Scan, ...]
    text: str
    counted: bool

    def as_data(self) -> dict[str, Any]:
        """The plan as plain JSON data."""
        scans = [
            {
                "table": each.table,
                "how": each.how,
                "read": each.read,
                "kept": each.kept,
                "filter": each.filter[:500],
            }
            for each in self.scans
        ]
        return {"scans": scans[:50], "text": self.text[:LONGEST_TEXT], "counted": self.counted}


@dataclass(frozen=True, slots=True)
class MissingIndex:
    """An index that would have spared reading `read` rows of a table for the `kept` that were wanted."""

    table: str
    columns: tuple[str, ...]
    read: int
    kept: int

    def __str__(self) -> str:
        where = f"{self.table} ({', '.join(self.columns)})"
        return f"an index on {where} is missing: {self.read:,} rows read for {self.kept:,}"

    def as_data(self) -> dict[str, Any]:
        """The index as plain JSON data."""
        return {
            "table": self.table,
            "columns": list(self.columns),
            "read": self.read,
            "kept": self.kept,
            "text": str(self),
        }


def explain(server: Server, sql: str, params: Mapping[str, Any], *, seconds: float = EXPLAIN_SECONDS) -> Plan:
    """How the server answers a statement whose parameters are written `:name`; after `seconds` of running it
    the plan is estimated.

    Blocks. Raises what SQLAlchemy and the drivers raise for a statement that the server refuses.
    """
    if server.kind is Kind.POSTGRESQL:
        from campaign.database.plan_postgresql import explain_postgresql  # noqa: PLC0415

        return explain_postgresql(server, sql, params, seconds=seconds)
    if server.kind is Kind.MYSQL:
        from campaign.database.plan_mysql import explain_mysql  # noqa: PLC0415

        return explain_mysql(server, sql, params, seconds=seconds)
    from campaign.database.plan_sqlite import explain_sqlite  # noqa: PLC0415

    return explain_sqlite(server, sql, params)


def missing_index(plan: Plan) -> MissingIndex | None:
    """The index whose lack costs this plan most; None where it lacks none."""
    wanting = [each for each in plan.scans if each.columns and is_wasteful(each)]
    if not wanting:
        return None
    worst = max(wanting, key=lambda scan: scan.read - scan.kept)
    return MissingIndex(worst.table, worst.columns, worst.read, worst.kept)


def is_wasteful(scan: Scan) -> bool:
    """Whether most of many rows were read for nothing."""
    return scan.table_rows > MANY_ROWS and scan.kept < scan.read * SELECTIVE
