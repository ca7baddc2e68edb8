"""What a soak can prove so far, for the line that people look at while it runs."""

from __future__ import annotations

from campaign.phase import Monitored
from campaign.units import format_quantity
from phases.stability.memory import MEMORY
from phases.stability.settings import DAY

EVERY = 30.0
"""Seconds between two estimates; each takes some milliseconds."""


class Foresight:
    """Says which leak would be seen by now; "" as long as nothing can be said."""

    def __init__(self, monitored: Monitored, since: float) -> None:
        self._monitored, self._since = monitored, since
        self._next = since + EVERY
        self._said = ""

    def __call__(self, now: float) -> str:
        """The estimate at `now`, seconds since the campaign began."""
        if now >= self._next:
            self._next = now + EVERY
            self._said = self._estimate()
        return self._said

    def _estimate(self) -> str:
        from campaign.stats.growth import judge_growth  # noqa: PLC0415 - numpy and scipy are slow to load

        series = self._monitored.series(MEMORY)
        if series is None:
            return ""
        kept = [
            (at, value) for at, value in zip(series.times, series.values, strict=True) if at >= self._since
        ]
        times, values = [at for at, _ in kept], [value for _, value in kept]
        growth = judge_growth(times, values, horizon=DAY, head_room=float("inf"))
        if growth.smallest_visible is None:
            return "too short to see a leak yet"
        return f"smallest leak visible so far: {format_quantity(growth.smallest_visible, 'B')}/h"
