"""A pool of connections to try things on: SQLAlchemy's own, as a service has it, watched from both ends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool, NullPool

from campaign.database.address import Address, Kind
from campaign.database.server import CONNECT_SECONDS, STATEMENT_SECONDS, Server, Session, connect_args
from campaign.database.sessions import sessions

if TYPE_CHECKING:
    from sqlalchemy import Pool

SETTLE = 3.0
"""Seconds that a server may take to notice that a connection is idle, or gone."""

DISPOSE = 5.0


@dataclass(frozen=True, slots=True)
class Shape:
    """A pool: `size` connections are kept, `overflow` more opened in need; size 0 is no pool at all."""

    size: int
    overflow: int = 0

    @property
    def most(self) -> int:
        """The most connections at once."""
        return self.size + self.overflow


class Bench:
    """An engine with a pool of some shape, and the sessions that it has on the server; make it with
    `open_bench`.
    """

    def __init__(self, server: Server, engine: AsyncEngine, shape: Shape) -> None:
        self.server = server
        self.engine = engine
        self.shape = shape
        self.connects = 0
        self._numbers: set[int] = set()
        self._known: dict[int, int] = {}
        for name, heard in (("connect", self._opened), ("close", self._ended), ("detach", self._ended)):
            event.listen(engine.sync_engine, name, heard)

    def _opened(self, connection: Any, record: object) -> None:
        del record
        self.connects += 1
        number = _session_number(connection.driver_connection)
        self._numbers.add(number)
        self._known[id(connection)] = number

    def _ended(self, connection: Any, record: object) -> None:
        del record
        self._known.pop(id(connection), None)

    @property
    def _pool(self) -> Pool:
        return self.engine.sync_engine.pool

    @property
    def checked_out(self) -> int:
        """Connections that somebody has and did not give back."""
        return int(self._pool.checkedout()) if isinstance(self._pool, AsyncAdaptedQueuePool) else 0

    async def warm(self, statement: Any) -> None:
        """Open all that the pool keeps, so that what follows is timed without connecting."""
        all_open = asyncio.Barrier(self.shape.size)
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(self.shape.size):
                    group.create_task(self._warmed(statement, all_open))
        except BaseExceptionGroup as failures:
            raise failures.exceptions[0] from None

    async def _warmed(self, statement: Any, all_open: asyncio.Barrier) -> None:
        """Hold one connection until all are open; given back whatever becomes of the others."""
        async with self.engine.connect() as connection:
            await connection.execute(statement)
            await all_open.wait()

    async def listed(self) -> list[Session]:
        """The sessions of this pool in the server's own list."""
        return [each for each in await asyncio.to_thread(sessions, self.server) if each.id in self._numbers]

    async def leak(self) -> str:
        """What is still taken although nobody uses the pool, as a phrase; "" where all came back."""
        if self.checked_out:
            return f"{self.checked_out} checked out and not given back"
        extra = await self._settled(lambda found: len({each.id for each in found} - {*self._known.values()}))
        return f"{extra} on the server that the pool does not know" if extra > 0 else ""

    async def close(self) -> str:
        """Close the pool; what is left of it on the server, as a phrase, "" where nothing is."""
        async with asyncio.timeout(DISPOSE):
            await self.engine.dispose()
        left = await self._settled(len)
        return f"{left} on the server after the pool was closed" if left > 0 else ""

    async def _settled(self, extra: Callable[[list[Session]], int]) -> int:
        """How many are too many, once the server had time to notice."""
        loop = asyncio.get_running_loop()
        until = loop.time() + SETTLE
        while (count := extra(await self.listed())) > 0 and loop.time() < until:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
        return count


@asynccontextmanager
async def open_bench(
    server: Server, shape: Shape, *, patience: float, pre_ping: bool = False
) -> AsyncIterator[Bench]:
    """A pool of this shape on the database, whose checkouts wait `patience` seconds; closed afterwards."""
    sized: dict[str, Any] = {"poolclass": NullPool}
    if shape.size:
        sized = {
            "poolclass": AsyncAdaptedQueuePool,
            "pool_size": shape.size,
            "max_overflow": shape.overflow,
            "pool_timeout": patience,
        }
    engine = create_async_engine(
        server.address.load,
        connect_args=load_args(server.address, server.tag),
        pool_pre_ping=pre_ping,
        hide_parameters=True,
        **sized,
    )
    bench = Bench(server, engine, shape)
    try:
        yield bench
    finally:
        await asyncio.shield(_disposed(engine))


async def _disposed(engine: AsyncEngine) -> None:
    with suppress(TimeoutError):  # of a server that stands still
        async with asyncio.timeout(DISPOSE):
            await engine.dispose()


def load_args(address: Address, tag: str) -> dict[str, Any]:
    """What the asynchronous driver is told when it connects: who we are, and how long we wait."""
    driver = address.load.get_driver_name()
    if driver == "asyncpg":
        settings = {"application_name": tag, "statement_timeout": str(STATEMENT_SECONDS * 1000)}
        return {"timeout": CONNECT_SECONDS, "server_settings": settings}
    if address.kind is Kind.POSTGRESQL:
        return connect_args(address.kind, tag=tag)
    return {"connect_timeout": CONNECT_SECONDS}


def _session_number(connection: Any) -> int:
    """The number of this session in the server's list."""
    if hasattr(connection, "get_server_pid"):  # asyncpg
        return int(connection.get_server_pid())
    if hasattr(connection, "thread_id"):  # asyncmy
        return int(connection.thread_id())
    return int(connection.info.backend_pid)  # psycopg
