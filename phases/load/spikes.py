"""Whether errors came together in time, or were spread evenly over the requests: a scan statistic.

If errors are spread evenly, then each of the K failures may be any of the N requests that were asked. The
window that stands out most is the one with the largest likelihood ratio of the Bernoulli model (Kulldorff, A
spatial scan statistic, 1997, in one dimension): windows of 1, 2, 4, 8 ... bins are looked at, and the best
is widened and narrowed while that makes it better. Its chance is the binomial tail P(X >= k) for K failures
that each fall in it with n / N, a little more than the exact (hypergeometric) one, times the number of all
windows there are (Bonferroni); it is held against 0.1 %. Failures that cause one another are no chance: that
is what a spike is.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate

MOST_BINS = 1024
"""Bins of time that are kept; when there are more, two neighbours become one, so memory is constant."""

CHANCE = 0.001
"""The probability, over all windows together, that errors which are spread evenly are called a spike."""

FEWEST = 5
"""Failures below which nothing is called a spike."""

CONTRAST = 3.0
"""How many times the error rate outside it a spike has at least; less is seen in many requests, and is no
spike to anybody.
"""


@dataclass(frozen=True, slots=True)
class Spike:
    """A window in which errors came together: seconds from..to since the scenario began, its failures among
    those asked, and the probability of it by chance.
    """

    began: float
    ended: float
    failed: int
    asked: int
    chance: float

    @property
    def error_rate(self) -> float:
        """The share of the window's requests that failed."""
        return self.failed / self.asked


class ErrorCounts:
    """Asked and failed requests over time, in at most MOST_BINS bins of equal length."""

    def __init__(self, most: int = MOST_BINS) -> None:
        self.asked = 0
        self.failed = 0
        self._most = most
        self._width = 1
        self._began: int | None = None
        self._bins: list[tuple[int, int]] = []

    def add(self, second: int, *, asked: int, failed: int) -> None:
        """Take in one second; they come in order, and one that is left out had no requests."""
        self.asked += asked
        self.failed += failed
        if self._began is None:
            self._began = second
        while (place := (second - self._began) // self._width) >= self._most:
            self._merge_neighbours()
        self._bins += [(0, 0)] * (place + 1 - len(self._bins))
        had_asked, had_failed = self._bins[place]
        self._bins[place] = had_asked + asked, had_failed + failed

    def _merge_neighbours(self) -> None:
        self._width *= 2
        pairs = [*self._bins, (0, 0)]
        self._bins = [
            (one[0] + other[0], one[1] + other[1])
            for one, other in zip(pairs[:-1:2], pairs[1::2], strict=False)
        ]

    def spike(self) -> Spike | None:
        """The window that stands out most, if it is a spike; None where errors are spread evenly."""
        if self.failed < FEWEST or self.failed == self.asked:
            return None
        scan = Scan(self._bins)
        first, last = scan.best()
        asked, failed = scan.inside(first, last)
        chance = min(1.0, scan.chance(first, last) * len(self._bins) * (len(self._bins) + 1) / 2)
        began = (self._began or 0) + first * self._width
        spike = Spike(float(began), float(began + (last - first) * self._width), failed, asked, chance)
        return spike if chance < CHANCE and self._stands_out(spike) else None

    def _stands_out(self, spike: Spike) -> bool:
        asked, failed = self.asked - spike.asked, self.failed - spike.failed
        return spike.error_rate * asked >= CONTRAST * failed


class Scan:
    """The windows of some bins; one is named by its first bin and the one after its last."""

    def __init__(self, bins: list[tuple[int, int]]) -> None:
        self._asked = [0, *accumulate(asked for asked, _ in bins)]
        self._failed = [0, *accumulate(failed for _, failed in bins)]
        self._count = len(bins)

    def inside(self, first: int, last: int) -> tuple[int, int]:
        """Asked and failed in a window."""
        return self._asked[last] - self._asked[first], self._failed[last] - self._failed[first]

    def best(self) -> tuple[int, int]:
        """The window with the largest likelihood ratio that the search finds."""
        best = max(self._windows(), key=lambda window: self._ratio(*window))
        while (better := max(self._neighbours(*best), key=lambda each: self._ratio(*each))) != best:
            if self._ratio(*better) <= self._ratio(*best):
                break
            best = better
        return best

    def chance(self, first: int, last: int) -> float:
        """How likely this window alone has as many failures or more, if they are spread evenly."""
        from scipy.special import bdtrc  # noqa: PLC0415 - heavy, and only wanted where there are errors

        asked, failed = self.inside(first, last)
        return float(bdtrc(failed - 1, self._failed[-1], asked / self._asked[-1])) if failed else 1.0

    def _windows(self) -> Iterator[tuple[int, int]]:
        length = 1
        while length <= self._count:
            yield from ((first, first + length) for first in range(self._count - length + 1))
            length *= 2

    def _neighbours(self, first: int, last: int) -> list[tuple[int, int]]:
        moved = ((first - 1, last), (first + 1, last), (first, last - 1), (first, last + 1))
        return [each for each in moved if 0 <= each[0] < each[1] <= self._count] or [(first, last)]

    def _ratio(self, first: int, last: int) -> float:
        """The logarithm of the likelihood ratio; 0 where the error rate inside is not above that outside."""
        asked, failed = self.inside(first, last)
        others, others_failed = self._asked[-1] - asked, self._failed[-1] - failed
        if failed * others <= others_failed * asked:
            return 0.0
        alike = _likelihood(self._failed[-1], self._asked[-1])
        return _likelihood(failed, asked) + _likelihood(others_failed, others) - alike


def _likelihood(failed: int, asked: int) -> float:
    """The largest log-likelihood of so many failures."""
    if not 0 < failed < asked:
        return 0.0
    rate = failed / asked
    return failed * math.log(rate) + (asked - failed) * math.log1p(-rate)
