"""The part `deletion` as the phase sees it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from campaign.records import Evidence, Finding
from phases.safety.deletion.judge import findings
from phases.safety.deletion.plan import mapped

if TYPE_CHECKING:
    from phases.safety.scene import Scene
    from phases.safety.settings import SafetySettings

OWN_SECONDS, CHILD_SECONDS, RUN_SECONDS = 3.0, 0.1, 1.5


class DeletionPart:
    """Export, deletion, and what comes back."""

    name = "deletion"
    needs = ""

    def wanted(self, settings: SafetySettings) -> bool:
        """Where the file says who is deleted, how, and what is collected."""
        return mapped(settings.deletion)

    def seconds(self, settings: SafetySettings) -> float:
        """A little for each other child and each race."""
        deletion = settings.deletion
        runs = deletion.race.runs if deletion.race else 0
        return OWN_SECONDS + CHILD_SECONDS * deletion.others + RUN_SECONDS * runs

    async def collect(self, scene: Scene) -> None:
        """Collect, export, delete, look."""
        from phases.safety.deletion.collect import collect_deletion  # noqa: PLC0415 - only when it runs

        await collect_deletion(scene)

    def judge(self, evidence: Evidence, settings: SafetySettings) -> Iterator[Finding]:
        """A finding per path, store and attacker."""
        return findings(evidence, settings)
