"""Time as a thing that is handed in: now in integer nanoseconds, and sleeping until a due moment.

Code never asks `time.time()` in the middle, so the same engine runs under a virtual clock in tests.
uvloop's timers have steps of 1 ms and may fire early (its `sleep(0.5 ms)` returns after 5 µs), so a due
moment is kept by looking at the clock again, not by trusting one sleep.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable
from typing import Protocol

SECOND = 1_000_000_000
"""One second in nanoseconds."""

FOREVER = 2**63
"""Clock nanoseconds that no run reaches."""

SHORTEST_SLEEP = 0.001
"""Seconds; uvloop rounds anything shorter down to no sleep at all, which would spin."""


class Clock(Protocol):
    """A monotonic clock in integer nanoseconds and a wall clock in seconds since 1970."""

    def now_ns(self) -> int:
        """Monotonic nanoseconds; only differences mean anything."""

    def wall(self) -> float:
        """Seconds since 1970 (UTC), for timestamps that people read."""

    def sleep_until(self, due_ns: int) -> Awaitable[None]:
        """Return at `due_ns` or just after it, never before; at once when it is past."""


class RealClock:
    """The machine's own monotonic clock."""

    now_ns = staticmethod(time.monotonic_ns)  # asked five times a request, so without a call between

    def wall(self) -> float:
        """Seconds since 1970 (UTC)."""
        return time.time()

    async def sleep_until(self, due_ns: int) -> None:
        """Return at `due_ns` or up to about a millisecond after it."""
        while (left := due_ns - time.monotonic_ns()) > 0:  # noqa: ASYNC110 - a timer, no event
            await asyncio.sleep(max(left / SECOND, SHORTEST_SLEEP))
