"""A number over time in constant memory: when there are too many points, neighbours are merged."""

from __future__ import annotations

from typing import Literal

Columns = tuple[tuple[float, ...], tuple[float | None, ...]]


class SeriesBuilder:
    """Collects points; never keeps more than `capacity` of them, however long the run.

    Past that, each two neighbouring windows become one, so all windows but the last always stand for equally
    many points. A window holds the mean of its values (each point weighs the same) or their maximum; one that
    never had a value is a gap, None.
    """

    __slots__ = ("_capacity", "_counts", "_keep", "_last_size", "_size", "_times", "_values")

    def __init__(self, capacity: int, *, keep: Literal["mean", "max"] = "mean") -> None:
        self._capacity = max(2, capacity)
        self._keep = keep
        self._times: list[float] = []
        self._values: list[float | None] = []
        self._counts: list[int] = []
        self._size = 1
        self._last_size = 1

    def add(self, at: float, value: float | None) -> None:
        """Take in the next point; `at` in seconds, ascending; None is a gap."""
        if self._last_size == self._size and len(self._values) == self._capacity:
            self._halve()
        if self._last_size < self._size:
            self._merge_into(len(self._values) - 1, value, weight=int(value is not None))
            self._last_size += 1
        else:
            self._append(at, value)

    def points(self) -> list[tuple[float, float | None]]:
        """(when a window began, its value or None for a gap), ascending."""
        return list(zip(self._times, self._values, strict=True))

    def columns(self) -> Columns:
        """The same as two tuples: times and values."""
        return tuple(self._times), tuple(self._values)

    def _append(self, at: float, value: float | None) -> None:
        self._times.append(at)
        self._values.append(value)
        self._counts.append(int(value is not None))
        self._last_size = 1

    def _merge_into(self, index: int, value: float | None, *, weight: int) -> None:
        self._values[index] = self._merged(self._values[index], self._counts[index], value, weight)
        self._counts[index] += weight

    def _merged(
        self, first: float | None, first_count: int, second: float | None, second_count: int
    ) -> float | None:
        if first is None or second is None:
            return second if first is None else first
        if self._keep == "max":
            return max(first, second)
        return first + (second - first) * second_count / (first_count + second_count)

    def _halve(self) -> None:
        for index in range(0, len(self._values) - 1, 2):
            self._merge_into(index, self._values[index + 1], weight=self._counts[index + 1])
        self._last_size = self._size if len(self._values) % 2 else 2 * self._size
        self._times = self._times[::2]
        self._values = self._values[::2]
        self._counts = self._counts[::2]
        self._size *= 2
