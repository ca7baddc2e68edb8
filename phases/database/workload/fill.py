"""Fills the tables of the workload, in chunks, as fast as each database takes rows."""

from __future__ import annotations

import asyncio
from itertools import islice
from typing import TYPE_CHECKING, Any

from campaign.database.address import Kind
from campaign.database.server import Server
from phases.database.scene import Scene
from phases.database.workload.rows import Rows, counts, row_makers
from phases.database.workload.schema import Tables

if TYPE_CHECKING:
    from sqlalchemy import Table

CHUNK = 20_000
"""Rows that are written in one go; between two of them a stop is seen."""

FILLING = 0.2
"""Share of the part that filling is said to take, for the progress."""


async def fill(scene: Scene, server: Server, tables: Tables, *, scale: int) -> bool:
    """Whether the tables are full and analysed; False where the phase was stopped before."""
    sizes = counts(scale)
    makers = row_makers(scale, scene.context.seed)
    whole, written = sum(sizes.values()), 0
    for name, table in zip(sizes, tables.all, strict=True):
        rows = makers[name]()
        while chunk := await asyncio.to_thread(_write_next, server, table, rows):
            written += chunk
            if scene.stopping:
                return False
            scene.tell(f"workload: {written:,} of {whole:,} rows", FILLING * written / whole)
    await asyncio.to_thread(_settle, server, tables)
    return True


def _write_next(server: Server, table: Table, rows: Rows) -> int:
    """How many rows were written; 0: there are no more."""
    chunk = list(islice(rows, CHUNK))
    if not chunk:
        return 0
    columns = [column.name for column in table.columns]
    with server.writing() as connection:
        if server.kind is Kind.POSTGRESQL:
            _copy(connection.connection.driver_connection, table.fullname, columns, chunk)
        else:
            mark = "%s" if server.kind is Kind.MYSQL else "?"
            marks = ", ".join([mark] * len(columns))
            statement = f"INSERT INTO {table.fullname} ({', '.join(columns)}) VALUES ({marks})"  # noqa: S608 - ours
            connection.exec_driver_sql(statement, chunk)
    return len(chunk)


def _copy(driver: Any, table: str, columns: list[str], rows: list[tuple[Any, ...]]) -> None:
    with (
        driver.cursor() as cursor,
        cursor.copy(f"COPY {table} ({', '.join(columns)}) FROM STDIN") as copy,
    ):
        for row in rows:
            copy.write_row(row)


def _settle(server: Server, tables: Tables) -> None:
    """Keys go on after the rows that are there, and the planner knows what is in the tables."""
    names = [table.fullname for table in tables.all]
    if server.kind is Kind.POSTGRESQL:
        server.run(
            *(
                f"SELECT setval(pg_get_serial_sequence('{name}', 'id'), (SELECT MAX(id) FROM {name}))"  # noqa: S608
                for name in names
            ),
            *(f"ANALYZE {name}" for name in names),
        )
    elif server.kind is Kind.MYSQL:
        server.run(f"ANALYZE TABLE {', '.join(names)}")
    elif server.rows("SELECT name FROM sqlite_master WHERE name = 'sqlite_stat1'"):
        server.run(*(f"ANALYZE {name}" for name in names))  # elsewhere it would leave a table behind
