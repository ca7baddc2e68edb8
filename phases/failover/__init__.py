"""The failover phase: breaks parts of the target under probes, measures the way back, and heals it always.

Found through the entry point `failover` of the group `campaign.phases`. `catalogue.py` has the shipped
scenarios, `choice.py` those that can run here; `collect.py` runs them, each told as a `story.py`;
`measure.py` makes figures of a story and `judge.py` findings of the figures.
"""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from typing import Any

from campaign.phase import PhaseContext, PhaseInfo
from campaign.records import Evidence, Finding
from campaign.target.spec import TargetSpec
from phases.failover.settings import FailoverSettings
from phases.failover.ways import split_address

INFO = PhaseInfo(
    name="failover",
    title="Failover",
    summary="Breaks containers and processes under probes, measures the recovery, and puts all back.",
    requires=("http",),
    settings=FailoverSettings,
    disruptive=True,
    partial=("phases.failover", "partial.html"),
    gives=("write", "offset", "page"),
)


class FailoverPhase:
    """The phase as the runner sees it."""

    info = INFO

    def lacks(self, target: TargetSpec, settings: Any) -> str:
        """What the campaign file would have to name so that anything can be broken; "" where it does."""
        from phases.failover.choice import nothing_to_break  # noqa: PLC0415

        chosen: FailoverSettings = settings
        return nothing_to_break(target, chosen)

    async def verify(self, target: TargetSpec, settings: Any) -> None:
        """See whether what would be broken is there. Raises ConfigurationError."""
        from phases.failover.outset import look_at_parts  # noqa: PLC0415 - drivers are loaded when it runs

        chosen: FailoverSettings = settings
        await look_at_parts(target, chosen)

    def standing(self, settings: Any) -> AbstractAsyncContextManager[str]:
        """The routes, undisturbed: the target goes through them in the other phases as well."""
        from campaign.faults.standby import standby  # noqa: PLC0415

        chosen: FailoverSettings = settings
        return standby(
            (name, split_address(route.listen), split_address(route.to))
            for name, route in chosen.routes.items()
        )

    async def collect(self, context: PhaseContext) -> None:
        """Run every scenario that can run, one after the other, recording as it goes."""
        from phases.failover.collect import run_scenarios  # noqa: PLC0415

        await run_scenarios(context)

    def judge(self, evidence: Evidence, settings: Any) -> tuple[Finding, ...]:
        """The findings of every scenario, also of those that were never reached."""
        from phases.failover.judge import judge_failover  # noqa: PLC0415

        chosen: FailoverSettings = settings
        return tuple(judge_failover(evidence, chosen))

    def seconds(self, settings: Any) -> float:
        """What the scenarios take, where all comes back as it should."""
        from phases.failover.choice import seconds  # noqa: PLC0415

        chosen: FailoverSettings = settings
        return seconds(chosen)
