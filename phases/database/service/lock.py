"""A lock on one of the target's tables, held by us for a moment, so that statements on it wait."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from campaign.database.address import Kind
from campaign.database.server import Server

if TYPE_CHECKING:
    from sqlalchemy import Connection

WAIT_SECONDS = 1
"""How long we queue for the lock, as all others queue behind us meanwhile."""


@asynccontextmanager
async def held_lock(server: Server, table: str) -> AsyncIterator[None]:
    """Nobody else reads or writes the table inside the block. Raises what SQLAlchemy raises."""
    connection = await asyncio.to_thread(server.engine.connect)
    try:
        await asyncio.to_thread(_take, connection, server, table)
        yield
    finally:
        await asyncio.shield(asyncio.to_thread(_let_go, connection, server))


def _take(connection: Connection, server: Server, table: str) -> None:
    quote = connection.dialect.identifier_preparer.quote
    name = ".".join(quote(part) for part in table.split("."))
    if server.kind is Kind.POSTGRESQL:
        connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{WAIT_SECONDS}s'")
        connection.exec_driver_sql(f"LOCK TABLE {name} IN ACCESS EXCLUSIVE MODE")
    else:
        connection.exec_driver_sql(f"SET SESSION lock_wait_timeout = {WAIT_SECONDS}")
        connection.exec_driver_sql(f"LOCK TABLES {name} WRITE")


def _let_go(connection: Connection, server: Server) -> None:
    try:
        if server.kind is Kind.MYSQL:
            connection.exec_driver_sql("UNLOCK TABLES")
    finally:
        connection.invalidate()  # with it goes the lock, whatever became of it, and our settings
        connection.close()
