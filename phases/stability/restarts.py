"""When the target's process began anew while it was watched."""

from __future__ import annotations

from typing import Any

from campaign.monitor.source import Reading

STARTED = "target.started"
"""The monitor's series of when the target's process began, seconds since 1970."""

SAME = 1.0
"""Seconds; two starts that are no further apart are the same one."""


class Restarts:
    """Hears readings of the monitor; `at` are the times of restarts, seconds since the campaign began.

    `unwatched` are those that happened in a gap, before the first reading of a soak that goes on; `before` is
    what was kept (`plain`) until it was broken off.
    """

    def __init__(self, before: dict[str, Any] | None = None) -> None:
        kept = before or {}
        self.at: list[float] = list(kept.get("at", ()))
        self.unwatched: list[float] = list(kept.get("unwatched", ()))
        self.seen: bool = kept.get("seen", False)
        self._started: float | None = kept.get("started")
        self._fresh = bool(kept)

    def hear(self, at: float, reading: Reading) -> None:
        """One reading."""
        value, _ = reading.get(STARTED, (None, ""))
        if value is None:
            return
        if self._started is not None and abs(value - self._started) > SAME:
            (self.unwatched if self._fresh else self.at).append(round(at, 3))
        self.seen, self._fresh = True, False
        self._started = value

    def plain(self) -> dict[str, Any]:
        """As JSON data."""
        return {"at": self.at, "unwatched": self.unwatched, "seen": self.seen, "started": self._started}
