"""Whether a series grows without end: a leak, no leak, or a run that is too short to say.

Samples that resemble their neighbours, collected garbage, a warm-up and a single step all look like growth
to a plain test. A leak is told only where several looks, each blind to another of these, agree;
docs/statistics.md has how often they are wrong.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np

from campaign.stats.gaps import Gappy, Numbers, as_numbers, without_gaps
from campaign.stats.multiple import benjamini_hochberg
from campaign.stats.trend import Slope, mann_kendall, slope_of, theil_sen
from campaign.stats.warmup import settled_from
from campaign.stats.windows import Windows, windows_of

P = 0.01
"""What both trend tests must stay below."""

P_HALF = 0.05
"""What each half must stay below by itself: a step grows in one half only, a warm-up hardly in the last."""

VISIBLE = 20.0
"""Standard errors of the slope from which growth is found in about 95 of 100 runs; chosen by series whose
truth was known, docs/statistics.md has how many were found.
"""

LATER_STARTS = ((0.0, 0.6), (0.25, 0.8), (0.5, 0.8))
"""Where growth may begin, as a share of what the cut left, and its last half over its first at least.

A warm-up on top of a leak is never cut, so the leak is looked for further on. Below these ratios growth dies
away; who looks again must see more, or each look would let another warm-up through.
"""

LOAD_CHANGE = 0.1
"""How much the load may rise over the run before growth may be the load's."""

HOUR = 3600.0


class Verdict(StrEnum):
    """What a series comes to."""

    LEAK = "leak"
    NO_LEAK = "no leak"
    UNDECIDED = "undecided"


@dataclass(frozen=True, slots=True)
class Growth:
    """The verdict and what it rests on.

    `per_hour` is the growth in units per hour, `low` and `high` its 95 % interval, `smallest_visible` the
    least growth that 95 of 100 such runs would have found. `exhausted_in` is when the head-room is used up,
    in seconds from the end of the series, only for a leak. `per_request` is growth in units per request.
    `p` is the larger of the p-values of both trend tests. None: unknown. `judged_from` is the time from
    which on the series was judged.
    """

    verdict: Verdict
    why: str
    per_hour: float | None = None
    low: float | None = None
    high: float | None = None
    smallest_visible: float | None = None
    exhausted_in: float | None = None
    per_request: float | None = None
    p: float | None = None
    judged_from: float | None = None


@dataclass(frozen=True, slots=True)
class _Stretch:
    """What the part of the series from `start` on looks like."""

    start: float
    p: float
    slope: Slope
    grows: bool
    dies_away: bool


def judge_growth(
    at: Gappy,
    values: Gappy,
    *,
    horizon: float,
    head_room: float,
    restarts: Sequence[float] = (),
    load: Gappy | None = None,
    requests: Gappy | None = None,
    seed: int = 0,
) -> Growth:
    """Whether the series grows so that it uses up `head_room` (its unit) within `horizon` seconds.

    `at` is in seconds and rises; None and NaN are gaps. `restarts` are the times at which the target began
    anew: the longest part between two of them is judged. `load` (users or requests per second) and
    `requests` (answered so far) have one value for each of `at`. The same seed gives the same interval.
    """
    times, numbers = _longest(*without_gaps(at, values), restarts)
    if load is not None and _rises(as_numbers(load)):
        return Growth(Verdict.UNDECIDED, "the load itself rose")
    looks = [
        _look(times[begin:], numbers[begin:], share=share, seed=seed)
        for begin, share in _starts(times, numbers)
    ]
    seen = [look for look in looks if look]
    if not seen:
        return Growth(Verdict.UNDECIDED, "too short: fewer than 12 windows of two garbage collections each")
    look = next((each for each in seen if each.grows and not each.dies_away), seen[0])
    growth = _verdict(look, horizon=horizon, head_room=head_room)
    return growth if requests is None else _by_request(growth, at, requests)


def judge_together(judged: Mapping[str, Growth], *, rate: float = 0.05) -> dict[str, Growth]:
    """The same, but a leak that many series would show by chance is taken back (Benjamini and Hochberg
    1995).
    """
    names = [name for name, growth in judged.items() if growth.p is not None]
    held = dict(
        zip(names, benjamini_hochberg([judged[name].p or 0.0 for name in names], rate=rate), strict=True)
    )
    return {
        name: growth if held.get(name, True) else _taken_back(growth, len(names))
        for name, growth in judged.items()
    }


def _taken_back(growth: Growth, count: int) -> Growth:
    if growth.verdict is not Verdict.LEAK:
        return growth
    why = f"grows, but among {count} series chance alone would show as much"
    return replace(growth, verdict=Verdict.UNDECIDED, why=why, exhausted_in=None)


def _longest(times: Numbers, numbers: Numbers, restarts: Sequence[float]) -> tuple[Numbers, Numbers]:
    """The longest part without a restart; times that do not rise, after a clock's step, are left out."""
    if not len(times):
        return times, numbers
    rising = np.append(True, times[1:] > np.maximum.accumulate(times)[:-1])
    times, numbers = times[rising], numbers[rising]
    ends = [0, *np.searchsorted(times, sorted(restarts)), len(times)]
    begin, end = max(itertools.pairwise(ends), key=lambda part: part[1] - part[0])
    return times[begin:end], numbers[begin:end]


def _rises(load: Numbers) -> bool:
    load = load[~np.isnan(load)]
    if len(load) < 8:
        return False
    quarter = len(load) // 4
    first, last = float(load[quarter : 2 * quarter].mean()), float(load[-quarter:].mean())
    return last > (1 + LOAD_CHANGE) * first and mann_kendall(load).p_up < P


def _starts(times: Numbers, numbers: Numbers) -> list[tuple[int, float]]:
    """Where growth is looked for from. What rises after the cut was never steady, so it is no warm-up's
    end.
    """
    cut = settled_from(numbers) or 0
    if cut and (windows := windows_of(times[cut:], numbers[cut:])) and _p(numbers[cut:], windows) < P:
        cut = 0
    return [(cut + int(start * (len(numbers) - cut)), share) for start, share in LATER_STARTS]


def _p(numbers: Numbers, windows: Windows) -> float:
    return max(mann_kendall(numbers).p_up, mann_kendall(windows.minima, prewhiten=False).p_up)


def _look(times: Numbers, numbers: Numbers, *, share: float, seed: int) -> _Stretch | None:
    windows = windows_of(times, numbers)
    if windows is None:
        return None
    p = _p(numbers, windows)
    slope = theil_sen(windows.at, windows.minima, seed=seed)
    first, last = _halves(windows)
    grows = p < P and slope.low > 0 and _grow(numbers, windows)
    return _Stretch(float(times[0]), p, slope, grows, last < share * first)


def _halves(windows: Windows) -> tuple[float, float]:
    half = len(windows.at) // 2
    first = slope_of(windows.at[:half], windows.minima[:half])
    return float(first), float(slope_of(windows.at[-half:], windows.minima[-half:]))


def _grow(numbers: Numbers, windows: Windows) -> bool:
    """Whether either half grows by itself."""
    half, count = len(numbers) // 2, len(windows.at) // 2
    first = _p(numbers[:half], Windows(windows.at[:count], windows.minima[:count]))
    last = _p(numbers[half:], Windows(windows.at[-count:], windows.minima[-count:]))
    return max(first, last) < P_HALF


def _verdict(look: _Stretch, *, horizon: float, head_room: float) -> Growth:
    slope = look.slope
    visible = VISIBLE * (slope.high - slope.low) / (2 * 1.96)
    growth = Growth(
        Verdict.UNDECIDED,
        "",
        per_hour=slope.value * HOUR,
        low=slope.low * HOUR,
        high=slope.high * HOUR,
        smallest_visible=visible * HOUR,
        p=look.p,
        judged_from=look.start,
    )
    if look.grows and not look.dies_away:
        return _of_growth(growth, slope, horizon=horizon, head_room=head_room)
    if look.grows:
        return replace(growth, why="too short: it grows, but ever more slowly, as a warm-up does")
    if visible * horizon > head_room:
        return replace(growth, why="too short: growth that uses up the head-room could not have been seen")
    return replace(growth, verdict=Verdict.NO_LEAK, why="no growth that uses up the head-room was seen")


def _of_growth(growth: Growth, slope: Slope, *, horizon: float, head_room: float) -> Growth:
    if slope.low * horizon > head_room:
        why = "grows throughout, and even the least of it uses up the head-room within the horizon"
        return replace(growth, verdict=Verdict.LEAK, why=why, exhausted_in=head_room / slope.value)
    if slope.high * horizon <= head_room:
        return replace(growth, verdict=Verdict.NO_LEAK, why="grows, but too little to use up the head-room")
    return replace(growth, why="grows, and may or may not use up the head-room within the horizon")


def _by_request(growth: Growth, at: Gappy, requests: Gappy) -> Growth:
    times, answered = without_gaps(at, requests)
    if growth.per_hour is None or growth.judged_from is None:
        return growth
    judged = times >= growth.judged_from
    if judged.sum() < 2 or (done := float(np.ptp(answered[judged]))) <= 0:
        return growth
    took = float(np.ptp(times[judged])) / HOUR
    return replace(growth, per_request=growth.per_hour * took / done)
