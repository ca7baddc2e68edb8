"""Whether a series goes up or down, and how steeply: ranks and medians, so that outliers decide nothing."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr
from scipy.stats import kendalltau

from campaign.stats.gaps import Gappy, Numbers, as_numbers, without_gaps

FEWEST = 4
"""Values below which no trend is looked for."""

RESAMPLES = 500
POINTS = 120
"""Medians of neighbours to which a longer series is folded, as slopes are taken between all pairs."""

MOST_ALIKE = 0.99
"""The autocorrelation that is taken out at most: beyond it the series is a walk without a trend."""


@dataclass(frozen=True, slots=True)
class Trend:
    """Kendall's tau against time (-1..1), and one-sided p-values of going up and of going down."""

    tau: float
    p_up: float
    p_down: float


@dataclass(frozen=True, slots=True)
class Slope:
    """Growth per second and its 95 % interval."""

    value: float
    low: float
    high: float


def mann_kendall(values: Gappy, *, prewhiten: bool = True) -> Trend:
    """The trend of equally spaced values (Mann 1945, Kendall 1975), corrected for ties; gaps are left out.

    Neighbours that are alike make any such test cry wolf. `prewhiten` takes their likeness out first and
    leaves the slope as it is (Wang and Swail 2001). Below `FEWEST` values, or where all are the same, p is 1.
    """
    numbers = as_numbers(values)
    numbers = numbers[~np.isnan(numbers)]
    if prewhiten and len(numbers) > 2 * FEWEST:
        numbers = _prewhitened(numbers)
    count = len(numbers)
    if count < FEWEST or np.ptp(numbers) == 0:
        return Trend(0.0, 1.0, 1.0)
    _, ties = np.unique(numbers, return_counts=True)
    tau_b = float(kendalltau(np.arange(count), numbers, method="asymptotic").statistic)
    pairs = count * (count - 1) / 2
    score = tau_b * math.sqrt(pairs * (pairs - float((ties * (ties - 1.0)).sum()) / 2))
    return Trend(score / pairs, *_tails(score, _variance(count, ties.astype(np.float64))))


def _variance(count: int, ties: Numbers) -> float:
    tied = float((ties * (ties - 1) * (2 * ties + 5)).sum())
    return (count * (count - 1.0) * (2 * count + 5) - tied) / 18


def _tails(score: float, variance: float) -> tuple[float, float]:
    deviation = math.sqrt(variance)
    return float(ndtr((1 - score) / deviation)), float(ndtr((1 + score) / deviation))


def _prewhitened(numbers: Numbers) -> Numbers:
    alike = autocorrelation(numbers - _line(numbers))
    if alike <= 2 / math.sqrt(len(numbers)):
        return numbers
    whitened: Numbers = (numbers[1:] - alike * numbers[:-1]) / (1 - alike)
    return whitened


def _line(numbers: Numbers) -> Numbers:
    at = np.arange(len(numbers), dtype=np.float64)
    line: Numbers = slope_of(*folded(at, numbers)) * at
    return line


def autocorrelation(residuals: Numbers) -> float:
    """How alike neighbours are (lag 1, 0..`MOST_ALIKE`), corrected for its bias in what was detrended."""
    centred = residuals - residuals.mean()
    whole = float(centred @ centred)
    count = len(centred)
    if whole == 0 or count <= 2 * FEWEST:
        return 0.0
    alike = float(centred[1:] @ centred[:-1]) / whole
    return min(MOST_ALIKE, max(0.0, (count * alike + 2) / (count - 4)))


def theil_sen(at: Gappy, values: Gappy, *, seed: int = 0) -> Slope:
    """The median of the slopes between all pairs (Theil 1950, Sen 1968) in units per second.

    The interval is that of a bootstrap that draws blocks of neighbouring residuals. A series of more than
    `POINTS` values is folded to medians of neighbours first. Fewer than `FEWEST` values: zero, and no bounds.
    """
    times, numbers = folded(*without_gaps(at, values))
    if len(times) < FEWEST or np.ptp(times) == 0:
        return Slope(0.0, -math.inf, math.inf)
    slope = float(slope_of(times, numbers))
    residuals = numbers - slope * times
    residuals -= residuals.mean()
    drawn = _drawn(residuals, seed=seed)
    slopes = slope + slope_of(times, drawn)
    low, high = np.quantile(slopes, (0.025, 0.975))
    return Slope(slope, float(low), float(high))


def _drawn(residuals: Numbers, *, seed: int) -> Numbers:
    """Rows of residuals, drawn in blocks, so that neighbours stay alike; widened for what the line took."""
    count = len(residuals)
    length = max(1, round(count ** (1 / 3)))
    random = np.random.default_rng(seed)
    starts = random.integers(0, count, size=(RESAMPLES, -(-count // length), 1))
    places = (starts + np.arange(length)).reshape(RESAMPLES, -1)[:, :count] % count
    drawn: Numbers = residuals[places] * math.sqrt(count / (count - 2))
    return drawn


def slope_of(at: Numbers, values: Numbers) -> Numbers:
    """The Theil-Sen slope of values at increasing times; of each row where there are several."""
    first, second = np.triu_indices(len(at), 1)
    apart = at[second] - at[first]
    slopes: Numbers = np.median(
        (values[..., second] - values[..., first])[..., apart > 0] / apart[apart > 0], axis=-1
    )
    return slopes


def folded(at: Numbers, values: Numbers, *, points: int = POINTS) -> tuple[Numbers, Numbers]:
    """Medians of equally many neighbours, where there are more than `points` values."""
    if len(at) <= points:
        return at, values
    size = len(at) // points
    most = len(at) - len(at) % size
    return np.median(at[:most].reshape(-1, size), axis=1), np.median(values[:most].reshape(-1, size), axis=1)
