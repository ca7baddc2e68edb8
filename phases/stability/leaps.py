"""Leaps of the machine's clock against time that only runs: it slept, or somebody set the clock."""

from __future__ import annotations

from campaign.units import format_quantity

LEAST = 5.0
"""Seconds; less is a clock that is being put right."""


class Leaps:
    """Compares both clocks whenever it is asked."""

    def __init__(self) -> None:
        self._apart: float | None = None

    def see(self, wall: float, elapsed: float) -> str:
        """What to tell of a leap since the last time, "" for none; `elapsed` counts from the beginning."""
        apart = wall - elapsed
        leap = 0.0 if self._apart is None else apart - self._apart
        if self._apart is None or abs(leap) >= LEAST:
            self._apart = apart
        if abs(leap) < LEAST:
            return ""
        way = "forward" if leap > 0 else "back"
        length, at = format_quantity(abs(leap), "s"), format_quantity(elapsed, "s")
        return (
            f"The machine's clock leapt {way} by {length}, {at} after the campaign began: it slept, or was "
            "set. Time asleep counts nowhere."
        )
