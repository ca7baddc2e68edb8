"""Fewer points of a series that still show every peak: the lowest and the highest of each stretch of time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

Point = tuple[float, float | None]


def thin(times: Sequence[float], values: Sequence[float | None], *, most: int) -> list[Point]:
    """At most about `most` of the points, none moved; all of them where they are few. Gaps stay gaps."""
    points = list(zip(times, values, strict=True))
    if len(points) <= most:
        return points
    size = -(-len(points) * 2 // most)
    return [each for at in range(0, len(points), size) for each in _extremes(points[at : at + size])]


def _extremes(stretch: Sequence[Point]) -> Iterator[Point]:
    """The lowest and the highest point in their order; a gap where nothing else is."""
    seen = [index for index, (_, value) in enumerate(stretch) if value is not None]
    if not seen:
        yield stretch[0]
        return

    def height(index: int) -> float:
        return stretch[index][1] or 0.0

    for index in sorted({min(seen, key=height), max(seen, key=height)}):
        yield stretch[index]
