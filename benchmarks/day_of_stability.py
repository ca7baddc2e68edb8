"""A simulated day of the stability phase: is memory of ours flat, and how large is the report?

    python benchmarks/day_of_stability.py [--hours 24]

As in day.py the engine is replaced by a loop that records made-up samples, here 50 a second, for each second
of a clock that stands still in between; so is the monitor, which tells of a target without a leak. The
recorder, the phase, what it foretells, its evidence, its verdicts and the report are the real ones.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
import time
from pathlib import Path
from random import Random
from typing import NamedTuple

from day import WARM, Simulation, StandingClock, vocabulary
from report_render import WATCHED, judged
from table import Row, show

from campaign.evidence import EvidenceLog
from campaign.monitor.feed import Feed
from campaign.monitor.source import Reading
from campaign.phase import PhaseContext, Stop
from campaign.records import Evidence, Outcome, PhaseResult, Status
from campaign.registry import partials
from campaign.report.html import render
from campaign.report.partials import sources
from campaign.report.write import write_all
from campaign.target.spec import TargetSpec
from phases.stability import StabilityPhase, collect
from phases.stability.settings import StabilitySettings

RATE = 50
LEVELS = {"B": 150e6, "share": 0.3, "threads": 9.0, "files": 70.0}
MOST_MB, MOST_GROWTH, MOST_SECONDS = 3.0, 5.0, 3.0


class Day(NamedTuple):
    """MB resident hour by hour, MB of each file, seconds that the page and the verdicts took."""

    sizes: list[float]
    files: dict[str, float]
    rendering: float
    judging: float
    failed: list[str]
    simulated: float


class Watching:
    """Stands in for the monitor: a reading for each second."""

    def __init__(self, log: EvidenceLog, feed: Feed) -> None:
        self._log, self._feed, self._luck = log, feed, Random(7)

    def __call__(self, second: int) -> None:
        reading = {name: (self._value(unit), unit) for name, unit in (*WATCHED, ("target.files", "files"))}
        told: Reading = {**reading, "target.started": (1000.0, "s since 1970")}
        self._log.points(float(second), told)
        self._feed.hear(float(second), told)

    def _value(self, unit: str) -> float:
        return LEVELS[unit] * self._luck.gauss(1.0, 0.002)


def simulate(hours: float) -> Day:
    """A day, or a part of it."""
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as name:
        folder, clock = Path(name), StandingClock()
        monitored = EvidenceLog(folder / "monitoring.jsonl", clock.wall, redact=str)
        feed = Feed()
        simulation = Simulation(clock, rate=RATE, also=Watching(monitored, feed))
        settings = StabilitySettings.model_validate({"hours": hours, "error_rate": "5%"})
        evidence = asyncio.run(_soak(simulation, clock, settings=settings, feed=feed, folder=folder))
        simulated = time.perf_counter() - began
        phase = StabilityPhase()
        parts = partials({"stability": phase})
        at = time.perf_counter()
        findings = phase.judge(evidence, settings)
        judging = time.perf_counter() - at
        names = ("stability", "stability", phase.info.title)
        done = PhaseResult(*names, Status.COMPLETED, evidence, findings, 0.0, clock.wall())
        result = judged(done, monitored.evidence())
        monitored.close()
        at = time.perf_counter()
        render(result, partials=sources(parts))
        rendering = time.perf_counter() - at
        write_all(result, folder / "report", partials=parts)
        files = {each.name: each.stat().st_size / 1e6 for each in (folder / "report").iterdir()}
    failed = [each.check for each in findings if each.outcome is Outcome.FAILED]
    return Day(simulation.sizes, files, rendering, judging, failed, simulated)


async def _soak(
    simulation: Simulation, clock: StandingClock, *, settings: StabilitySettings, feed: Feed, folder: Path
) -> Evidence:
    log = EvidenceLog(folder / "stability.jsonl", clock.wall, redact=str)
    context = PhaseContext(
        target=TargetSpec(url="http://127.0.0.1:1"),
        vocabulary=vocabulary(),
        settings=settings,
        clock=clock,
        seed=1,
        workdir=folder,
        baseline=None,
        record=log,
        notify=lambda _: None,
        stop=Stop(2**63),
        monitored=feed,
    )
    kept = collect.run_load, collect.record_aftermath
    collect.run_load, collect.record_aftermath = simulation.run, _nothing  # type: ignore[assignment]
    try:
        await StabilityPhase().collect(context)
    finally:
        collect.run_load, collect.record_aftermath = kept
    evidence = log.evidence()
    log.close()
    return evidence


async def _nothing(_: object) -> None:
    """There is no target to be asked afterwards."""


def rows(hours: float) -> list[Row]:
    """The lines of the table."""
    day = simulate(hours)
    later = day.sizes[WARM:]
    grown = later[-1] - later[0] if later else 0.0
    what = f"{hours:g} h of stability"
    largest = max(day.files, key=lambda name: day.files[name])
    page, seconds = day.files["report.html"], day.rendering
    return [
        Row(
            f"{what}: memory, last less first",
            f"≤ {MOST_GROWTH:g} MB",
            f"{grown:.1f} MB" if len(later) > 1 else "not measured",
            f"{later[0]:.0f} to {later[-1]:.0f} MB, simulated in {day.simulated:.0f} s" if later else "",
            ok=grown <= MOST_GROWTH if len(later) > 1 else None,
        ),
        Row(
            f"{what}: report",
            f"≤ {MOST_MB:g} MB",
            f"{page:.2f} MB",
            f"largest: {largest}, {day.files[largest]:.2f} MB",
            ok=max(page, day.files["report.json"]) <= MOST_MB,
        ),
        Row(
            f"{what}: the page rendered in",
            f"≤ {MOST_SECONDS:g} s",
            f"{seconds:.2f} s",
            f"verdicts in {day.judging:.1f} s; failed: {', '.join(day.failed) or 'none'}",
            ok=seconds <= MOST_SECONDS,
        ),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description="A simulated day of the stability phase.")
    parser.add_argument("--hours", type=float, default=24.0)
    show(rows(parser.parse_args().hours))


if __name__ == "__main__":
    main()
