"""The part as the phase sees it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from campaign.records import Evidence, Finding
from phases.database.isolation.judge import judge_isolation
from phases.database.scene import Scene

if TYPE_CHECKING:
    from phases.database.settings import DatabaseSettings


class IsolationPart:
    """The ten anomalies at each level that the database offers, idle and under load."""

    name = "isolation"
    needs = "territory"

    def wanted(self, settings: DatabaseSettings) -> bool:
        """Always, where there is a database."""
        del settings
        return True

    def seconds(self, settings: DatabaseSettings) -> float:
        """All levels together."""
        return settings.isolation.seconds

    async def collect(self, scene: Scene) -> None:
        """Play the schedules."""
        from phases.database.isolation.collect import collect_isolation  # noqa: PLC0415

        await collect_isolation(scene)

    def judge(self, evidence: Evidence, settings: DatabaseSettings) -> Iterator[Finding]:
        """One finding per requirement and level."""
        yield from judge_isolation(evidence, settings.isolation)
