"""What was measured of one entry, as a record and as plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from campaign.records import Measurement
from campaign.stats.histogram import Histogram
from campaign.stats.intervals import mean_limits, percentile_limits
from phases.benchmark.settings import SHARES

OPERATION, STATEMENT, COMMAND = "operation", "statement", "cache"
"""The kinds of entries; an entry's checks begin with `<kind>.<name>`."""

MICRO = 1e-6
FINE = 1e-7
"""Seconds that a histogram's unit stands for, where times may be of a few µs."""


@dataclass(slots=True)
class Timed:
    """Times of one entry on one target, in units of `tick` seconds; `asked` are all, `errors` those that
    failed by what was wrong. A failure counts at the time it took, as that is how long somebody waited.

    `in_vain` is how many of the last ones failed on end, where that is known. `unfinished` had no answer when
    the time was over: they are not in `asked`, and their time so far is in the histogram. `trouble` says why
    there are no times.
    """

    histogram: Histogram = field(default_factory=Histogram)
    tick: float = MICRO
    asked: int = 0
    errors: dict[str, int] = field(default_factory=dict)
    in_vain: int = 0
    unfinished: int = 0
    trouble: str = ""

    @property
    def failed(self) -> int:
        """How many of `asked` failed."""
        return sum(self.errors.values())

    def add(self, nanoseconds: int) -> None:
        """Count one that went well."""
        self.asked, self.in_vain = self.asked + 1, 0
        self._keep(nanoseconds)

    def fail(self, detail: str, nanoseconds: int) -> None:
        """Count one that failed after this time."""
        self.asked, self.in_vain = self.asked + 1, self.in_vain + 1
        self.errors[detail] = self.errors.get(detail, 0) + 1
        self._keep(nanoseconds)

    def cut(self, nanoseconds: int) -> None:
        """Count one that we broke off after this time, as all our time was over."""
        self.unfinished += 1
        self._keep(nanoseconds)

    def take(self, other: Timed) -> None:
        """Count all that `other` counted as well."""
        self.histogram.merge(other.histogram)
        self.asked += other.asked
        self.in_vain = other.in_vain
        self.unfinished += other.unfinished
        for detail, count in other.errors.items():
            self.errors[detail] = self.errors.get(detail, 0) + count

    @property
    def longest(self) -> float:
        """The longest time in seconds, 0 without any."""
        return (self.histogram.maximum or 0) * self.tick

    def _keep(self, nanoseconds: int) -> None:
        self.histogram.record(round(nanoseconds / (self.tick * 1e9)))

    def measure(self, metric: str, name: str) -> Measurement:
        """The mean or a percentile with its 95 % interval, in seconds; value None without times."""
        times, share = self.histogram, SHARES[metric]
        value = times.mean if share is None else times.percentile(share)
        low, high = mean_limits(times) if share is None else percentile_limits(times, share)
        in_seconds = (None if each is None else each * self.tick for each in (value, low, high))
        value, low, high = in_seconds
        return Measurement(name, value, "s", times.count, low, high)

    def plain(self) -> dict[str, Any]:
        """JSON data: figures to show, and the histogram to compare with later."""
        told: dict[str, Any] = {
            "count": self.histogram.count,
            "asked": self.asked,
            "errors": self.errors,
            "in_vain": self.in_vain,
            "unfinished": self.unfinished,
            "trouble": self.trouble,
            "tick": self.tick,
            "total": self.histogram.total,
            "times": [list(pair) for pair in self.histogram.pairs()],
        }
        for metric in SHARES:
            measured = self.measure(metric, metric)
            told[metric] = {"value": measured.value, "low": measured.low, "high": measured.high}
        return told


def from_plain(told: Mapping[str, Any]) -> Timed:
    """What `plain` made data of."""
    return Timed(
        Histogram.from_pairs(told["times"], total=told["total"]),
        tick=told["tick"],
        asked=told["asked"],
        errors=dict(told["errors"]),
        in_vain=told.get("in_vain", 0),
        unfinished=told.get("unfinished", 0),
        trouble=told["trouble"],
    )
