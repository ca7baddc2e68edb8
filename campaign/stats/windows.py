"""The least value of each of 12 to 24 windows: what is left when garbage has just been collected."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np

from campaign.stats.gaps import Numbers
from campaign.stats.trend import folded, slope_of

FEWEST, MOST = 12, 24
"""Windows; with fewer no trend is shown, more would be too short to hold a minimum."""

CYCLES = 2
"""Garbage collections that a window holds at least."""

SAMPLES = 5
"""Values that a window holds at least."""

SWING = 1.0
"""Standard deviations, about the trend, that a value falls and rises again before it counts as a cycle."""


@dataclass(frozen=True, slots=True)
class Windows:
    """The mean time (seconds) and the least value of each window."""

    at: Numbers
    minima: Numbers


def windows_of(times: Numbers, numbers: Numbers) -> Windows | None:
    """As many windows of equal length as fit; None where fewer than `FEWEST` do. A window in a gap is left
    out.
    """
    if len(times) < FEWEST * SAMPLES:
        return None
    most = min(MOST, len(times) // SAMPLES, cycles_in(times, numbers) // CYCLES)
    if most < FEWEST:
        return None
    edges = np.linspace(times[0], times[-1], most + 1)[1:-1]
    ends = [0, *np.searchsorted(times, edges), len(times)]
    parts = [slice(begin, end) for begin, end in itertools.pairwise(ends) if end - begin >= SAMPLES // 2]
    if len(parts) < FEWEST:
        return None
    return Windows(
        np.array([times[part].mean() for part in parts]), np.array([numbers[part].min() for part in parts])
    )


def cycles_in(times: Numbers, numbers: Numbers) -> int:
    """How often the series falls and rises again, about its trend.

    As often as it has values where that hides nothing: it never falls at all, or grows by more than a swing
    from window to window.
    """
    slope = float(slope_of(*folded(times, numbers)))
    residuals = numbers - slope * times
    swing = SWING * float(residuals.std())
    if slope * (times[-1] - times[0]) >= FEWEST * swing or not _falls(numbers.tolist(), swing):
        return len(numbers)
    return _falls(residuals.tolist(), swing)


def _falls(values: list[float], swing: float) -> int:
    falls, falling, turn = 0, False, values[0]
    for value in values:
        if falling:
            turn = min(turn, value)
            if value - turn >= swing:
                falling, turn = False, value
        else:
            turn = max(turn, value)
            if turn - value >= swing:
                falls, falling, turn = falls + 1, True, value
    return falls
