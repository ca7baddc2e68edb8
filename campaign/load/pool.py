"""Connections that users share when the target's file says how many there may be (`target.connections`).

A user borrows a connection for one operation. When all are lent, users wait in the order in which they asked;
that wait is part of their response time.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import cast

from campaign.clock import Clock
from campaign.errors import GeneratorError
from campaign.load.answer import Channel
from campaign.load.connections import Dialer
from campaign.load.failure import ExchangeError
from campaign.load.links import Links
from campaign.load.recorder import Recorder
from campaign.load.session import Session
from campaign.load.step import Step
from campaign.target.origin import Origin


def share_of(most: int, *, index: int, workers: int) -> int:
    """How many of `most` connections worker `index` (from 0) may have. Raises GeneratorError where none."""
    share = most // workers + (index < most % workers)
    if not share:
        raise GeneratorError(f"{workers} load workers cannot share {most} connections")
    return share


class Dock:
    """The connections to one origin: at most `most`, open or being opened."""

    __slots__ = ("_idle", "_most", "_now_ns", "_open", "_waiting", "lost")

    def __init__(self, most: int, now_ns: Callable[[], int]) -> None:
        self.lost = 0
        self._most = most
        self._now_ns = now_ns
        self._open = 0
        self._idle: list[Channel] = []
        self._waiting: deque[asyncio.Future[Channel | None]] = deque()

    def idle(self) -> Channel | None:
        """A connection that nobody uses and that can be trusted to be open, if nobody else waits for one."""
        while self._idle:
            connection = self._idle.pop()
            if not connection.closed and self._now_ns() - connection.last_used <= connection.idle_limit:
                return connection
            connection.close()
            self.free()
            self.lost += 1
        return None

    async def turn(self) -> Channel | None:
        """A connection, or None with the right to open one, when it is our turn."""
        if (connection := self.idle()) is not None:
            return connection
        if self._open < self._most:
            self._open += 1
            return None
        waiter: asyncio.Future[Channel | None] = asyncio.get_running_loop().create_future()
        self._waiting.append(waiter)
        try:
            return await waiter
        except asyncio.CancelledError:
            if waiter.done() and not waiter.cancelled():
                self.take_back(waiter.result())
            raise

    def take_back(self, connection: Channel | None) -> None:
        """Whoever waits longest is next; a connection that is closed leaves its place to a new one."""
        if connection is None or connection.closed or not connection.last_used:
            if connection is not None:
                connection.close()
                self.lost += 1
            self.free()
        elif (waiter := self._next()) is not None:
            waiter.set_result(connection)
        else:
            self._idle.append(connection)

    def free(self) -> None:
        """A place for a new connection is free."""
        if (waiter := self._next()) is not None:
            waiter.set_result(None)
        else:
            self._open -= 1

    def close(self) -> None:
        """Drop what nobody uses."""
        for connection in self._idle:
            connection.close()
        self._idle.clear()

    def _next(self) -> asyncio.Future[Channel | None] | None:
        while self._waiting:
            waiter = self._waiting.popleft()
            if not waiter.done():
                return waiter
        return None


class Pool:
    """The shared connections of one worker, at most `most` to each origin."""

    def __init__(self, dialer: Dialer, most: int, *, clock: Clock, recorder: Recorder) -> None:
        self._dialer = dialer
        self._most = most
        self._now_ns = clock.now_ns
        self._recorder = recorder
        self._docks: dict[Origin, Dock] = {}

    def idle(self, origin: Origin) -> Channel | None:
        """A connection that is free at once."""
        return self._dock(origin).idle()

    async def dial(self, origin: Origin) -> Channel:
        """A connection when it is our turn, a new one if need be. Raises ExchangeError."""
        dock = self._dock(origin)
        connection = await dock.turn()
        if connection is not None:
            return connection
        try:
            connection = await self._dialer.dial(origin)
        except BaseException:
            dock.free()
            raise
        if dock.lost:
            dock.lost -= 1
            self._recorder.reconnects += 1
        return connection

    def take_back(self, origin: Origin, connection: Channel) -> None:
        """The user needs it no longer."""
        self._dock(origin).take_back(connection)

    def close(self) -> None:
        """Drop what nobody uses."""
        for dock in self._docks.values():
            dock.close()

    def _dock(self, origin: Origin) -> Dock:
        dock = self._docks.get(origin)
        if dock is None:
            dock = self._docks[origin] = Dock(self._most, self._now_ns)
        return dock


class Borrowed(Links):
    """The one connection that a user has borrowed from the pool, given back before the next is asked for."""

    __slots__ = ("_lent", "_pool")

    def __init__(self, pool: Pool, *, clock: Clock, recorder: Recorder) -> None:
        super().__init__(pool, clock=clock, recorder=recorder)
        self._pool = pool
        self._lent: tuple[Origin, Channel] | None = None

    def kept(self, origin: Origin) -> Channel | None:
        """A connection that is free at once, borrowed until `give_back`."""
        self.give_back()
        connection = self._pool.idle(origin)
        if connection is not None:
            self._lent = (origin, connection)
        return connection

    async def open(self, origin: Origin) -> Channel:
        """A connection when it is our turn. Raises ExchangeError, also where time is over before."""
        self.give_back()
        return await super().open(origin)

    def give_back(self) -> None:
        """Let others have it."""
        if self._lent is not None:
            lent, self._lent = self._lent, None
            self._pool.take_back(*lent)

    def close(self) -> None:
        """Drop the connection; what it was doing is cut off."""
        if self._lent is not None:
            self._lent[1].close()
        self.give_back()

    def _keep(self, origin: Origin, connection: Channel) -> None:
        self._lent = (origin, connection)


class PoolSession(Session):
    """A session that gives its connection back after each operation."""

    __slots__ = ()

    async def perform(self, step: Step, due: int) -> tuple[int, ExchangeError | None]:
        """As every session does."""
        try:
            return await super().perform(step, due)
        finally:
            cast("Borrowed", self._links).give_back()
