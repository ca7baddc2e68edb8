"""Whether a figure was beyond its limit for some seconds on end, from one value per second.

A value is that of one second's own samples. The figure over n seconds on end is the level that was held for
that long: of every stretch of n seconds the best second counts, and of all stretches the worst. It is beyond
a limit exactly when every second of some stretch was.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

from campaign.records import Limit
from phases.load.metrics import Metric, times_of, value_of
from phases.load.samples import Samples

MICROSECONDS = 1_000_000

MOST_SILENT = 2
"""Seconds on end without a sample that a stretch beyond the limit may hold; more of them prove nothing."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """Seconds on end that were beyond the limit: from the beginning of the first to the end of the last,
    counted from when the scenario began, and the worst value among them.
    """

    began: int
    ended: int
    worst: float


@dataclass(frozen=True, slots=True)
class _Part:
    """Seconds `first` to `last` that one value stands for."""

    first: int
    last: int
    value: float


class Sustained:
    """The figure over `seconds` on end, and the longest stretch beyond `limit.acceptable`.

    Memory is at most one value for each of `seconds`.
    """

    def __init__(self, seconds: int, limit: Limit) -> None:
        self.value: float | None = None
        self.longest: Stretch | None = None
        self._seconds = seconds
        self._limit = limit
        self._parts: deque[_Part] = deque()
        self._beyond: Stretch | None = None

    @property
    def missed(self) -> bool:
        """Whether the figure was beyond `limit.acceptable` for as long as asked."""
        return self.value is not None and self._is_beyond(self.value)

    def add(self, first: int, last: int, value: float) -> None:
        """Seconds `first` to `last` had this value; they come in order.

        Seconds in between that nobody adds say nothing: up to MOST_SILENT of them neither end a stretch nor
        make one alone; more of them end it, as few samples do not show that it was bad all the time.
        """
        self._parts.append(_Part(first, last, value))
        while len(self._parts) > 1 and last - self._parts[1].first + 1 >= self._seconds:
            self._parts.popleft()
        if last - self._parts[0].first + 1 >= self._seconds:
            self._look()
        self._stretch(first, last, value)

    def _look(self) -> None:
        best = self._best(part.value for part in self._parts)
        if not self._is_beyond(best) or self._is_covered():
            self._hold(best)

    def _is_covered(self) -> bool:
        return all(later.first - part.last <= MOST_SILENT + 1 for part, later in pairwise(self._parts))

    def _hold(self, held: float) -> None:
        self.value = held if self.value is None else self._worse(self.value, held)

    def _stretch(self, first: int, last: int, value: float) -> None:
        if not self._is_beyond(value):
            self._beyond = None
            return
        if self._beyond and first - self._beyond.ended > MOST_SILENT:
            self._beyond = None
        going = self._beyond or Stretch(first, last + 1, value)
        self._beyond = Stretch(going.began, last + 1, self._worse(going.worst, value))
        if self.longest is None or _length(self._beyond) >= _length(self.longest):
            self.longest = self._beyond

    def _is_beyond(self, value: float) -> bool:
        return self._limit.goodness(value) < self._limit.goodness(self._limit.acceptable)

    def _best(self, values: Iterable[float]) -> float:
        return max(values, key=self._limit.goodness)

    def _worse(self, one: float, other: float) -> float:
        return min(one, other, key=self._limit.goodness)


def _length(stretch: Stretch) -> int:
    return stretch.ended - stretch.began


class Trace:
    """Feeds one metric of one subject into a `Sustained`, second by second."""

    def __init__(self, metric: Metric, sustained: Sustained, *, begins: int) -> None:
        self.sustained = sustained
        self._metric = metric
        self._next = begins

    def see(self, at: int, samples: Samples) -> None:
        """Take in second `at`.

        Answers that came in it were waited for before: seconds without a sample of their own, as far back as
        its longest response time, count as this one. So a freeze is as long as it was.
        """
        value = value_of(samples, self._metric)
        if value is None:
            return
        longest = times_of(samples, self._metric) if self._metric.times else samples.tally.response
        waited = (longest.maximum or 0) // MICROSECONDS
        first = at if self._metric.name == "rate" else max(self._next, at - waited)
        self.sustained.add(min(first, at), at, value)
        self._next = at + 1
