"""The part `isolation` as the phase sees it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from campaign.records import Evidence, Finding
from phases.safety.isolation.judge import findings
from phases.safety.isolation.matrix import planned

if TYPE_CHECKING:
    from phases.safety.scene import Scene
    from phases.safety.settings import SafetySettings

CELL_SECONDS = 0.03
PEOPLE = 3
"""What a cell takes, about, and how many principals of a role there are."""


class IsolationPart:
    """Everybody tries everything on everybody's data."""

    name = "isolation"
    needs = ""

    def wanted(self, settings: SafetySettings) -> bool:
        """Where the file names resources."""
        return bool(settings.resources)

    def seconds(self, settings: SafetySettings) -> float:
        """A little for each cell."""
        cells = len(list(planned(settings))) * PEOPLE * (PEOPLE * len(settings.roles) + 1)
        return 1.0 + CELL_SECONDS * cells

    async def collect(self, scene: Scene) -> None:
        """Try all of the matrix."""
        from phases.safety.isolation.collect import collect_isolation  # noqa: PLC0415 - only when it runs

        await collect_isolation(scene)

    def judge(self, evidence: Evidence, settings: SafetySettings) -> Iterator[Finding]:
        """A finding per resource and verb."""
        return findings(evidence, settings)
