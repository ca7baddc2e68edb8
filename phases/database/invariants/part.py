"""The part as the phase sees it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from campaign.records import Evidence, Finding
from phases.database.invariants.demands import required_of
from phases.database.invariants.judge import CHECKS, judge_invariants
from phases.database.scene import Scene

if TYPE_CHECKING:
    from phases.database.settings import DatabaseSettings

OVERHEAD = 0.5
"""Seconds that a check takes besides its own time: tables, and the look at the end."""


KILLING = 2.0
"""Seconds that clients take to be started and killed, as many as must be."""


class InvariantsPart:
    """Right answers under stress: transfers, list-append histories, atomicity, races on constraints."""

    name = "invariants"
    needs = "territory"

    def wanted(self, settings: DatabaseSettings) -> bool:
        """Whether the campaign file asks for it: always, as it works in tables of our own."""
        del settings
        return True

    def seconds(self, settings: DatabaseSettings) -> float:
        """How long it takes, about."""
        each = settings.invariants.seconds
        return len(CHECKS) * (each + OVERHEAD) + max(0.0, KILLING - each)

    async def collect(self, scene: Scene) -> None:
        """Record what each check did and what it found."""
        from phases.database.invariants.collect import run_checks  # noqa: PLC0415 - needs the drivers

        await run_checks(scene)

    def judge(self, evidence: Evidence, settings: DatabaseSettings) -> Iterator[Finding]:
        """One finding per planned check."""
        return judge_invariants(evidence, required_of(settings))
