"""The pool that the writers share, and which sessions of the server it ever had."""

from __future__ import annotations

import logging
from typing import Any

from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import QueuePool

from campaign.clock import Clock
from campaign.database.address import Address
from campaign.database.server import CONNECT_SECONDS, STATEMENT_SECONDS
from phases.database.recovery.settings import RecoverySettings

logging.getLogger("sqlalchemy.pool").addHandler(logging.NullHandler())
"""Connections break here on purpose: that is counted, and not told on standard error as well."""


class Pooled:
    """An asynchronous engine with a pool of fixed size, whose sessions are called `tag` where they have a
    name; `sessions` are the server's ids of all that it ever had, each with when it was made (clock
    nanoseconds), `connects` how many it made.
    """

    def __init__(self, address: Address, settings: RecoverySettings, *, tag: str, clock: Clock) -> None:
        self.tag = tag
        self.sessions: dict[int, int] = {}
        self.connects = 0
        self.clock = clock
        self.began_ns = clock.now_ns()
        self.engine: AsyncEngine = create_async_engine(
            address.load,
            pool_size=settings.connections,
            max_overflow=0,
            pool_timeout=settings.write_timeout,
            pool_pre_ping=settings.pre_ping,
            hide_parameters=True,
            connect_args=_connect_args(address.load.get_driver_name(), tag),
        )
        event.listen(self.engine.sync_engine, "connect", self._connected)

    @property
    def checked_out(self) -> int:
        """Connections that are out of the pool right now."""
        pool = self.engine.pool
        return pool.checkedout() if isinstance(pool, QueuePool) else 0

    def _connected(self, connection: Any, record: Any) -> None:
        del record
        self.connects += 1
        self.sessions[session_of(connection.driver_connection)] = self.clock.now_ns()


def session_of(connection: Any) -> int:
    """The server's id of the session behind a driver's connection: asyncpg's, psycopg's or asyncmy's."""
    if hasattr(connection, "get_server_pid"):
        return int(connection.get_server_pid())
    return int(connection.info.backend_pid if hasattr(connection, "info") else connection.thread_id())


def _connect_args(driver: str, tag: str) -> dict[str, Any]:
    if driver == "asyncpg":
        limit = str(round(STATEMENT_SECONDS * 1000))
        return {
            "timeout": CONNECT_SECONDS,
            "server_settings": {"application_name": tag, "statement_timeout": limit},
        }
    if driver == "psycopg":
        return {"connect_timeout": CONNECT_SECONDS, "application_name": tag}
    return {"connect_timeout": CONNECT_SECONDS}
