"""The stability phase: users at work for hours, and whether anything grows, drifts, restarts or fades away.

Found through the entry point `stability` of the group `campaign.phases`. `collect.py` runs the load and keeps
what `windows.py` makes of each part of it; `judge.py` holds that against what must not grow (`growth.py`)
and what must hold.
"""

from __future__ import annotations

from typing import Any

from campaign.phase import PhaseContext, PhaseInfo
from campaign.records import Evidence, Finding
from phases.stability.settings import StabilitySettings

INFO = PhaseInfo(
    name="stability",
    title="Stability",
    summary="Users at work for hours: leaks, drift, restarts, uptime.",
    requires=("http",),
    settings=StabilitySettings,
    partial=("phases.stability", "partial.html"),
)


class StabilityPhase:
    """The phase as the runner sees it."""

    info = INFO

    async def collect(self, context: PhaseContext) -> None:
        """Let users work for as long as the settings say, recording each window as it ends."""
        from phases.stability.collect import soak  # noqa: PLC0415 - the engine is loaded when it runs

        await soak(context)

    def judge(self, evidence: Evidence, settings: Any) -> tuple[Finding, ...]:
        """One finding for each series that must not grow, and one for each promise over the whole time."""
        from phases.stability.judge import judge_stability  # noqa: PLC0415 - scipy is slow to load

        chosen: StabilitySettings = settings
        return tuple(judge_stability(evidence, chosen))

    def seconds(self, settings: Any) -> float:
        """The soak itself, and a second to start the workers."""
        chosen: StabilitySettings = settings
        return chosen.spec().seconds + 1.0

    def seconds_left(self, settings: Any, earlier: Evidence) -> float:
        """The same for what is left of a soak that was broken off."""
        chosen: StabilitySettings = settings
        return chosen.spec(held=earlier.facts.get("soak", {}).get("held", 0.0)).seconds + 1.0
