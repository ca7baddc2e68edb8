"""The soak: users at work until its time is over, every window recorded as it ends."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import Any

from campaign.clock import SECOND
from campaign.load.fleet import run_load
from campaign.load.lookout import SEEN
from campaign.load.outcome import LoadOutcome, Second
from campaign.load.sightings import carries_canaries, seen
from campaign.load.spec import LoadPlan
from campaign.load.tally import Stage
from campaign.phase import Alert, PhaseContext, Progress
from campaign.records import Measurement
from campaign.target.http import health
from phases.stability.counts import MOST_ERRORS, Counts, found_together, together
from phases.stability.foresight import Foresight
from phases.stability.leaps import Leaps
from phases.stability.memory import Peak, measured, memory_now
from phases.stability.restarts import Restarts
from phases.stability.service import Service
from phases.stability.settings import StabilitySettings
from phases.stability.windows import FAILURES, REQUESTS, Windows, counted_until

CHECKPOINT = 60.0
"""Seconds between two times that the counts are written down; windows are as they end."""

PATIENCE_NS, PAUSE_NS = 30 * SECOND, SECOND // 4
"""For a target that has to work off what is left before it says how it is."""

LOOKING_NS = 3 * SECOND
"""For a monitor that has only begun to look."""


class Soak:
    """What is known of a soak while it runs, and of its part before it was broken off, if it was."""

    def __init__(self, context: PhaseContext) -> None:
        settings: StabilitySettings = context.settings
        kept = context.earlier.facts if context.earlier else {}
        self.earlier: dict[str, Any] = kept.get("soak", {})
        self.spec = settings.spec(held=self.earlier.get("held", 0.0))
        self._context, self._planned = context, settings.spec()
        self.began = context.record.elapsed()
        self.first: float = self.earlier.get("began", self.began)
        self.gaps: list[list[float]] = [list(each) for each in self.earlier.get("gaps", ())]
        if self.earlier:
            self.gaps.append([self.earlier["ended"], self.began])
        self.service = Service()
        if "service" in kept:
            self.service = Service.of(kept["service"], offset=self.began - self.first)
        self.restarts = Restarts(kept.get("restarts"))
        self.counts = Counts(self.spec.users)
        self._shown: dict[str, Any] = kept.get("canaries", {})
        self.windows = Windows(
            settings.window,
            frozenset(settings.growing),
            context.record.points,
            requests=counted_until(context.earlier, REQUESTS),
            failures=counted_until(context.earlier, FAILURES),
        )
        self._foresight = Foresight(context.monitored, self.began + self.spec.judged[0])
        self._written = -math.inf
        self._peak, self._leaps = Peak.of(context.earlier), Leaps()
        self._told = False

    @property
    def seed(self) -> int:
        """Of the load; each part has users of its own."""
        return self._context.seed + len(self.gaps)

    def hear(self, at: float, reading: Any) -> None:
        """A reading of the monitor. Windows begin with the hold: coming users are growth of another kind."""
        self.restarts.hear(at, reading)
        self._peak.hear(reading)
        if self._judged(at - self.began):
            self.windows.hear(at, reading)

    def see(self, second: Second) -> None:
        """A second of the load."""
        now = self.began + second.at
        if told := self._leaps.see(self._context.clock.wall(), self._context.record.elapsed()):
            self._context.record.note(told)
        self.service.see(second)
        self.counts.search(second)
        if self._judged(second.at):
            self.counts.see(second)
            self.windows.see(now, second)
        if now - self._written >= CHECKPOINT:
            self._written = now
            self.write(self.counts.soak(), self.counts.canaries())
        self._tell(second, now)

    def _judged(self, at: float) -> bool:
        begins, ends = self.spec.judged
        return begins <= at < ends

    def write(self, part: dict[str, Any], canaries: dict[str, Any]) -> None:
        """Keep what it came to so far; `part` and `canaries` are those of this part."""
        record, (begins, ends) = self._context.record, self._planned.judged
        whole = {"began": self.first, "ended": record.elapsed(), "planned": ends - begins}
        record.fact(
            "soak", {**whole, "users": self.spec.users, "gaps": self.gaps, **together(self.earlier, part)}
        )
        record.fact("service", self.service.plain())
        record.fact("restarts", self.restarts.plain())
        record.measurement(self._peak.measurement())
        if found := found_together(self._shown, canaries):
            record.fact("canaries", found)

    def _tell(self, second: Second, now: float) -> None:
        alert = None
        if second.counts.get(SEEN) and not self._told:
            self._told = True
            alert = Alert("violation", "soak.isolation: a user was shown another user's data")
        said = " · ".join(filter(None, (f"{second.users:,} users", self._foresight(now))))
        figures = {"rate": second.rate, "p95": second.p95, "error_rate": second.error_rate}
        known = {name: float(value) for name, value in figures.items() if value is not None}
        done = self._planned.seconds - self.spec.seconds + second.at
        share = min(1.0, done / self._planned.seconds)
        self._context.notify(Progress(share, said, {**known, "users": float(second.users)}, alert=alert))


async def soak(context: PhaseContext) -> None:
    """Run it to its end, or until it is stopped, and ask the target then how it is."""
    settings: StabilitySettings = context.settings
    await _record_memory_before(context)
    running = Soak(context)
    plan = LoadPlan(
        context.target,
        context.vocabulary,
        running.spec,
        running.seed,
        settings.workers,
        canaries=carries_canaries(context.vocabulary),
    )
    with context.monitored.listen(running.hear):
        outcome = await run_load(plan, clock=context.clock, stop=context.stop, on_second=running.see)
    running.windows.end()
    running.write(_part(outcome), seen(outcome, running.seed))
    asked = together(running.earlier, _part(outcome))["asked"]
    context.record.measurement(Measurement.exact("requests", asked, unit="requests", count=asked))
    context.record.measurement(measured("after", memory_now(context.monitored)))
    await record_aftermath(context)


async def _record_memory_before(context: PhaseContext) -> None:
    """The target's memory before any load; the monitor may need some readings to find its process."""
    if context.earlier and context.earlier.find("memory.before"):
        return
    give_up = context.clock.now_ns() + LOOKING_NS
    while memory_now(context.monitored) is None and context.clock.now_ns() < give_up:
        await context.clock.sleep_until(context.clock.now_ns() + PAUSE_NS)
    context.record.measurement(measured("before", memory_now(context.monitored)))


def _part(outcome: LoadOutcome) -> dict[str, Any]:
    """What this part of the soak came to."""
    held = [tally for (_, stage), tally in outcome.tallies.items() if stage is Stage.HOLD]
    return {
        "held": outcome.hold_seconds,
        "asked": sum(each.asked for each in held),
        "failed": sum(each.failed for each in held),
        "longest_stall": outcome.longest_stall,
        "load_reached": outcome.load_reached,
        "saturation": outcome.generator.saturation(),
        "generator": asdict(outcome.generator),
        "errors": [
            {"operation": each.operation, "kind": str(each.kind), "count": each.count}
            for each in sorted(outcome.errors, key=lambda group: -group.count)[:MOST_ERRORS]
        ],
    }


async def record_aftermath(context: PhaseContext) -> None:
    """Ask the target how it is, until it is well or has had time enough."""
    give_up = context.clock.now_ns() + PATIENCE_NS
    report = await health(context.target)
    while not report.ok and context.clock.now_ns() < give_up and not context.stop.requested:
        await context.clock.sleep_until(context.clock.now_ns() + PAUSE_NS)
        report = await health(context.target)
    context.record.fact("afterwards", {"well": report.ok, "detail": report.detail})
