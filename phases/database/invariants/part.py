"""The part as the phase sees it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from campaign.records import Evidence, Finding
from phases.database.scene import Scene

if TYPE_CHECKING:
    from phases.database.settings import DatabaseSettings


class InvariantsPart:
    """Right answers under stress: transfers, list-append histories, atomicity, races on constraints."""

    name = "invariants"
    needs = "territory"

    def wanted(self, settings: DatabaseSettings) -> bool:
        """Whether the campaign file asks for it."""
        del settings
        return False  # until it is built

    def seconds(self, settings: DatabaseSettings) -> float:
        """How long it takes, about."""
        del settings
        return 0.0

    async def collect(self, scene: Scene) -> None:
        """Record what was seen."""

    def judge(self, evidence: Evidence, settings: DatabaseSettings) -> Iterator[Finding]:
        """One finding per planned check."""
        del evidence, settings
        yield from ()
