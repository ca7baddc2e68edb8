"""A clock whose sleepers share one timer of the loop.

A timer of its own, with the coroutines around it, costs a resting user 1 KB; here a sleeper is a future in a
heap. Whenever the timer rings, all that are due by then wake, so nobody is later than the millisecond that is
the step of the loop's timers.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from heapq import heappop, heappush
from itertools import count

from campaign.clock import Clock

STEP = 1_000_000
"""Nanoseconds; uvloop rounds to it, and anything shorter down to no sleep at all, which would spin."""


class Alarms:
    """`clock`, with sleeps for many thousands at once."""

    def __init__(self, clock: Clock, *, loop: asyncio.AbstractEventLoop) -> None:
        self.now_ns = clock.now_ns
        self.wall = clock.wall
        self._loop = loop
        self._sleepers: list[tuple[int, int, asyncio.Future[None]]] = []  # a heap by due moment
        self._number = count()  # who is due at the same moment wakes in the order of going to sleep
        self._timer: asyncio.TimerHandle | None = None

    def sleep_until(self, due_ns: int) -> Awaitable[None]:
        """Return at `due_ns` or up to about a millisecond after it, never before."""
        future = self._loop.create_future()
        now_ns = self.now_ns()
        if due_ns <= now_ns:
            future.set_result(None)
            return future
        heappush(self._sleepers, (due_ns, next(self._number), future))
        if self._sleepers[0][2] is future:
            self._set(now_ns)
        return future

    def _set(self, now_ns: int) -> None:
        """Ring at the first millisecond, counted from now, by which the next sleeper is due."""
        if self._timer is not None:
            self._timer.cancel()
        steps = -(-(self._sleepers[0][0] - now_ns) // STEP)
        self._timer = self._loop.call_later(steps * STEP / 1e9, self._ring)

    def _ring(self) -> None:
        self._timer = None
        now_ns = self.now_ns()
        while self._sleepers and self._sleepers[0][0] <= now_ns:
            future = heappop(self._sleepers)[2]
            if not future.done():
                future.set_result(None)
        if self._sleepers:
            self._set(now_ns)
