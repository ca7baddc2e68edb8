"""Whether one series follows another, and by how many steps.

Series whose neighbours are alike agree by chance far more often than a plain test believes. So the likeness
is taken out of both with an autoregression fitted to each (Haugh 1976), and only what is new in the one is
held against what is new in the other.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from campaign.stats.gaps import Gappy, Numbers, as_numbers

FEWEST = 30
"""Pairs below which nothing is said."""

ORDER = 5
"""Steps back that the autoregression looks."""


@dataclass(frozen=True, slots=True)
class Lagged:
    """`lag` steps after `x` comes `y` (negative: before it), with correlation `r` of what is new in each; `p`
    is two-sided and counts that the best lag was looked for.
    """

    lag: int
    r: float
    p: float


def lagged_correlation(x: Gappy, y: Gappy, *, max_lag: int) -> Lagged | None:
    """The lag within ± `max_lag` steps at which two equally spaced series agree most.

    None where fewer than `FEWEST` pairs are known at any lag, or one of the series does not change.
    """
    first, second = _news(as_numbers(x)), _news(as_numbers(y))
    found = [each for lag in range(-max_lag, max_lag + 1) if (each := _at(first, second, lag))]
    if not found:
        return None
    z, r, lag = max(found, key=lambda each: (each[0], -abs(each[2])))
    single = 2 * float(ndtr(-z))
    return Lagged(lag, r, -math.expm1(len(found) * math.log1p(-min(single, 1 - 1e-16))))


def _at(first: Numbers, second: Numbers, lag: int) -> tuple[float, float, int] | None:
    count = min(len(first), len(second)) - abs(lag)
    if count < FEWEST:
        return None
    early = first[max(0, -lag) :][:count]
    late = second[max(0, lag) :][:count]
    known = ~(np.isnan(early) | np.isnan(late))
    early, late = early[known], late[known]
    if len(early) < FEWEST or np.ptp(early) == 0 or np.ptp(late) == 0:
        return None
    r = float(np.clip(np.corrcoef(early, late)[0, 1], -1 + 1e-12, 1 - 1e-12))
    return abs(math.atanh(r)) * math.sqrt(len(early) - 3), r, lag


def _news(numbers: Numbers) -> Numbers:
    """What each value adds to what the ones before it foretell; a gap where one of them is a gap."""
    if len(numbers) < FEWEST:
        return np.full(len(numbers), np.nan)
    back = np.column_stack([numbers[ORDER - step : len(numbers) - step] for step in range(ORDER + 1)])
    known = ~np.isnan(back).any(axis=1)
    news = np.full(len(numbers), np.nan)
    if known.sum() < FEWEST:
        return news
    rows = back[known]
    before = np.column_stack([rows[:, 1:], np.ones(len(rows))])
    weights, *_ = np.linalg.lstsq(before, rows[:, 0], rcond=None)
    news[ORDER:][known] = rows[:, 0] - before @ weights
    return news
