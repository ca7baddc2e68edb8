"""The part as the phase sees it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from campaign.records import Evidence, Finding
from phases.database.recovery.disturbances import seconds
from phases.database.recovery.judge import findings
from phases.database.scene import Scene

if TYPE_CHECKING:
    from phases.database.settings import DatabaseSettings


class RecoveryPart:
    """Connections killed, server restarted or frozen: errors, time to healthy, acknowledged writes lost."""

    name = "recovery"
    needs = "territory"

    def wanted(self, settings: DatabaseSettings) -> bool:
        """Always; what the server itself suffers only where the file gives commands."""
        del settings
        return True

    def seconds(self, settings: DatabaseSettings) -> float:
        """How long it takes, about."""
        return seconds(settings.recovery)

    async def collect(self, scene: Scene) -> None:
        """Disturb the database, one way after the other, and record what became of our writes."""
        from phases.database.recovery.collect import disturb_all  # noqa: PLC0415 - drivers are loaded then

        await disturb_all(scene)

    def judge(self, evidence: Evidence, settings: DatabaseSettings) -> Iterator[Finding]:
        """Per disturbance: nothing lost, nothing there that was refused, healthy in time, nothing leaked."""
        yield from findings(evidence, settings.recovery)
