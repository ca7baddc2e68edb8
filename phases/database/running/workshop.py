"""Where the connections of one worker come from: SQLAlchemy's pool, with the sessions marked and bounded."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from campaign.database.address import Address, Kind, read_address
from campaign.database.server import CONNECT_SECONDS, NOTICE_OUR_END, connect_args
from phases.database.running.links import (
    AiosqliteLink,
    AsyncmyLink,
    AsyncpgLink,
    Link,
    PsycopgLink,
)
from phases.database.running.placeholders import asyncmy_style, numbered, psycopg_style, question
from phases.database.running.work import Work

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine


class Workshop:
    """The engine of one worker, made when the first user asks and gone with the last."""

    def __init__(self, work: Work) -> None:
        self.work = work
        self.address = read_address(work.url)
        self._engine: AsyncEngine | None = None
        self._taken = 0

    @property
    def driver(self) -> str:
        """The driver in the hot loop."""
        return str(self.address.load.get_driver_name())

    @property
    def translate(self) -> Callable[[str], tuple[str, tuple[str, ...]]]:
        """How its statements are written."""
        styles = {"asyncpg": numbered, "aiosqlite": question, "asyncmy": asyncmy_style}
        return styles.get(self.driver, psycopg_style)

    async def take(self) -> Held:
        """A connection from the pool. Raises what SQLAlchemy and the driver raise."""
        if self._engine is None:
            self._engine = self._make_engine()
        self._taken += 1
        try:
            connection = await self._engine.connect()
            raw = await connection.get_raw_connection()
            held = Held(connection, self._link(raw.driver_connection))
            for command in self._greeting():
                await held.link.say(command)
        except BaseException:
            await self.give_back()
            raise
        return held

    async def give_back(self) -> None:
        """One connection less; with the last the pool is closed."""
        self._taken -= 1
        if not self._taken and self._engine is not None:
            engine, self._engine = self._engine, None
            await engine.dispose()

    def _make_engine(self) -> AsyncEngine:
        from sqlalchemy.ext.asyncio import create_async_engine  # noqa: PLC0415 - where it is used
        from sqlalchemy.pool import AsyncAdaptedQueuePool  # noqa: PLC0415

        return create_async_engine(
            self.address.load,
            poolclass=AsyncAdaptedQueuePool,
            pool_size=self.work.connections,
            max_overflow=0,
            pool_timeout=CONNECT_SECONDS,
            isolation_level="AUTOCOMMIT",
            connect_args=load_args(self.address, self.work),
        )

    def _link(self, driver: Any) -> Link:
        match self.driver:
            case "asyncpg":
                return AsyncpgLink(driver)
            case "psycopg":
                return PsycopgLink(driver)
            case "asyncmy":
                return AsyncmyLink(driver, self._kill)
        return AiosqliteLink(driver)

    def _greeting(self) -> list[str]:
        """What a new session is told that its driver has no argument for."""
        work = self.work
        if self.address.kind is Kind.MYSQL:
            limit = (
                f"SET SESSION max_statement_time = {work.timeout:g}"
                if work.product == "MariaDB"
                else f"SET SESSION max_execution_time = {round(work.timeout * 1000)}"
            )
            return [limit, *(["SET SESSION TRANSACTION READ ONLY"] if work.read_only else [])]
        if self.address.kind is Kind.SQLITE:
            return ["PRAGMA foreign_keys = ON", *(["PRAGMA query_only = ON"] if work.read_only else [])]
        return [NOTICE_OUR_END, *(["SET default_transaction_read_only = on"] if work.read_only else [])]

    async def _kill(self, session: int) -> None:
        """End what that session does (MariaDB and MySQL), over a connection of its own."""
        import asyncmy  # noqa: PLC0415

        url = self.address.load
        other = await asyncmy.connect(
            host=url.host or "127.0.0.1", port=self.address.port, user=url.username or "",
            password=str(url.password or ""), connect_timeout=1, autocommit=True,
        )  # fmt: skip
        try:
            async with other.cursor() as cursor:
                await cursor.execute(f"KILL {session}")
        finally:
            other.close()


class Held:
    """A connection that one user holds."""

    __slots__ = ("connection", "link")

    def __init__(self, connection: AsyncConnection, link: Link) -> None:
        self.connection = connection
        self.link = link

    async def release(self) -> None:
        """Give it back in good order."""
        await self.connection.close()

    async def drop(self) -> None:
        """Let the pool forget it, whatever state it is in."""
        await self.connection.invalidate()
        await self.connection.close()


def load_args(address: Address, work: Work) -> dict[str, Any]:
    """What the driver of the hot loop is told when it connects: who we are, how long a statement may take."""
    if address.kind is Kind.MYSQL:
        return {"connect_timeout": CONNECT_SECONDS}
    if address.kind is Kind.SQLITE:
        return {"timeout": work.timeout}
    if address.load.get_driver_name() == "psycopg":
        return connect_args(Kind.POSTGRESQL, tag=work.tag, statement_seconds=work.timeout)
    settings = {"application_name": work.tag, "statement_timeout": str(round(work.timeout * 1000))}
    return {"server_settings": settings, "timeout": CONNECT_SECONDS}
