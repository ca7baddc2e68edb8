"""When the target's process began anew while it was watched."""

from __future__ import annotations

from campaign.monitor.source import Reading

STARTED = "target.started"
"""The monitor's series of when the target's process began, seconds since 1970."""

SAME = 1.0
"""Seconds; two starts that are no further apart are the same one."""


class Restarts:
    """Hears readings of the monitor; `at` are the times of restarts, seconds since the campaign began."""

    def __init__(self) -> None:
        self.at: list[float] = []
        self.seen = False
        self._started: float | None = None

    def hear(self, at: float, reading: Reading) -> None:
        """One reading."""
        value, _ = reading.get(STARTED, (None, ""))
        if value is None:
            return
        if self._started is not None and abs(value - self._started) > SAME:
            self.at.append(round(at, 3))
        self.seen = True
        self._started = value
