"""Cuts what runs longer than it may, with one timer per duration instead of one per request.

All that may run equally long expires in the order in which it began, so a dictionary in order of insertion is
the queue: its first entry is the next to expire.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol

from campaign.clock import SECOND, SHORTEST_SLEEP


class Expiring(Protocol):
    """Something that can be told that its time is over."""

    def expire(self) -> None:
        """End at once; called from the loop, at most once per start."""


class Timeout:
    """The queue of one duration."""

    __slots__ = ("_armed", "_dues", "_duration_ns", "_loop", "_now_ns", "seconds")

    def __init__(self, seconds: float, *, loop: asyncio.AbstractEventLoop, now_ns: Callable[[], int]) -> None:
        self.seconds = seconds
        self._duration_ns = round(seconds * SECOND)
        self._dues: dict[Expiring, int] = {}
        self._armed = False
        self._loop = loop
        self._now_ns = now_ns

    def start(self, expiring: Expiring, now_ns: int) -> None:
        """Let `expiring` run from `now_ns` on."""
        self._dues[expiring] = now_ns + self._duration_ns
        if not self._armed:
            self._arm(self.seconds)

    def stop(self, expiring: Expiring) -> None:
        """Forget `expiring`, which ended (in time or not)."""
        self._dues.pop(expiring, None)

    def _arm(self, seconds: float) -> None:
        self._armed = True
        self._loop.call_later(max(seconds, SHORTEST_SLEEP), self._fire)

    def _fire(self) -> None:
        self._armed = False
        now_ns = self._now_ns()
        expired = []
        for expiring, due in self._dues.items():
            if due > now_ns:
                self._arm((due - now_ns) / SECOND)
                break
            expired.append(expiring)
        for expiring in expired:
            del self._dues[expiring]
            expiring.expire()


class Timeouts:
    """The queues of all durations in use."""

    def __init__(self, *, loop: asyncio.AbstractEventLoop, now_ns: Callable[[], int]) -> None:
        self._loop = loop
        self._now_ns = now_ns
        self._queues: dict[float, Timeout] = {}

    def of(self, seconds: float) -> Timeout:
        """The queue for `seconds`, the same one each time."""
        queue = self._queues.get(seconds)
        if queue is None:
            queue = self._queues[seconds] = Timeout(seconds, loop=self._loop, now_ns=self._now_ns)
        return queue
