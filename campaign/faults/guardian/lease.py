"""When the guardian must act: the run's lease and each fault's hard deadline. Pure: times are handed in."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

BEAT_SECONDS = 1.0
"""How often the run says that it lives."""

LEASE_SECONDS = 4.0
"""How long it may say nothing until it is taken for dead."""


def awake() -> float:
    """Seconds that only go on while the machine does: a lease must not run out in its sleep."""
    return time.monotonic()


def since_boot() -> float:
    """Seconds since the machine was started, its sleep too; setting the clock does not change them."""
    clock = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if clock is None else time.clock_gettime(clock)


@dataclass(slots=True)
class Lease:
    """The run's word that it lives; `beaten` by `awake`, `deadlines` (fault -> moment) by `since_boot`."""

    beaten: float
    deadlines: dict[str, float] = field(default_factory=dict)
    lost: bool = False

    def beat(self, now: float) -> None:
        """The run lives."""
        self.beaten = now
        self.lost = False

    def arm(self, fault: str, *, until: float) -> None:
        """That fault must be undone by then."""
        self.deadlines[fault] = until

    def disarm(self, fault: str) -> None:
        """It is undone."""
        self.deadlines.pop(fault, None)

    def due(self, *, awake_now: float, boot_now: float) -> tuple[str, ...]:
        """The faults to undo now, each told once: all when the lease has run out, else the late ones."""
        if awake_now - self.beaten > LEASE_SECONDS:
            self.lost = True
        late = [name for name, until in self.deadlines.items() if self.lost or boot_now >= until]
        for name in late:
            del self.deadlines[name]
        return tuple(late)

    def wait(self, *, awake_now: float, boot_now: float) -> float:
        """Seconds until `due` may say something new."""
        moments = [until - boot_now for until in self.deadlines.values()]
        if not self.lost:
            moments.append(self.beaten + LEASE_SECONDS - awake_now)
        return max(0.0, min([1.0, *moments])) + 0.005
