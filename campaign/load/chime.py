"""Wakes at a moment more exactly than the loop's timers, whose steps of 1 ms are most of an arrival's gap at
1,000/s.

Linux has timers that are files (timerfd_create(2)): the loop waits for one as for a socket, and is woken
within some 50 µs. Python has them from 3.13 on, so they are called in the C library. Elsewhere the clock has
to do.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
from contextlib import suppress
from typing import Protocol

from campaign.clock import SECOND, Clock, RealClock

_MONOTONIC, _ABSOLUTE = 1, 1
_NONBLOCK = os.O_NONBLOCK | getattr(os, "O_CLOEXEC", 0)


class Chime(Protocol):
    """Something that rings at a moment."""

    async def sleep_until(self, due_ns: int) -> None:
        """Return at `due_ns` or just after it, never before."""

    def close(self) -> None:
        """Ring no more."""


class LoopChime:
    """Rings as the clock can: within about a millisecond."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    async def sleep_until(self, due_ns: int) -> None:
        """Return at `due_ns` or just after it, never before."""
        await self._clock.sleep_until(due_ns)

    def close(self) -> None:
        """Nothing is open."""


class TimerChime:
    """Rings by a timer of the kernel, for one sleeper at a time. Raises OSError where there is none."""

    def __init__(self, *, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._library = ctypes.CDLL(None, use_errno=True)
        self._file = int(self._library.timerfd_create(_MONOTONIC, _NONBLOCK))
        if self._file < 0:
            raise OSError(ctypes.get_errno(), "no timer")
        self._sleeper: asyncio.Future[None] | None = None
        loop.add_reader(self._file, self._ring)

    async def sleep_until(self, due_ns: int) -> None:
        """Return at `due_ns` of the machine's monotonic clock or just after it, never before."""
        seconds, rest = divmod(max(due_ns, 1), SECOND)
        when = (ctypes.c_long * 4)(0, 0, seconds, rest)  # no interval, then the moment
        self._sleeper = self._loop.create_future()
        self._library.timerfd_settime(self._file, _ABSOLUTE, when, None)
        await self._sleeper

    def close(self) -> None:
        """Give the timer back."""
        self._loop.remove_reader(self._file)
        os.close(self._file)

    def _ring(self) -> None:
        with suppress(BlockingIOError):
            os.read(self._file, 8)
        if self._sleeper is not None and not self._sleeper.done():
            self._sleeper.set_result(None)


class Exactly:
    """`with Exactly(clock) as chime`: the best that rings in the time of `clock`."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def __enter__(self) -> Chime:
        self._chime = self._best()
        return self._chime

    def __exit__(self, *_: object) -> None:
        self._chime.close()

    def _best(self) -> Chime:
        if isinstance(self._clock, RealClock):
            with suppress(OSError, AttributeError):  # no such call, or no file left for it
                return TimerChime(loop=asyncio.get_running_loop())
        return LoopChime(self._clock)
