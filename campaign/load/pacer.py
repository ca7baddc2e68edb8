"""When the arrivals of an open model are due: arithmetic only, nothing here waits or looks at a clock.

An arrival is known by its number alone, so any split of the numbers over workers sends the same arrivals.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Protocol

from campaign.load.luck import Luck
from campaign.load.spec import ScenarioSpec
from campaign.load.timeline import Timeline

ASKED, BEGUN = "arrivals.asked", "arrivals.begun"
"""Counts of the arrivals that were due in the judged part, and of those among them that a user began."""

POISSON_STREAM = -1
"""The stream of luck that arrivals are drawn from; users have those from 0 on."""


class Pacer(Protocol):
    """Says when things are due."""

    def due(self, number: int) -> int | None:
        """The moment in clock nanoseconds when arrival `number` (from 0) is due; None when it never is."""


class EvenPacer:
    """Arrival n is due when the rate, summed up over the time, passes n: at a constant rate every 1/rate."""

    __slots__ = ("_timeline",)

    def __init__(self, timeline: Timeline) -> None:
        self._timeline = timeline

    def due(self, number: int) -> int | None:
        """The moment in clock nanoseconds when arrival `number` is due; None when it never is."""
        return _moment(self._timeline, number)


class PoissonPacer:
    """Arrivals independent of each other, as those of many strangers are.

    A Poisson process of rate 1 (the partial sums of exponential gaps), its time stretched by the profile:
    Çinlar, "Introduction to Stochastic Processes", 1975, section 4.7. Asked in rising order a number costs a
    constant time.
    """

    __slots__ = ("_area", "_luck", "_next", "_seed", "_timeline")

    def __init__(self, timeline: Timeline, seed: str) -> None:
        self._timeline = timeline
        self._seed = seed
        self._begin()

    def due(self, number: int) -> int | None:
        """The moment in clock nanoseconds when arrival `number` is due; None when it never is."""
        if number < self._next - 1:
            self._begin()
        while self._next <= number:
            self._area -= math.log(1.0 - self._luck.share())
            self._next += 1
        return _moment(self._timeline, self._area)

    def _begin(self) -> None:
        self._luck = Luck(self._seed, POISSON_STREAM)
        self._area = 0.0
        self._next = 0


def make_pacer(scenario: ScenarioSpec, timeline: Timeline, *, seed: str) -> Pacer:
    """The pacer of an open scenario."""
    return PoissonPacer(timeline, seed) if scenario.poisson else EvenPacer(timeline)


def dues(pacer: Pacer, *, first: int, step: int) -> Iterator[int]:
    """When the arrivals first, first + step, first + 2 step ... are due, in clock nanoseconds."""
    number = first
    while (due := pacer.due(number)) is not None:
        yield due
        number += step


def even_count(timeline: Timeline, begins: float, *, ends: float) -> int:
    """How many even arrivals are due from `begins` to before `ends`, in seconds since the start."""
    area = timeline.profile.area_until
    return _whole(area(ends)) - _whole(area(begins))


def _whole(area: float) -> int:
    # Sums of floats miss a whole number by a little, to either side.
    return math.ceil(round(area, 6))


def _moment(timeline: Timeline, area: float) -> int | None:
    at = timeline.profile.when(area)
    return None if at is None else timeline.moment(at)
