"""The part `transport` as the phase sees it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from campaign.records import Evidence, Finding
from phases.safety.transport.judge import findings

if TYPE_CHECKING:
    from phases.safety.scene import Scene
    from phases.safety.settings import SafetySettings

OPERATION_SECONDS = 0.3


class TransportPart:
    """The way to the target, and what is left beside it."""

    name = "transport"
    needs = ""

    def wanted(self, settings: SafetySettings) -> bool:
        """Where the file names operations whose answers can be looked at."""
        return bool(settings.transport.operations)

    def seconds(self, settings: SafetySettings) -> float:
        """A little for each operation."""
        return 2.0 + OPERATION_SECONDS * len(settings.transport.operations)

    async def collect(self, scene: Scene) -> None:
        """Do what people do, and look."""
        from phases.safety.transport.collect import collect_transport  # noqa: PLC0415 - only when it runs

        await collect_transport(scene)

    def judge(self, evidence: Evidence, settings: SafetySettings) -> Iterator[Finding]:
        """A finding per kind of probe."""
        return findings(evidence, settings.transport)
