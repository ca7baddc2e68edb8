"""A level that changes over time in straight lines: users of a closed model, arrivals per second of an open
one. Arithmetic only, nothing here waits.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise


@dataclass(frozen=True, slots=True)
class Segment:
    """The level goes in a straight line to `level` within `seconds`; at once where that is 0."""

    level: float
    seconds: float


@dataclass(frozen=True, slots=True)
class _Line:
    """A segment in its place: from `low` at `begins` to `high`; `before` is the area under all before it."""

    begins: float
    seconds: float
    low: float
    high: float
    before: float

    def level(self, at: float) -> float:
        return self.low + (self.high - self.low) * (at - self.begins) / self.seconds

    def area(self, at: float) -> float:
        return self.before + (at - self.begins) * (self.low + self.level(at)) / 2

    def when(self, area: float) -> float:
        """The moment when the area under the lines reaches `area`, which lies in this one."""
        left, slope = area - self.before, (self.high - self.low) / self.seconds
        # The root of slope/2 t² + low t = left, written so that nothing cancels out and slope may be 0.
        divisor = self.low + math.sqrt(max(self.low**2 + 2 * slope * left, 0.0))
        return self.begins + (2 * left / divisor if divisor else 0.0)


class Profile:
    """The level at any moment, in seconds since the scenario began; it starts at 0."""

    def __init__(self, segments: Iterable[Segment]) -> None:
        self._segments = tuple(segments)
        self._lines = list(_lines(self._segments))
        self._begins = [line.begins for line in self._lines]
        self._befores = [line.before for line in self._lines]
        self.seconds = sum(each.seconds for each in self._segments)

    @property
    def highest(self) -> float:
        """The highest level ever."""
        return max((each.level for each in self._segments), default=0.0)

    @property
    def area(self) -> float:
        """The level summed up over the whole time: user-seconds, or arrivals."""
        return self.area_until(self.seconds)

    def area_until(self, at: float) -> float:
        """The level summed up from the beginning to `at`."""
        line = self._line(self._begins, at)
        return 0.0 if line is None else line.area(min(max(at, line.begins), line.begins + line.seconds))

    def when(self, area: float) -> float | None:
        """The first moment when `area_until` is above `area`, or None when it never is."""
        if area >= self.area:
            return None
        line = self._line(self._befores, area)
        return None if line is None else line.when(area)

    def spans(self, user: int) -> list[tuple[float, float]]:
        """When user `user` (from 0) of a closed model is there: from..to, once for every rise above its
        number.
        """
        spans: list[tuple[float, float]] = []
        came: float | None = None
        for at, low, high, seconds in self._steps():
            if came is None and low <= user < high:
                came = at + seconds * (user - low) / (high - low)
            elif came is not None and high <= user < low:
                spans.append((came, at + seconds * (low - user - 1) / (low - high)))
                came = None
        if came is not None:
            spans.append((came, self.seconds))
        return spans

    def attendance(self, users: int, begins: float, *, ends: float) -> float:
        """The seconds that users 0..users-1 of a closed model are there in that time, added up: `spans` of
        all of them, at a cost for each coming and going alone.

        On a way down that is less than the area under the level: who leaves does so before it, as nobody is
        there by half.
        """
        came: dict[int, float] = {}
        there = 0.0
        for at, low, high, seconds in self._steps():
            for user in range(math.ceil(low), min(math.ceil(high), users)):
                came.setdefault(user, at + seconds * (user - low) / (high - low))
            for user in range(math.ceil(high), min(math.ceil(low), users)):
                left = at + seconds * (low - user - 1) / (low - high)
                there += max(0.0, min(left, ends) - max(came.pop(user, left), begins))
        return there + sum(max(0.0, min(self.seconds, ends) - max(each, begins)) for each in came.values())

    def _steps(self) -> Iterator[tuple[float, float, float, float]]:
        """Beginning, level before and after, and length of every segment."""
        at = 0.0
        for before, segment in pairwise((Segment(0.0, 0.0), *self._segments)):
            yield at, before.level, segment.level, segment.seconds
            at += segment.seconds

    def _line(self, keys: list[float], value: float) -> _Line | None:
        # The last line that begins at the value or before; lines without any area are passed over by `when`.
        return self._lines[max(bisect_right(keys, value) - 1, 0)] if self._lines else None


def _lines(segments: tuple[Segment, ...]) -> Iterator[_Line]:
    at = area = level = 0.0
    for segment in segments:
        if segment.seconds:
            line = _Line(at, segment.seconds, level, segment.level, area)
            yield line
            at += segment.seconds
            area = line.area(at)
        level = segment.level
