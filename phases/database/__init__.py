"""The database phase: how fast the database and the cache answer, where the pool breaks, and whether the
answers are right under stress.

Found through the entry point `database` of the group `campaign.phases`. It is made of parts (`parts.py`),
each a package of its own that collects its evidence under its own name and judges that alone.
"""

from __future__ import annotations

from typing import Any

from campaign.phase import PhaseContext, PhaseInfo
from campaign.records import Evidence, Finding
from campaign.target.spec import TargetSpec
from phases.database.settings import DatabaseSettings

PARTIALS = (
    "workload",
    "queries",
    "catalogue",
    "pool",
    "isolation",
    "invariants",
    "durability",
    "cache",
    "service",
    "recovery",
)
"""The parts in the order in which the page shows them, each with a template of its own."""

INFO = PhaseInfo(
    name="database",
    title="Database",
    summary="The database and the cache: speed, pool, right answers under stress, recovery.",
    requires=("database|redis",),
    settings=DatabaseSettings,
    partial=("phases.database", "partial.html", *(f"{name}/partial.html" for name in PARTIALS)),
)


class DatabasePhase:
    """The phase as the runner sees it."""

    info = INFO

    def __init__(self) -> None:
        self._before: dict[str, Any] = {}

    async def before(self, target: TargetSpec) -> None:
        """See whether the stores let us in, and what they have counted so far. Raises ConfigurationError."""
        from phases.database.outset import look_at_stores  # noqa: PLC0415

        self._before = await look_at_stores(target)

    async def collect(self, context: PhaseContext) -> None:
        """Run every part that the file asks for, one after the other, recording as it goes."""
        from phases.database.collect import run_parts  # noqa: PLC0415 - drivers are loaded when it runs

        await run_parts(context, before=self._before)

    def judge(self, evidence: Evidence, settings: Any) -> tuple[Finding, ...]:
        """The findings of every part, also of those that were never reached."""
        from phases.database.judge import judge_database  # noqa: PLC0415

        chosen: DatabaseSettings = settings
        return tuple(judge_database(evidence, chosen))

    def seconds(self, settings: Any) -> float:
        """What the parts say, added up."""
        from phases.database.parts import asked  # noqa: PLC0415

        chosen: DatabaseSettings = settings
        return sum(part.seconds(chosen) for part in asked(chosen)) + 2.0
