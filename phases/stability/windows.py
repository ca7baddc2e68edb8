"""What is kept of each window of a soak: the least value of what is watched, and how users were served."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from statistics import median

from campaign.load.outcome import Second
from campaign.monitor.source import Reading
from campaign.records import Evidence

LOW = "low."
"""Begins the name of a series of window minima: garbage that is collected in time is no growth."""

REQUESTS = "soak.requests"
"""The series of the requests that were answered so far."""

FAILURES = "soak.failures"
"""The same of those that failed."""

Points = Mapping[str, tuple[float | None, str]]


def counted_until(earlier: Evidence | None, name: str) -> int:
    """The requests (`REQUESTS`, `FAILURES`) by the last window of a soak that was broken off."""
    series = earlier.series if earlier else ()
    counted = next((each.values for each in series if each.name == name), ())
    return round(max((each for each in counted if each is not None), default=0))


@dataclass(slots=True)
class _Window:
    """One window, from `began` seconds after the campaign began."""

    began: float
    least: dict[str, float] = field(default_factory=dict)
    units: dict[str, str] = field(default_factory=dict)
    p50: list[float] = field(default_factory=list)
    p95: list[float] = field(default_factory=list)
    asked: int = 0
    failed: int = 0
    seconds: float = 0.0

    def points(self, requests: int, failures: int) -> Points:
        points: dict[str, tuple[float | None, str]] = {
            LOW + name: (self.least.get(name), unit) for name, unit in self.units.items()
        }
        rate = (self.asked - self.failed) / self.seconds if self.seconds else None
        return {
            **points,
            "soak.p50": (median(self.p50) if self.p50 else None, "s"),
            "soak.p95": (median(self.p95) if self.p95 else None, "s"),
            "soak.rate": (rate, "1/s"),
            "soak.error_rate": (self.failed / self.asked if self.asked else None, "share"),
            REQUESTS: (float(requests), "requests"),
            FAILURES: (float(failures), "requests"),
        }


class Windows:
    """Takes in readings and seconds as they come, and gives `keep` the points of each window at its end.

    `watched` names the series whose minima are kept; `requests` were answered and
    `failures` failed before the first window. Where nothing at all came for a whole window, the series have
    a point without a value.
    """

    def __init__(
        self,
        seconds: float,
        watched: frozenset[str],
        keep: Callable[[float, Points], None],
        *,
        requests: int = 0,
        failures: int = 0,
    ) -> None:
        self._seconds, self._watched, self._keep = seconds, watched, keep
        self._now: _Window | None = None
        self._requests, self._failures = requests, failures
        self._units: dict[str, str] = {}
        self._ended = math.inf

    def hear(self, at: float, reading: Reading) -> None:
        """A reading of the monitor, `at` so many seconds after the campaign began."""
        window = self._at(at)
        for name in self._watched & reading.keys():
            value, unit = reading[name]
            window.units[name] = unit
            if value is not None:
                window.least[name] = min(value, window.least.get(name, value))

    def see(self, at: float, second: Second) -> None:
        """A second of the load that ended at that time."""
        window = self._at(at)
        asked = sum(each.asked for each in second.tallies.values())
        failed = sum(each.failed for each in second.tallies.values())
        self._requests += asked - failed
        self._failures += failed
        window.asked += asked
        window.failed += failed
        window.seconds += second.seconds
        if second.p50 is not None and second.p95 is not None:
            window.p50.append(second.p50)
            window.p95.append(second.p95)

    def end(self) -> None:
        """Keep what the last window has, which may be short."""
        if self._now is not None:
            self._close(self._now)

    def _at(self, at: float) -> _Window:
        if self._now is None or at >= self._now.began + self._seconds:
            self.end()
            if at > self._ended + self._seconds:
                self._keep(round(self._ended, 3), {name: (None, unit) for name, unit in self._units.items()})
            self._now = _Window(at)
        return self._now

    def _close(self, window: _Window) -> None:
        points = window.points(self._requests, self._failures)
        self._units |= {name: unit for name, (_, unit) in points.items()}
        self._keep(round(window.began, 3), points)
        self._now, self._ended = None, window.began + self._seconds
