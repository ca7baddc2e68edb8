"""The part as the phase sees it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from campaign import checks
from campaign.records import Evidence, Finding, Severity
from phases.database.crosscheck import judge_counts
from phases.database.running.judge import judge_limits, judge_reached
from phases.database.scene import Scene, facts_of, trouble_of
from phases.database.workload.rows import counts

if TYPE_CHECKING:
    from phases.database.settings import DatabaseSettings

ROWS_PER_SECOND = 30_000
"""How fast tables are filled, about."""


class WorkloadPart:
    """How fast the database answers a child-companion service's statements, in tables of our own."""

    name = "workload"
    needs = "territory"

    def wanted(self, settings: DatabaseSettings) -> bool:
        """Whether the campaign file asks for it: always, as it needs nothing from it."""
        del settings
        return True

    def seconds(self, settings: DatabaseSettings) -> float:
        """How long it takes, about."""
        own = settings.workload
        return sum(counts(own.scale).values()) / ROWS_PER_SECOND + own.warm_up + own.hold + 3.0

    async def collect(self, scene: Scene) -> None:
        """Record what was seen."""
        from phases.database.workload.collect import run_workload  # noqa: PLC0415 - drivers, when it runs

        await run_workload(scene)

    def judge(self, evidence: Evidence, settings: DatabaseSettings) -> Iterator[Finding]:
        """One finding per limit, on the load, and on whether the server has every write that it
        acknowledged.
        """
        facts, trouble = facts_of(evidence, self.name), trouble_of(evidence, self.name)
        yield from judge_limits(evidence, settings.workload.planned, facts, trouble)
        yield judge_reached(self.name, evidence, facts, trouble)
        if "activity_log" in settings.workload.weights:
            yield _writes_kept(evidence)
        if facts.get("server"):
            yield judge_counts(self.name, facts["server"])


def _writes_kept(evidence: Evidence) -> Finding:
    check, blocker = "workload.writes_kept", Severity.BLOCKER
    kept = facts_of(evidence, "workload").get("kept")
    if not kept:
        why = trouble_of(evidence, "workload") or "it was not run to its end"
        return checks.inconclusive(
            check, f"whether acknowledged writes were kept is not known: {why}", severity=blocker
        )
    acknowledged, found = kept["acknowledged"], kept["found"]
    if found is None:
        return checks.inconclusive(
            check, f"the rows could not be counted afterwards: {kept['why']}", severity=blocker
        )
    if not acknowledged:
        return checks.inconclusive(check, "no write was acknowledged", severity=blocker)
    return checks.holds(
        check,
        found >= acknowledged,
        message=f"{acknowledged:,} writes were acknowledged, and {found:,} rows are there",
        severity=blocker,
        remedy="Look for what undoes committed rows: a restart without durable commits, a trigger, a job.",
    )
