"""The part `crowd` as the phase sees it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from campaign.records import Evidence, Finding
from phases.safety.crowd.judge import findings

if TYPE_CHECKING:
    from phases.safety.scene import Scene
    from phases.safety.settings import SafetySettings


class CrowdPart:
    """Canaries in the data of many children at once."""

    name = "crowd"
    needs = ""

    def wanted(self, settings: SafetySettings) -> bool:
        """Where the file names kinds of users."""
        return bool(settings.crowd.kinds)

    def seconds(self, settings: SafetySettings) -> float:
        """The time that the crowd is there, and a little for coming and going."""
        faulted = settings.crowd.faulted_seconds
        return settings.crowd.hold + 6.0 + (faulted + 4.0 if faulted else 0.0)

    async def collect(self, scene: Scene) -> None:
        """Let the crowd loose."""
        from phases.safety.crowd.collect import collect_crowd  # noqa: PLC0415 - the load engine is heavy

        await collect_crowd(scene)

    def judge(self, evidence: Evidence, settings: SafetySettings) -> Iterator[Finding]:
        """Whether any child was shown another's data."""
        return findings(evidence, settings.crowd)
