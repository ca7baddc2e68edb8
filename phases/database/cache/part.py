"""The part as the phase sees it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from campaign.records import Evidence, Finding
from phases.database.cache.judge import judge_cache
from phases.database.scene import Scene

if TYPE_CHECKING:
    from phases.database.settings import DatabaseSettings


class CachePart:
    """How fast Redis answers, and what it says of the target's own keys."""

    name = "cache"
    needs = "redis"

    def wanted(self, settings: DatabaseSettings) -> bool:
        """Where there is a Redis, or the file speaks of one."""
        del settings
        return True

    def seconds(self, settings: DatabaseSettings) -> float:
        """Our own commands, and the look at the keys."""
        return settings.cache.seconds

    async def collect(self, scene: Scene) -> None:
        """Record what Redis says, and what came of our commands."""
        from phases.database.cache.collect import collect_cache  # noqa: PLC0415

        await collect_cache(scene)

    def judge(self, evidence: Evidence, settings: DatabaseSettings) -> Iterator[Finding]:
        """One finding per limit, and one per thing that Redis said."""
        yield from judge_cache(evidence, settings.cache)
