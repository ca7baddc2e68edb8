"""The part `retention` as the phase sees it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from campaign.records import Evidence, Finding
from phases.safety.retention.judge import findings
from phases.safety.retention.plan import mapped

if TYPE_CHECKING:
    from phases.safety.scene import Scene
    from phases.safety.settings import SafetySettings

OWN_SECONDS, FIELD_SECONDS = 2.0, 0.3


class RetentionPart:
    """Ages, purges, ends of keys; what is asked for, and what is kept undeclared."""

    name = "retention"
    needs = ""

    def wanted(self, settings: SafetySettings) -> bool:
        """Where the file says anything of it."""
        return mapped(settings.retention)

    def seconds(self, settings: SafetySettings) -> float:
        """A little for each field, and the time that the purge may take."""
        retention = settings.retention
        fields = sum(map(len, retention.optional.values())) + len(retention.extra)
        return OWN_SECONDS + FIELD_SECONDS * fields + (retention.purge.within if retention.purge else 0.0)

    async def collect(self, scene: Scene) -> None:
        """Look at all of it."""
        from phases.safety.retention.collect import collect_retention  # noqa: PLC0415 - only when it runs

        await collect_retention(scene)

    def judge(self, evidence: Evidence, settings: SafetySettings) -> Iterator[Finding]:
        """A finding per table, field and kind."""
        return findings(evidence, settings.retention)
