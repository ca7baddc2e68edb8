"""The benchmark phase: API operations, SQL statements and cache commands one at a time, against their limits,
an earlier run, or a second target in turn.

Found through the entry point `benchmark` of the group `campaign.phases`.
"""

from __future__ import annotations

from typing import Any

from campaign.phase import PhaseContext, PhaseInfo
from campaign.records import Evidence, Finding
from phases.benchmark.settings import BenchmarkSettings

INFO = PhaseInfo(
    name="benchmark",
    title="Benchmarks",
    summary="Operations, statements and cache commands one at a time: limits, and slower than before?",
    requires=("http",),
    settings=BenchmarkSettings,
    partial=("phases.benchmark", "partial.html"),
)

USUAL = 0.03
"""Seconds that one iteration takes, as a guess before anything was seen."""

FEW = 6
"""Operations that users do, as a guess where the file names none."""


class BenchmarkPhase:
    """The phase as the runner sees it."""

    info = INFO

    async def collect(self, context: PhaseContext) -> None:
        """Measure every entry, recording as it goes."""
        from phases.benchmark.collect import run_benchmarks  # noqa: PLC0415 - the engine is loaded as it runs

        await run_benchmarks(context)

    def judge(self, evidence: Evidence, settings: Any) -> tuple[Finding, ...]:
        """One finding per entry, and one per comparison with another run or target."""
        from phases.benchmark.judge import judge_benchmarks  # noqa: PLC0415

        return tuple(judge_benchmarks(evidence, settings))

    def seconds(self, settings: Any) -> float:
        """A guess, as nobody knows yet how long an iteration takes; never so little that `at_most` would not
        be reached before the deadline.
        """
        chosen: BenchmarkSettings = settings
        entries = FEW if chosen.operations is None else len(chosen.operations)
        entries = entries * (2 if chosen.against else 1) + len(chosen.statements)
        rounds = chosen.iterations + chosen.warm_up
        guess = 3.0 + rounds * (entries * USUAL + chosen.pause)
        return max(min(guess, chosen.at_most), (chosen.at_most - 60.0) / 1.5)
