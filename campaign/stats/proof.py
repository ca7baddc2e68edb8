"""Whether a share of errors is shown to be under a target: proven, refuted or undecided.

The limits are exact and one-sided (Clopper and Pearson 1934). Observations that come in clusters, such as
texts made from one template, tell less than as many independent ones: their number is divided by the design
effect (Kish 1965), and the limits are those of the effective sample (Korn and Graubard 1998). scipy is only
imported where it is used.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from statistics import NormalDist

from campaign.stats.intervals import share_at_least, share_at_most

MOST_ITEMS = 2**40
"""Beyond which nobody plans."""


class Verdict(StrEnum):
    """What observations say of a share that must not be above a target."""

    PROVEN = "proven"
    REFUTED = "refuted"
    UNDECIDED = "undecided"


@dataclass(frozen=True, slots=True)
class ErrorShare:
    """How many of `count` observations were errors, and the exact one-sided 95 % limits of the true share.

    `doubtful` of them (not in `errors`) may have been errors: the upper limit counts them, the lower does
    not. `design` is the effect of clusters, 1 for independent observations.
    """

    errors: int
    count: int
    low: float
    high: float
    doubtful: int = 0
    design: float = 1.0

    @property
    def value(self) -> float | None:
        """The share that was seen; None for no observations."""
        return self.errors / self.count if self.count else None

    @property
    def effective(self) -> float:
        """How many independent observations tell as much."""
        return self.count / self.design

    def verdict(self, target: float) -> Verdict:
        """Proven: at most `target`, with 95 % confidence. Refuted: above it. Else too few observations."""
        if self.high <= target:
            return Verdict.PROVEN
        return Verdict.REFUTED if self.low > target else Verdict.UNDECIDED


def error_share(errors: int, count: int, *, doubtful: int = 0, design: float = 1.0) -> ErrorShare:
    """The share with its limits; (0, 1) where nothing was observed."""
    effective = count / design
    low = share_at_least(errors / design, effective)
    high = share_at_most((errors + doubtful) / design, effective)
    return ErrorShare(errors, count, low, high, doubtful, design)


def fewest_items(target: float, *, errors: int = 0, confidence: float = 0.95) -> int:
    """How many independent observations it takes at least to prove a share of at most `target` (0..1, both
    excluded), if `errors` of them are errors: 2,995 for 0.1 % and none.
    """
    low, high = errors, errors + 1
    while share_at_most(errors, high, confidence=confidence) > target:
        low, high = high, high * 2
        if high > MOST_ITEMS:
            raise ValueError(f"a share of {target} cannot be shown")
    while high - low > 1:
        middle = (low + high) // 2
        if share_at_most(errors, middle, confidence=confidence) > target:
            low = middle
        else:
            high = middle
    return high


def design_effect(clusters: Iterable[tuple[int, int]]) -> float:
    """By how much errors that come in clusters inflate the variance of their share, at least 1.

    `clusters` are (errors, observations) of each. The variance is that of a ratio between clusters
    (Cochran 1977, 6.3). With fewer than two errors, or in a single cluster, nothing is known of it: 1.
    """
    seen = [(errors, count) for errors, count in clusters if count]
    total, wrong = sum(count for _, count in seen), sum(errors for errors, _ in seen)
    if len(seen) < 2 or not 1 < wrong < total:
        return 1.0
    share = wrong / total
    between = sum((errors - share * count) ** 2 for errors, count in seen) * len(seen) / (len(seen) - 1)
    return max(1.0, between / (total * share * (1 - share)))


def design_effect_of(correlation: float, size: float) -> float:
    """The same for clusters of `size` whose members are correlated by so much: 10.5 for 0.5 and 20."""
    return 1 + (size - 1) * correlation


def mcnemar(worse: int, better: int) -> float:
    """The exact one-sided p-value that pairs get worse no more often than better (McNemar 1947): of the pairs
    that changed, half would get worse by luck.
    """
    from scipy.special import bdtrc  # noqa: PLC0415 - see the module's docstring

    return 1.0 if not worse else float(bdtrc(worse - 1, worse + better, 0.5))


def wilson(errors: int, count: int, *, confidence: float = 0.95) -> tuple[float, float]:
    """Two-sided limits of a share that are good to look at (Wilson 1927); (0, 1) where nothing was observed.

    Gates use the exact ones.
    """
    if not count:
        return 0.0, 1.0
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    share, spread = errors / count, z * z / count
    middle = (share + spread / 2) / (1 + spread)
    width = z / (1 + spread) * math.sqrt((share * (1 - share) + spread / 4) / count)
    return max(0.0, middle - width), min(1.0, middle + width)
