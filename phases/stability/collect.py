"""The soak: users at work until its time is over, every window recorded as it ends."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from campaign.clock import SECOND
from campaign.load.fleet import run_load
from campaign.load.lookout import SEEN
from campaign.load.outcome import LoadOutcome, Second
from campaign.load.sightings import carries_canaries, seen
from campaign.load.spec import LoadPlan, ScenarioSpec
from campaign.load.tally import Stage
from campaign.phase import Alert, PhaseContext, Progress
from campaign.records import Measurement
from campaign.target.http import health
from phases.stability.foresight import MEMORY, Foresight
from phases.stability.restarts import Restarts
from phases.stability.service import Service
from phases.stability.settings import StabilitySettings
from phases.stability.windows import Windows

CHECKPOINT = 60.0
"""Seconds between two times that the counts are written down; windows are as they end."""

PATIENCE_NS, PAUSE_NS = 30 * SECOND, SECOND // 4
"""For a target that has to work off what is left before it says how it is."""

LOOKING_NS = 3 * SECOND
"""For a monitor that has only begun to look."""

MOST_ERRORS = 12


class Soak:
    """What is known of a soak while it runs."""

    def __init__(self, context: PhaseContext, spec: ScenarioSpec) -> None:
        settings: StabilitySettings = context.settings
        self._context, self._spec = context, spec
        self.began = context.record.elapsed()
        self.service, self.restarts = Service(), Restarts()
        self.windows = Windows(settings.window, frozenset(settings.growing), context.record.points)
        self._foresight = Foresight(context.monitored, self.began + spec.judged[0])
        self._written = self.began
        self._told = False

    def hear(self, at: float, reading: Any) -> None:
        """A reading of the monitor. Windows begin with the hold: coming users are growth of another kind."""
        self.restarts.hear(at, reading)
        if self._judged(at - self.began):
            self.windows.hear(at, reading)

    def see(self, second: Second) -> None:
        """A second of the load."""
        now = self.began + second.at
        self.service.see(second)
        if self._judged(second.at):
            self.windows.see(now, second)
        if now - self._written >= CHECKPOINT:
            self._written = now
            self.write()
        self._tell(second, now)

    def _judged(self, at: float) -> bool:
        begins, ends = self._spec.judged
        return begins <= at < ends

    def write(self) -> None:
        """Keep the counts so far."""
        self._context.record.fact("service", self.service.plain())
        self._context.record.fact("restarts", {"at": self.restarts.at, "seen": self.restarts.seen})

    def _tell(self, second: Second, now: float) -> None:
        alert = None
        if second.counts.get(SEEN) and not self._told:
            self._told = True
            alert = Alert("violation", "soak.isolation: a user was shown another user's data")
        said = " · ".join(filter(None, (f"{second.users:,} users", self._foresight(now))))
        figures = {"rate": second.rate, "p95": second.p95, "error_rate": second.error_rate}
        known = {name: float(value) for name, value in figures.items() if value is not None}
        share = min(1.0, second.at / self._spec.seconds)
        self._context.notify(Progress(share, said, {**known, "users": float(second.users)}, alert=alert))


async def soak(context: PhaseContext) -> None:
    """Run it to its end, or until it is stopped, and ask the target then how it is."""
    settings: StabilitySettings = context.settings
    spec = settings.spec()
    plan = LoadPlan(
        context.target,
        context.vocabulary,
        spec,
        context.seed,
        settings.workers,
        canaries=carries_canaries(context.vocabulary),
    )
    before = await _memory_before(context)
    running = Soak(context, spec)
    with context.monitored.listen(running.hear):
        outcome = await run_load(plan, clock=context.clock, stop=context.stop, on_second=running.see)
    running.windows.end()
    running.write()
    _record(context, outcome, began=running.began, before=before)
    await _record_aftermath(context)


def _memory(context: PhaseContext) -> float | None:
    value, _ = context.monitored.latest().get(MEMORY, (None, ""))
    return value


async def _memory_before(context: PhaseContext) -> float | None:
    """The target's memory before any load; the monitor may need some readings to find its process."""
    give_up = context.clock.now_ns() + LOOKING_NS
    while (seen := _memory(context)) is None and context.clock.now_ns() < give_up:
        await context.clock.sleep_until(context.clock.now_ns() + PAUSE_NS)
    return seen


def _record(context: PhaseContext, outcome: LoadOutcome, *, began: float, before: float | None) -> None:
    held = [tally for (_, stage), tally in outcome.tallies.items() if stage is Stage.HOLD]
    asked, failed = sum(each.asked for each in held), sum(each.failed for each in held)
    context.record.fact(
        "soak",
        {
            "began": began,
            "ended": context.record.elapsed(),
            "planned": outcome.scenario.judged[1] - outcome.scenario.judged[0],
            "held": outcome.hold_seconds,
            "users": outcome.scenario.users,
            "asked": asked,
            "failed": failed,
            "longest_stall": outcome.longest_stall,
            "load_reached": outcome.load_reached,
            "saturation": outcome.generator.saturation(),
            "generator": asdict(outcome.generator),
            "errors": [
                {"operation": each.operation, "kind": str(each.kind), "count": each.count}
                for each in sorted(outcome.errors, key=lambda group: -group.count)[:MOST_ERRORS]
            ],
        },
    )
    if found := seen(outcome, context.seed):
        context.record.fact("canaries", found)
    context.record.measurement(Measurement.exact("requests", asked, unit="requests", count=asked))
    _record_memory(context, began, before)


def _record_memory(context: PhaseContext, began: float, before: float | None) -> None:
    """The target's memory before, at its peak, and after, where it was seen."""
    series = context.monitored.series(MEMORY)
    after = _memory(context)
    if series is None:
        return
    during = [
        value
        for at, value in zip(series.times, series.values, strict=True)
        if at >= began and value is not None
    ]
    figures = {"before": before, "peak": max(during, default=None), "after": after}
    for name, value in figures.items():
        context.record.measurement(Measurement.exact(f"memory.{name}", value, unit="B", count=len(during)))


async def _record_aftermath(context: PhaseContext) -> None:
    give_up = context.clock.now_ns() + PATIENCE_NS
    report = await health(context.target)
    while not report.ok and context.clock.now_ns() < give_up and not context.stop.requested:
        await context.clock.sleep_until(context.clock.now_ns() + PAUSE_NS)
        report = await health(context.target)
    context.record.fact("afterwards", {"well": report.ok, "detail": report.detail})
