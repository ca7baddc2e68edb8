"""The part as the phase sees it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from campaign.records import Evidence, Finding
from phases.database.queries.judge import judge_queries
from phases.database.scene import Scene

if TYPE_CHECKING:
    from phases.database.settings import DatabaseSettings

PLAN_SECONDS = 0.2
"""How long asking for a plan takes, about."""


class QueriesPart:
    """The user's own statements against the real schema, and the plan of the slowest."""

    name = "queries"
    needs = "database"

    def wanted(self, settings: DatabaseSettings) -> bool:
        """Where the campaign file has queries."""
        return bool(settings.queries)

    def seconds(self, settings: DatabaseSettings) -> float:
        """The run, and a plan for each."""
        run = settings.querying
        return run.warm_up + run.hold + 3.0 + PLAN_SECONDS * len(settings.queries)

    async def collect(self, scene: Scene) -> None:
        """Record what was seen."""
        from phases.database.queries.collect import run_queries  # noqa: PLC0415 - drivers, when it runs

        await run_queries(scene)

    def judge(self, evidence: Evidence, settings: DatabaseSettings) -> Iterator[Finding]:
        """One finding per limit and statement, and what the server counted."""
        yield from judge_queries(evidence, settings.queries)
