"""The part `parties` as the phase sees it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from campaign.records import Evidence, Finding
from phases.safety.parties.judge import findings

if TYPE_CHECKING:
    from phases.safety.scene import Scene
    from phases.safety.settings import SafetySettings


class PartiesPart:
    """Who else gets children's data."""

    name = "parties"
    needs = ""

    def wanted(self, settings: SafetySettings) -> bool:
        """Where the file has a recorder or a notice."""
        return bool(settings.parties.listen or settings.parties.notice)

    def seconds(self, settings: SafetySettings) -> float:
        """What is waited for after each stage, and a little."""
        parties = settings.parties
        return 0.5 + (2 * parties.settle + 0.2 * len(parties.use) if parties.listen else 0.0)

    async def collect(self, scene: Scene) -> None:
        """Listen, and read the notice."""
        from phases.safety.parties.collect import collect_parties  # noqa: PLC0415 - only when it runs

        await collect_parties(scene)

    def judge(self, evidence: Evidence, settings: SafetySettings) -> Iterator[Finding]:
        """A finding per planned probe."""
        return findings(evidence, settings.parties)
