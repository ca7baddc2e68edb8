"""Every fault there is, by kind: which means can make it, and the fault itself."""

from __future__ import annotations

from campaign.clock import Clock
from campaign.faults.fault import Fault, FaultError
from campaign.faults.means import FaultKind, Means, Strength


def can_make(kind: FaultKind, means: Means) -> str:
    """Which of the means would make it: `container`, `process`, `command` or `route`; "" where none can."""
    raise NotImplementedError


def make_fault(
    kind: FaultKind, *, role: str, means: Means, clock: Clock,
    strength: Strength | None = None, ready: float = 30.0, answer: float = 20.0,
) -> Fault:  # fmt: skip
    """The fault, for one use.

    `ready`: seconds that it waits, when healing, for the part to run and be healthy; `answer`: seconds that an
    engine or a command has to answer.

    Raises FaultError where none of the means can make it.
    """
    raise FaultError(f"not yet: {kind} {role} {means} {clock} {strength} {ready} {answer}")
