"""A driver's connection behind one protocol: the same few words for asyncpg, psycopg, asyncmy and aiosqlite.

Each asks with the driver's own prepared statement where it has one. A statement's first answer is read with
bounds (`portions`); once it kept well below them, it is asked for as an application would, as a bounded read
keeps PostgreSQL from parallel plans.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Protocol

from phases.database.running.portions import Answer, Query

GOODBYE = 1.0
"""Seconds that a connection has to end what is under way on the server, before it is dropped."""


class Link(Protocol):
    """One connection. What goes wrong is raised as the driver raises it."""

    driver: Any

    async def ask(self, query: Query, args: tuple[Any, ...]) -> int:
        """The rows that came back, or that were changed. Raises TooLargeError."""

    async def prepare(self, query: Query) -> None:
        """Have the statement ready, where the driver prepares."""

    async def say(self, command: str) -> None:
        """BEGIN, COMMIT, ROLLBACK."""

    def interrupt(self) -> bool:
        """Make what is under way fail by itself; False where only cancelling the task does."""

    async def abandon(self) -> None:
        """End what is under way on the server too; the connection is of no use afterwards."""


class CancellingLink:
    """What the drivers of PostgreSQL have in common: a cancelled task cancels the statement on the server."""

    __slots__ = ("driver",)

    def __init__(self, driver: Any) -> None:
        self.driver = driver

    async def say(self, command: str) -> None:
        """BEGIN, COMMIT, ROLLBACK."""
        await self.driver.execute(command)

    def interrupt(self) -> bool:
        """Cancelling the task does it."""
        return False


class AsyncpgLink(CancellingLink):
    """asyncpg. Its statements offer no bound on rows outside of a cursor, its protocol does."""

    __slots__ = ("_execute", "_more", "_prepared", "_statements")

    def __init__(self, driver: Any) -> None:
        super().__init__(driver)
        self._prepared: dict[int, Any] = {}
        self._statements: dict[int, Any] = {}
        self._execute = driver._protocol.bind_execute  # noqa: SLF001 - see above
        self._more = driver._protocol.execute  # noqa: SLF001

    async def ask(self, query: Query, args: tuple[Any, ...]) -> int:
        """The rows that came back, or that were changed."""
        state = self._prepared.get(query.number)
        if state is None:
            await self.prepare(query)
            state = self._prepared[query.number]
        try:
            if query.limit and query.portions and self.driver.is_in_transaction():
                return await self._in_portions(query, state, args)
            rows, status, _ = await self._execute(state, args, "", query.limit, True, None)
        except BaseException as error:
            self._forget_outdated(query, error)
            raise
        return query.took(len(rows)) if rows else self._changed(status)

    async def _in_portions(self, query: Query, state: Any, args: tuple[Any, ...]) -> int:
        answer = Answer(query)
        rows, status, whole = await self._execute(state, args, "", answer.portion, True, None)
        while answer.add(rows or ()) and not whole:
            rows, status, whole = await self._more(state, "", answer.portion, True, None)
        return answer.took() if answer.rows else self._changed(status)

    @staticmethod
    def _changed(status: bytes) -> int:
        last = status.rpartition(b" ")[2]
        return int(last) if last.isdigit() else 0

    async def prepare(self, query: Query) -> None:
        """Prepare it on the server, for as long as we have the connection."""
        statement = self._statements[query.number] = await self.driver.prepare(query.sql)
        self._prepared[query.number] = statement._state  # noqa: SLF001 - see above

    async def abandon(self) -> None:
        """The cancellation is on its way; wait for it, then drop the connection."""
        try:
            await self.driver.close(timeout=GOODBYE)
        finally:
            self.driver.terminate()

    def _forget_outdated(self, query: Query, error: BaseException) -> None:
        """The table was changed under a prepared statement: it is prepared anew the next time."""
        if type(error).__name__ in {"OutdatedSchemaCacheError", "InvalidCachedStatementError"}:
            self._prepared.pop(query.number, None)
            self._statements.pop(query.number, None)


class PsycopgLink(CancellingLink):
    """psycopg 3. It holds a whole answer in memory, so the first one is read through a cursor."""

    __slots__ = ()

    async def ask(self, query: Query, args: tuple[Any, ...]) -> int:
        """The rows that came back, or that were changed."""
        if query.limit and query.source.lstrip()[:6].upper() == "SELECT":
            return await self._bounded(query, args)
        async with self.driver.cursor() as cursor:
            await cursor.execute(query.sql, args or None, prepare=True)
            return query.took(max(cursor.rowcount, 0)) if cursor.description else max(cursor.rowcount, 0)

    async def prepare(self, query: Query) -> None:
        """It is prepared where it is first executed."""

    async def abandon(self) -> None:
        """Cancel on the server, then drop the connection."""
        try:
            await self.driver.cancel_safe(timeout=GOODBYE)
        finally:
            await self.driver.close()

    async def _bounded(self, query: Query, args: tuple[Any, ...]) -> int:
        async with self.driver.transaction(), self.driver.cursor(name="campaign") as cursor:
            await cursor.execute(query.sql, args or None)
            answer = Answer(query)
            while answer.add(await cursor.fetchmany(answer.portion)):
                pass
            return answer.took()


class AsyncmyLink:
    """asyncmy, which prepares nothing on the server and reads answers row by row where told."""

    __slots__ = ("_kill", "_unbuffered", "driver")

    def __init__(self, driver: Any, kill: Callable[[int], Any]) -> None:
        from asyncmy.cursors import SSCursor  # noqa: PLC0415 - drivers are loaded where they are used

        self.driver = driver
        self._kill = kill
        self._unbuffered = SSCursor

    async def ask(self, query: Query, args: tuple[Any, ...]) -> int:
        """The rows that came back, or that were changed."""
        cursor = self.driver.cursor(self._unbuffered if query.limit else None)
        changed = await cursor.execute(query.sql, args or None)
        if cursor.description is None:
            await cursor.close()
            return max(int(changed), 0)
        if not query.limit:
            rows = len(await cursor.fetchall())
            await cursor.close()
            return query.took(rows)
        answer = Answer(query, unread=True)
        while answer.add(await cursor.fetchmany(answer.portion)):
            pass
        rows = answer.took()
        await cursor.close()
        return rows

    async def prepare(self, query: Query) -> None:
        """There is nothing to prepare."""

    async def say(self, command: str) -> None:
        """BEGIN, COMMIT, ROLLBACK."""
        async with self.driver.cursor() as cursor:
            await cursor.execute(command)

    def interrupt(self) -> bool:
        """The server is told by `abandon`."""
        return False

    async def abandon(self) -> None:
        """Kill the statement over another connection, then drop this one."""
        try:
            async with asyncio.timeout(GOODBYE):
                await self._kill(int(self.driver.thread_id()))
        finally:
            self.driver.close()


class AiosqliteLink:
    """aiosqlite: one thread for each connection, whose statements SQLite itself keeps prepared."""

    __slots__ = ("_interrupting", "driver")

    def __init__(self, driver: Any) -> None:
        self.driver = driver
        self._interrupting: asyncio.Future[None] | None = None

    async def ask(self, query: Query, args: tuple[Any, ...]) -> int:
        """The rows that came back, or that were changed."""
        cursor = await self.driver.execute(query.sql, args)
        try:
            if cursor.description is None:
                return max(int(cursor.rowcount), 0)
            if not query.limit:
                return query.took(len(list(await cursor.fetchmany(query.most + 1))))
            answer = Answer(query)
            while answer.add(list(await cursor.fetchmany(answer.portion))):
                pass
            return answer.took()
        finally:
            await cursor.close()

    async def prepare(self, query: Query) -> None:
        """SQLite keeps what was executed."""

    async def say(self, command: str) -> None:
        """BEGIN, COMMIT, ROLLBACK."""
        await (await self.driver.execute(command)).close()

    def interrupt(self) -> bool:
        """SQLite lets the statement fail."""
        self._interrupting = asyncio.ensure_future(self.driver.interrupt())
        return True

    async def abandon(self) -> None:
        """Interrupt what is under way; its thread ends with the connection."""
        await self.driver.interrupt()
        async with asyncio.timeout(GOODBYE):
            await self.driver.close()
