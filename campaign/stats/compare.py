"""Whether one set of times is longer than another: by how much at least and at most, and whether by luck.

Two questions are asked, and both must be answered yes before anything is called slower. How large is the
ratio of the two figures, with a 95 % interval (a bootstrap, Efron and Tibshirani 1993)? And are single times
of the one longer than those of the other more often than luck would have it (the rank test of Mann and
Whitney 1947, corrected for ties), which a few very slow answers cannot decide? numpy and scipy are only
imported where they are used.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from campaign.stats.histogram import Histogram

RESAMPLES = 1000
"""Times that the samples are drawn anew; the ends of the interval move by a few hundredths of its width."""

ALPHA = 0.01
"""How often the rank test may see a difference that is none; every entry of a benchmark is tested."""

FEWEST = 10
"""Samples on each side below which nothing is compared."""


class Difference(StrEnum):
    """What two sets of times come to, with a threshold."""

    SLOWER = "slower"
    WITHIN = "slower, within the threshold"
    NONE = "no difference shown"
    FASTER = "faster"
    UNCLEAR = "not told apart"


@dataclass(frozen=True, slots=True)
class Comparison:
    """The figure of one set over that of another, with its 95 % interval.

    `longer` and `shorter` are the one-sided p-values of the rank test. `superiority` is how often a time of
    the first is longer than one of the second, ties half: 0.5 where they are alike (Vargha, Delaney 2000).
    `counts` are the samples on each side.
    """

    ratio: float
    low: float
    high: float
    longer: float
    shorter: float
    superiority: float
    counts: tuple[int, int]

    def difference(self, threshold: float) -> Difference:
        """What it comes to where up to `threshold` (a share) more is borne.

        Slower: the interval lies above 1 + threshold as a whole, and ranks agree. Not told apart: it may be
        that much slower, as the interval does not exclude it; else no comparison that is too small to find
        anything would ever find anything.
        """
        most, is_longer = 1 + threshold, self.longer < ALPHA
        if self.high > most:
            return Difference.SLOWER if self.low > most and is_longer else Difference.UNCLEAR
        if self.low > 1 and is_longer:
            return Difference.WITHIN
        return Difference.FASTER if self.high < 1 and self.shorter < ALPHA else Difference.NONE

    def enough(self, threshold: float) -> int | None:
        """About how many samples on each side would settle what is not told apart, two digits of it: an
        interval narrows with the root of their number. None where samples do not (the ratio lies at the
        threshold, or it is the ranks that disagree).
        """
        most = 1 + threshold
        if not self.low <= most < self.high or not self.low:
            return None
        off, end = abs(math.log(self.ratio / most)), self.high if self.ratio < most else self.low
        if not off:
            return None
        wanted = max(self.counts) * (math.log(end / self.ratio) / off) ** 2
        step: int = 10 ** max(0, math.floor(math.log10(wanted)) - 1)
        return math.ceil(wanted / step) * step


def compare(
    first: Histogram, second: Histogram, *, share: float | None = None, seed: int = 0
) -> Comparison | None:
    """The mean of `first` over that of `second`, or their percentile `share` (0..1).

    None where one of them has fewer than `FEWEST` values. The same seed gives the same interval.
    """
    import numpy as np  # noqa: PLC0415 - see the module's docstring

    counts = (first.count, second.count)
    if min(counts) < FEWEST:
        return None
    random = np.random.default_rng(seed)
    over, under = (_figures(each, share, random=random) for each in (first, second))
    low, high = np.quantile(over[1] / under[1], (0.025, 0.975))
    longer, shorter, superiority = rank_test(first, second)
    return Comparison(over[0] / under[0], float(low), float(high), longer, shorter, superiority, counts)


def _figures(histogram: Histogram, share: float | None, *, random: Any) -> tuple[float, Any]:
    """The figure, and what it is in each of the samples that are drawn anew."""
    import numpy as np  # noqa: PLC0415

    values, counts = np.array(histogram.pairs(), dtype=np.int64).T
    drawn = random.multinomial(histogram.count, counts / histogram.count, size=RESAMPLES)
    return float(_figure(values, counts[None], share)[0]), _figure(values, drawn, share)


def _figure(values: Any, counts: Any, share: float | None) -> Any:
    """The mean or the percentile of each row of counts."""
    total = counts.sum(axis=1)
    if share is None:
        return counts @ values / total
    ranks = (share * total).round().clip(1, total)
    return values[(counts.cumsum(axis=1) < ranks[:, None]).sum(axis=1)]


def rank_test(first: Histogram, second: Histogram) -> tuple[float, float, float]:
    """One-sided p-values that `first` is longer and that it is shorter, and how often it is longer.

    The normal approximation, corrected for ties and for continuity; both sides have values.
    """
    from scipy.special import ndtr  # noqa: PLC0415 - see the module's docstring

    mine, theirs = dict(first.pairs()), dict(second.pairs())
    larger, below, tied = 0.0, 0, 0
    for value in sorted({*mine, *theirs}):
        a, b = mine.get(value, 0), theirs.get(value, 0)
        larger += a * (below + b / 2)
        below += b
        tied += (a + b) ** 3 - (a + b)
    n, m = first.count, second.count
    both = n + m
    variance = n * m / 12 * (both + 1 - tied / (both * (both - 1)))
    superiority = larger / (n * m)
    if variance <= 0:  # all values are one and the same
        return 1.0, 1.0, superiority
    off, deviation = larger - n * m / 2, math.sqrt(variance)
    return float(ndtr((0.5 - off) / deviation)), float(ndtr((0.5 + off) / deviation)), superiority
