"""The load phase: users at work on the target, scenario by scenario, and whether it kept its limits.

Found through the entry point `load` of the group `campaign.phases`. `collect` runs each scenario and
records its figures; `judge` holds them against the limits.
"""

from __future__ import annotations

from typing import Any

from campaign.phase import PhaseContext, PhaseInfo
from campaign.records import Evidence, Finding
from phases.load.settings import LoadSettings

INFO = PhaseInfo(
    name="load",
    title="Load",
    summary="Users at work on the target: response times, errors and stalls, scenario by scenario.",
    requires=("http",),
    settings=LoadSettings,
    partial=("phases.load", "partial.html"),
)


class LoadPhase:
    """The phase as the runner sees it."""

    info = INFO

    async def collect(self, context: PhaseContext) -> None:
        """Run every scenario, one after the other, recording as it goes."""
        from phases.load.collect import run_scenarios  # noqa: PLC0415 - the engine is loaded when it runs

        await run_scenarios(context)

    def judge(self, evidence: Evidence, settings: Any) -> tuple[Finding, ...]:
        """One finding per limit of every scenario, one for whether the target outlived them, and one per
        operation that is compared with the baseline.
        """
        from phases.load.judge import judge_load  # noqa: PLC0415

        return judge_load(evidence, settings)

    def seconds(self, settings: Any) -> float:
        """The scenarios' own time and a second each for starting the workers."""
        chosen: LoadSettings = settings
        return sum(scenario.spec(name).seconds + 1.0 for name, scenario in chosen.scenarios.items())
