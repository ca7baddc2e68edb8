"""How users were served over the whole soak, second by second: up, down, and the first failure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Self

from campaign.load.outcome import Second

MOST_OUTAGES = 100
"""Outages that are kept with their moments; all are counted."""


@dataclass(slots=True)
class Service:
    """Counts seconds. One in which anybody was served is up; one in which somebody asked, or waited, and
    nobody was served is down; one in which nobody asked says nothing.
    """

    up: float = 0.0
    down: float = 0.0
    idle: float = 0.0
    first_failure: float | None = None
    count: int = 0
    outages: list[list[float]] = field(default_factory=list)
    _is_down: bool = False
    _offset: float = 0.0

    @classmethod
    def of(cls, plain: dict[str, Any], *, offset: float) -> Self:
        """Goes on with what was kept; seconds to come count from `offset` seconds after the soak began."""
        return cls(
            plain["up"],
            plain["down"],
            plain["idle"],
            plain["first_failure"],
            plain["outages"],
            [list(each) for each in plain["when"]],
            _offset=offset,
        )

    def see(self, second: Second) -> None:
        """Count one more; its time is that since this part of the soak began."""
        asked = sum(each.asked for each in second.tallies.values())
        failed = sum(each.failed for each in second.tallies.values())
        if failed and self.first_failure is None:
            self.first_failure = self._offset + second.at
        if asked > failed:
            self.up += second.seconds
            self._is_down = False
        elif asked or second.waiting:
            self.down += second.seconds
            self._note(second)
        else:
            self.idle += second.seconds

    def _note(self, second: Second) -> None:
        at = self._offset + second.at
        if not self._is_down:
            self.count += 1
            if len(self.outages) < MOST_OUTAGES:
                self.outages.append([at, at])
        self._is_down = True
        if self.count <= MOST_OUTAGES:
            self.outages[-1][1] = at + second.seconds

    def plain(self) -> dict[str, Any]:
        """As JSON data; times in seconds since the soak began."""
        return {
            "up": self.up,
            "down": self.down,
            "idle": self.idle,
            "first_failure": self.first_failure,
            "outages": self.count,
            "when": [list(each) for each in self.outages],
        }
