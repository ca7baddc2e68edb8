"""The part as the phase sees it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import TYPE_CHECKING

from campaign.records import Evidence, Finding
from phases.database.durability.judge import judge_durability, table
from phases.database.scene import Scene

if TYPE_CHECKING:
    from phases.database.settings import DatabaseSettings


class DurabilityPart:
    """The settings that decide whether a committed write survives a crash."""

    name = "durability"
    needs = "database"

    def wanted(self, settings: DatabaseSettings) -> bool:
        """Whether the campaign file asks for it: always, as it only reads."""
        del settings
        return True

    def seconds(self, settings: DatabaseSettings) -> float:
        """How long it takes, about."""
        del settings
        return 0.5

    async def collect(self, scene: Scene) -> None:
        """Record the settings, what each means, and who gets others."""
        from phases.database.durability.readings import read_durability  # noqa: PLC0415 - needs the drivers

        if scene.server is None:
            return
        fact = await asyncio.to_thread(read_durability, scene.server)
        fact["session"] = dict(scene.settings.durability.session)
        fact["table"] = table(fact)
        scene.context.record.fact(self.name, fact)

    def judge(self, evidence: Evidence, settings: DatabaseSettings) -> Iterator[Finding]:
        """One finding per planned check."""
        return judge_durability(evidence, settings.durability)
