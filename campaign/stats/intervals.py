"""How far a measured number may be from the true one, whatever the distribution of latencies.

Limits come as (low, high); None means that the sample is too small to give one on that side. scipy is only
imported where it is used, as load workers must stay small.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TypeAlias

from campaign.stats.histogram import Histogram

Limits: TypeAlias = tuple[float | None, float | None]


def percentile_limits(histogram: Histogram, share: float, *, confidence: float = 0.95) -> Limits:
    """Limits in µs of the percentile `share` (0..1), two-sided, from order statistics.

    How many of n values lie at or below the true percentile is binomial, whatever the distribution; so the
    ranks between which it lies follow from the binomial alone (Hahn and Meeker, Statistical Intervals, 5.2).
    """
    low, high = percentile_ranks(histogram.count, share, confidence=confidence)
    low_ends = histogram.ends_at(low) if low else None
    high_ends = histogram.ends_at(high) if high else None
    return low_ends and low_ends[0], high_ends and high_ends[1]


def percentile_ranks(count: int, share: float, *, confidence: float = 0.95) -> tuple[int | None, int | None]:
    """The ranks (1 to `count`) of the values that bound the percentile `share`; None where no value does."""
    from scipy.special import bdtr  # noqa: PLC0415 - see the module's docstring

    tail = (1 - confidence) / 2

    def below(successes: int) -> float:
        return float(bdtr(successes, count, share))

    # P(value of rank r > percentile) = P(fewer than r values at or below it).
    low = _first(lambda rank: below(rank - 1) > tail, count) - 1
    high = _first(lambda rank: below(rank - 1) >= 1 - tail, count)
    return low or None, high if high <= count else None


def mean_limits(histogram: Histogram, *, confidence: float = 0.95) -> Limits:
    """Limits in µs of the mean by the central limit theorem (Student's t); None below two values."""
    from scipy.special import stdtrit  # noqa: PLC0415 - see the module's docstring

    mean, variance = histogram.mean, histogram.variance()
    if mean is None or variance is None:
        return None, None
    quantile = float(stdtrit(histogram.count - 1, (1 + confidence) / 2))
    margin = quantile * math.sqrt(variance / histogram.count)
    return max(0.0, mean - margin), mean + margin


def clopper_pearson(failures: int, count: int, *, confidence: float = 0.95) -> tuple[float, float]:
    """Exact two-sided limits of a share of which `failures` of `count` were seen; (0, 1) for none seen."""
    side = (1 + confidence) / 2
    return share_at_least(failures, count, confidence=side), share_at_most(failures, count, confidence=side)


def share_at_most(failures: int, count: int, *, confidence: float = 0.95) -> float:
    """The one-sided upper limit: with `confidence` the true share is at most this (Clopper, Pearson 1934)."""
    from scipy.special import betaincinv  # noqa: PLC0415 - see the module's docstring

    return 1.0 if failures >= count else float(betaincinv(failures + 1, count - failures, confidence))


def share_at_least(failures: int, count: int, *, confidence: float = 0.95) -> float:
    """The one-sided lower limit: the true share is at least this, with `confidence`."""
    from scipy.special import betaincinv  # noqa: PLC0415 - see the module's docstring

    return 0.0 if failures <= 0 else float(betaincinv(failures, count - failures + 1, 1 - confidence))


def _first(holds: Callable[[int], bool], last: int) -> int:
    """The smallest of 1 .. last that `holds` (false below it, true from it on), or last + 1."""
    low, high = 1, last + 1
    while low < high:
        middle = (low + high) // 2
        if holds(middle):
            high = middle
        else:
            low = middle + 1
    return low
