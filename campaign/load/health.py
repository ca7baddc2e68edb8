"""How well this worker keeps time itself over the hold: the lag of its event loop, its share of a core, the
pauses of its garbage collector, and what its machine takes from it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from campaign.clock import SECOND
from campaign.load.machine import PauseWatch, Vitals, closing_connections, processor_ticks, stolen_share
from campaign.load.timeline import Timeline
from campaign.stats.histogram import Histogram

PROBE_SECONDS = 0.02
"""How often the loop is asked how late it is."""


class LoopProbe:
    """Asks the loop to call back after a while and notes how much later than that it did."""

    def __init__(self, *, loop: asyncio.AbstractEventLoop, now_ns: Callable[[], int]) -> None:
        self.lags = Histogram()
        self._loop = loop
        self._now_ns = now_ns
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Begin to measure."""
        self._set()

    def stop(self) -> None:
        """Measure no further."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _set(self) -> None:
        self._due = self._now_ns() + round(PROBE_SECONDS * SECOND)
        self._timer = self._loop.call_later(PROBE_SECONDS, self._called)

    def _called(self) -> None:
        self.lags.record((self._now_ns() - self._due) // 1000)
        self._set()


class Health:
    """The probes of one worker, running during the hold only."""

    def __init__(
        self, timeline: Timeline, *, loop: asyncio.AbstractEventLoop, now_ns: Callable[[], int]
    ) -> None:
        self._probe = LoopProbe(loop=loop, now_ns=now_ns)
        self._pauses = PauseWatch()
        self._now_ns = now_ns
        self._began_ns = self._ended_ns = 0
        self._cpu = self._stolen = 0.0
        until_hold = (timeline.hold_begins - now_ns()) / SECOND
        until_end = (timeline.hold_ends - now_ns()) / SECOND
        self._timers = [loop.call_later(until_hold, self.begin), loop.call_later(until_end, self.end)]

    def take_lags(self) -> Histogram:
        """How late the loop was, in µs, each time it was asked since the last call."""
        taken, self._probe.lags = self._probe.lags, Histogram()
        return taken

    def take_vitals(self) -> Vitals:
        """How this process fared since the last call."""
        if self._running:
            self._stolen = stolen_share(self._ticks_began, processor_ticks())
        longest, paused = self._pauses.take()
        return Vitals(longest, paused, closing_connections(), self._stolen)

    def begin(self) -> None:
        """The hold begins."""
        self._began_ns = self._now_ns()
        self._cpu_began = time.process_time()
        self._ticks_began = processor_ticks()
        self._probe.start()
        self._pauses.start()

    def end(self) -> None:
        """The hold, or the whole scenario, ends; ending twice is the same as once."""
        for timer in self._timers:
            timer.cancel()
        self._probe.stop()
        self._pauses.stop()
        self.cpu_share()
        self._ended_ns = self._ended_ns or self._now_ns()

    def cpu_share(self) -> float:
        """This process's share of one core since the hold began, up to its end; 0 before it."""
        if self._running:
            elapsed = (self._now_ns() - self._began_ns) / SECOND
            self._cpu = (time.process_time() - self._cpu_began) / elapsed if elapsed > 0 else 0.0
        return self._cpu

    @property
    def _running(self) -> bool:
        return bool(self._began_ns and not self._ended_ns)
