"""The target's memory before the soak, at its peak, and after, where it was seen."""

from __future__ import annotations

from dataclasses import dataclass

from campaign.monitor.source import Reading
from campaign.phase import Monitored
from campaign.records import Evidence, Measurement

MEMORY = "target.memory"
"""The monitor's series of it."""


def memory_now(monitored: Monitored) -> float | None:
    """By the last reading, in bytes; None where that has none."""
    value, _ = monitored.latest().get(MEMORY, (None, ""))
    return value


def measured(when: str, value: float | None, *, count: int = 1) -> Measurement:
    """As a measurement."""
    return Measurement.exact(f"memory.{when}", value, unit="B", count=count if value is not None else 0)


@dataclass(slots=True)
class Peak:
    """The most that was read."""

    value: float | None = None
    count: int = 0

    @classmethod
    def of(cls, earlier: Evidence | None) -> Peak:
        """Goes on with what was recorded."""
        found = earlier.find("memory.peak") if earlier else None
        return cls(found.value, found.count) if found else cls()

    def hear(self, reading: Reading) -> None:
        """One reading."""
        value, _ = reading.get(MEMORY, (None, ""))
        if value is not None:
            self.value = value if self.value is None else max(self.value, value)
            self.count += 1

    def measurement(self) -> Measurement:
        """As it is now."""
        return measured("peak", self.value, count=self.count)
