"""What was monitored so far, for whoever wants it while the campaign runs; as much memory for a day as for an
hour.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from campaign.monitor.source import Reading
from campaign.records import Series

MOST_POINTS = 7_200
"""Points that are kept of a series; when there are more, the older half is thinned."""

MOST_SERIES = 2_000
"""Series that are kept; what comes under further names is only passed on."""

GROUP = 4
"""So many neighbours become two: the least and the greatest of them."""

Hear = Callable[[float, Reading], None]


class _Track:
    """One series; a gap is NaN."""

    def __init__(self, unit: str) -> None:
        self.unit = unit
        self.times, self.values = array("d"), array("d")

    def add(self, at: float, value: float | None) -> None:
        self.times.append(at)
        self.values.append(math.nan if value is None else value)
        if len(self.times) > MOST_POINTS:
            self._thin()

    def _thin(self) -> None:
        half = len(self.times) // 2 // GROUP * GROUP
        kept = [
            place for begin in range(0, half, GROUP) for place in _extremes(self.values, begin, begin + GROUP)
        ]
        for column in (self.times, self.values):
            column[:half] = array("d", [column[place] for place in kept])


def _extremes(values: array[float], begin: int, end: int) -> list[int]:
    """The places of the least and the greatest value, in order; of nothing but gaps one."""
    known = [place for place in range(begin, end) if not math.isnan(values[place])]
    if not known:
        return [begin]
    return sorted({min(known, key=values.__getitem__), max(known, key=values.__getitem__)})


class Feed:
    """All series as they come; it passes each reading on to those who listen."""

    def __init__(self) -> None:
        self._tracks: dict[str, _Track] = {}
        self._latest: Reading = {}
        self._listeners: list[Hear] = []

    def hear(self, at: float, reading: Reading) -> None:
        """Take in what was read `at` so many seconds after the campaign began."""
        self._latest = reading
        for name, (value, unit) in reading.items():
            track = self._tracks.get(name)
            if track is None:
                if len(self._tracks) >= MOST_SERIES:
                    continue
                track = self._tracks[name] = _Track(unit)
            track.add(at, value)
        for listener in tuple(self._listeners):
            listener(at, reading)

    def names(self) -> tuple[str, ...]:
        """The series that there are."""
        return tuple(self._tracks)

    def latest(self) -> Reading:
        """The last reading, whole."""
        return self._latest

    def series(self, name: str) -> Series | None:
        """What is known of a series so far: all recent points, of older ones the extremes; None: it was never
        seen.
        """
        track = self._tracks.get(name)
        if track is None:
            return None
        values = (None if math.isnan(value) else value for value in track.values)
        return Series(name, track.unit, tuple(track.times), tuple(values))

    @contextmanager
    def listen(self, hear: Hear) -> Iterator[None]:
        """Within this block `hear` is called with the time and the values of each reading; it must not
        raise.
        """
        self._listeners.append(hear)
        try:
            yield
        finally:
            self._listeners.remove(hear)
