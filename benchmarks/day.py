"""A simulated day of load: is memory flat, and how large is the report?

    python benchmarks/day.py [--hours 24]

The load phase runs as in a campaign, but its engine is replaced by a loop that records 1,000 made-up samples
for each second of a clock that stands still in between: recorder, interval, pickle, merge, the phase, the
evidence file, judge and report are the real ones.
"""

from __future__ import annotations

import argparse
import asyncio
import pickle
import random
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import psutil
from report_render import WATCHED, judged
from table import Row, show

from campaign.clock import SECOND
from campaign.evidence import EvidenceLog
from campaign.load.failure import ExchangeError
from campaign.load.health import Health
from campaign.load.merge import Merge
from campaign.load.messages import encode
from campaign.load.outcome import LoadOutcome
from campaign.load.recorder import Recorder
from campaign.load.spec import LoadPlan
from campaign.load.tally import ErrorKind, ErrorSample
from campaign.load.timeline import Timeline
from campaign.phase import PhaseContext, Stop
from campaign.records import Evidence, PhaseResult, Status
from campaign.report.write import write_all
from campaign.target.journey import TaskSpec, WaitSpec
from campaign.target.spec import OperationSpec, TargetSpec, UserSpec, Vocabulary
from phases.load import LoadPhase, collect
from phases.load.settings import LoadSettings

RATE = 1000
OPERATIONS = ("login", "search", "read", "write", "leave")
USERS = 1000
HOUR = 3600
WARM = 2
"""Hours until every series has as many points as it ever keeps."""


class StandingClock:
    """Time that only moves when it is told to."""

    def __init__(self) -> None:
        self.now = 0

    def now_ns(self) -> int:
        return self.now

    def wall(self) -> float:
        return self.now / SECOND

    async def sleep_until(self, due_ns: int) -> None:
        self.now = max(self.now, due_ns)


class Day(NamedTuple):
    """MB resident hour by hour, MB of each file of the report, real seconds, and the series' points."""

    sizes: list[float]
    files: dict[str, float]
    seconds: float
    points: int


def latencies() -> list[int]:
    """100,003 response times in ns, around 20 ms with a long tail; a prime number, so seconds differ."""
    luck = random.Random(7)
    return [round(luck.lognormvariate(3.0, 0.6) * 1e6) for _ in range(100_003)]


class Simulation:
    """Stands in for the engine and its worker: `rate` requests in each second, of which `also` is told."""

    def __init__(
        self, clock: StandingClock, *, rate: int = RATE, also: Callable[[int], None] = lambda _: None
    ) -> None:
        self.sizes: list[float] = []
        self._clock, self._rate, self._also = clock, rate, also
        self._times = latencies()

    async def run(self, plan: LoadPlan, **given: Any) -> LoadOutcome:
        """What `run_load` gives."""
        timeline = Timeline.of(plan.scenario, 0)
        recorder = Recorder(OPERATIONS, timeline)
        recorder.presence.users = USERS
        recorder.presence.changes(USERS, 0)
        health = Health(timeline, loop=asyncio.get_running_loop(), now_ns=self._clock.now_ns)
        merge = Merge(plan, 0, on_second=given["on_second"])
        ends = round(plan.scenario.seconds)
        for second in range(ends):
            self._fill(recorder, second)
            self._also(second)
            self._clock.now = (second + 1) * SECOND
            interval = pickle.loads(encode(recorder.take(self._clock.now, health))[4:])  # noqa: S301 - ours
            merge.add(0, interval, last=second == ends - 1)
            if (second + 1) % HOUR == 0:
                self.sizes.append(psutil.Process().memory_info().rss / 1e6)
        health.end()
        return merge.outcome()

    def _fill(self, recorder: Recorder, second: int) -> None:
        """One second: samples of five operations, one of them a failure."""
        start, step, times = second * SECOND, SECOND // self._rate, self._times
        first = second * self._rate % (len(times) - self._rate)
        for number, taken in enumerate(times[first : first + self._rate]):
            due = start + number * step
            recorder.watch.began(due)
            recorder.watch.answered(due + taken)
            recorder.sample(
                number % len(OPERATIONS), due=due, began=due, sent=due + 1000, done=due + taken, received=180
            )
        error = ExchangeError(ErrorKind.STATUS, f"status {500 + second % 4}", answered=True)
        recorder.failure(0, recorder.batch(0, due), error=error, done=due, describe=_describe)


def _describe(at: float) -> ErrorSample:
    return ErrorSample(at, 1, "GET /read/7\r\nHost: staging", "500 Internal Server Error\r\n\r\nsorry")


def simulate(hours: float) -> Day:
    """A day, or a part of it."""
    began = time.perf_counter()
    clock = StandingClock()
    simulation = Simulation(clock)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        phase = asyncio.run(_phase(simulation, clock, hours=hours, folder=folder))
        result = judged(phase, _watched(folder, round(hours * HOUR)))
        write_all(result, folder / "report")
        files = {
            str(file.relative_to(folder)): file.stat().st_size / 1e6
            for file in sorted((folder / "report").rglob("*"))
            if file.is_file()
        }
        points = max(len(each.times) for each in phase.evidence.series)
    return Day(simulation.sizes, files, time.perf_counter() - began, points)


async def _phase(simulation: Simulation, clock: StandingClock, *, hours: float, folder: Path) -> PhaseResult:
    settings = LoadSettings.model_validate(
        {"scenarios": {"soak": {"users": USERS, "ramp": f"{USERS}/s", "hold": f"{hours}h"}}}
    )
    log = EvidenceLog(folder / "load.jsonl", clock.wall, redact=str)
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
    )
    await _collected(simulation, context)
    evidence = log.evidence()
    log.close()
    phase = LoadPhase()
    info = phase.info
    findings = phase.judge(evidence, settings)
    return PhaseResult("load", info.name, info.title, Status.COMPLETED, evidence, findings, 0.0, clock.wall())


async def _collected(simulation: Simulation, context: PhaseContext) -> None:
    """Run the phase's own `collect` on the simulated engine; there is no target to be asked afterwards."""

    async def nothing(_: object) -> None:
        return

    kept = collect.run_load, collect.record_aftermath
    collect.run_load, collect.record_aftermath = simulation.run, nothing  # type: ignore[assignment]
    try:
        await LoadPhase().collect(context)
    finally:
        collect.run_load, collect.record_aftermath = kept


def vocabulary() -> Vocabulary:
    operations = {name: OperationSpec(name, "GET", f"/{name}") for name in OPERATIONS}
    tasks = {name: TaskSpec.of(name) for name in OPERATIONS}
    return Vocabulary(operations, {"visitor": UserSpec("visitor", 1, WaitSpec(1.0, 1.0), (), tasks)})


def _watched(folder: Path, seconds: int) -> Evidence:
    """What the watching of host and target adds to the report of a day."""
    log = EvidenceLog(folder / "watched.jsonl", lambda: 0.0, redact=str)
    for second in range(0, seconds, 5):
        log.points(float(second), {name: (second * 7919 % 1000 / 997, unit) for name, unit in WATCHED})
    log.close()
    return log.evidence()


def rows(hours: float) -> list[Row]:
    """The lines of the table."""
    day = simulate(hours)
    later = day.sizes[WARM:] or day.sizes
    drift = max(later) - min(later) if later else 0.0
    page, whole = (day.files[name] for name in ("report/report.html", "report/report.json"))
    what = f"{hours:g} h at {RATE:,} requests/s recorded"
    detail = f"{later[0]:.0f} to {later[-1]:.0f} MB, simulated in {day.seconds:.0f} s" if later else ""
    return [
        Row(f"{what}: memory, most less least", "≤ 5 MB", f"{drift:.1f} MB", detail, ok=drift <= 5)
        if len(later) > 1
        else Row(f"{what}: memory", "≤ 5 MB", "not measured", f"needs more than {WARM + 1} h", ok=None),
        Row(
            f"{what}: report",
            "≤ 3 MB",
            f"{page:.2f} MB",
            f"report.html; report.json {whole:.2f} MB, {day.points:,} points a series",
            ok=max(page, whole) <= 3,
        ),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description="A simulated day of load.")
    parser.add_argument("--hours", type=float, default=24.0)
    show(rows(parser.parse_args().hours))


if __name__ == "__main__":
    main()
