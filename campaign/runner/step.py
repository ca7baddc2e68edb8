"""One phase, run to exactly one result: completed, skipped, error or interrupted, with whatever it had
recorded.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from campaign.clock import SECOND, Clock
from campaign.config.plan import Campaign
from campaign.events import Alerted, Events, PhaseBegan, PhaseProgressed
from campaign.evidence import EvidenceLog
from campaign.monitor.feed import Feed
from campaign.phase import PhaseContext, Progress, Resuming, Stop, is_disruptive
from campaign.records import Evidence, PhaseResult, Reason, ReasonKind, Status, StopReason
from campaign.runner.earlier import Earlier
from campaign.runner.halt import Halt
from campaign.runner.interrupt import Interrupt
from campaign.runner.judging import Judged, judge, told
from campaign.runner.plan import Step

GRACE = 30.0
"""Seconds a phase gets to end cleanly once it was asked to, before it is cancelled."""

LAST_GRACE = 5.0
"""Seconds a cancelled phase gets before it is left behind."""

HEALING_GRACE = 300.0
"""Seconds a cancelled phase gets that breaks things: it puts them back, however often it is cancelled."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What all phases of one campaign share; `elapsed` gives seconds since the campaign began."""

    campaign: Campaign
    folder: Path
    seed: int
    clock: Clock
    elapsed: Callable[[], float]
    redact: Callable[[str], str]
    events: Events
    interrupt: Interrupt
    halt: Halt
    feed: Feed
    baseline: dict[str, Evidence]
    earlier: Earlier | None = None


async def run_step(step: Step, around: Surroundings) -> PhaseResult:
    """The result of this phase, whatever happens in it."""
    began = around.clock.wall()
    log, earlier = _begin(step, around)
    seconds = step.seconds
    if earlier is not None and isinstance(step.phase, Resuming):
        seconds = step.phase.seconds_left(step.settings, earlier)
    around.events.emit(PhaseBegan(step.label, seconds))
    if around.baseline and step.label not in around.baseline:
        log.note(f"The baseline has no phase {step.label}, so nothing here was compared with it.")
    try:
        reason = await _collect(step, log, around=around, earlier=earlier)
        evidence = log.evidence()
    finally:
        log.close()
    findings, crash = _judge(step, evidence, around=around)
    reason = reason or crash
    status = _status(reason)
    info = step.phase.info
    times = began, around.clock.wall()
    return PhaseResult(step.label, info.name, info.title, status, evidence, findings, *times, reason)


def _begin(step: Step, around: Surroundings) -> tuple[EvidenceLog, Evidence | None]:
    """The phase's log and, where it can go on with what is in it of a run that was broken off, that."""
    resumed = around.earlier is not None and isinstance(step.phase, Resuming)
    if around.earlier is not None and resumed:
        around.earlier.hand_over_phase(step.label, around.folder)
    file = around.folder / "evidence" / f"{step.label}.jsonl"
    log = EvidenceLog(file, around.elapsed, redact=around.redact)
    earlier = log.evidence()
    if not resumed or earlier == Evidence():
        return log, None
    began, ended = log.gap()
    log.note(f"This run was broken off; nothing was seen from {began:,.0f} s to {ended:,.0f} s.")
    return log, earlier


def taken_over(step: Step, earlier: Earlier, around: Surroundings) -> PhaseResult:
    """The result of a phase that came to its end before the run was broken off, judged again."""
    earlier.hand_over_phase(step.label, around.folder)
    file = around.folder / "evidence" / f"{step.label}.jsonl"
    log = EvidenceLog(file, around.elapsed, redact=around.redact)
    log.note("Taken over from the run that was broken off.")
    evidence = log.evidence()
    log.close()
    findings, crash = _judge(step, evidence, around=around)
    info = step.phase.info
    names = step.label, info.name, info.title
    return PhaseResult(*names, _status(crash), evidence, findings, *earlier.completed[step.label], crash)


def left_out(step: Step, reason: Reason, around: Surroundings) -> PhaseResult:
    """The result of a phase that did not run."""
    info = step.phase.info
    wanted = reason.kind is not ReasonKind.REQUESTED
    findings, _ = _judge(step, Evidence(), around=around) if wanted else ((), None)
    at = around.clock.wall()
    names = step.label, info.name, info.title
    status = Status.INTERRUPTED if reason.kind is ReasonKind.INTERRUPTED else Status.SKIPPED
    return PhaseResult(*names, status, Evidence(), findings, at, at, reason)


def _status(reason: Reason | None) -> Status:
    if reason is None:
        return Status.COMPLETED
    return Status.INTERRUPTED if reason.kind in ENDED_EARLY else Status.ERROR


ENDED_EARLY = (ReasonKind.INTERRUPTED, ReasonKind.STOPPED)
"""Why a phase that did nothing wrong is not complete."""


async def _collect(
    step: Step, log: EvidenceLog, *, around: Surroundings, earlier: Evidence | None
) -> Reason | None:
    """Let the phase observe; None when it came to its end by itself, else why it did not."""
    allowed = _deadline_seconds(step.seconds)
    stop = Stop(around.clock.now_ns() + round(allowed * SECOND))
    context = replace(_context(step, log, stop=stop, around=around), earlier=earlier)
    task = asyncio.create_task(_contained(step, context))
    aimed = around.interrupt.aimed_at(soft=stop.request, hard=task.cancel)
    with aimed, around.halt.aimed_at(stop.request):
        if around.interrupt.count:
            stop.request()
        last = HEALING_GRACE if is_disruptive(step.phase, step.settings) else LAST_GRACE
        late = await _within(task, stop, seconds=allowed, last=last)
    if late:
        return Reason(ReasonKind.DEADLINE, f"not finished after {allowed:.0f} s, so it was ended")
    if around.interrupt.count:
        return Reason(ReasonKind.INTERRUPTED, "interrupted by the user and judged on what was recorded")
    if around.halt.why and (not task.done() or task.cancelled() or not task.result()):
        return Reason(ReasonKind.STOPPED, f"{around.halt.why}, and judged on what was recorded")
    crash = _crash(task)
    return Reason(ReasonKind.CRASHED, around.redact(crash)) if crash else None


def _crash(task: asyncio.Task[BaseException | None]) -> str:
    """How a phase that nobody asked to end broke off, or "" when it came to its end."""
    if not task.done():
        return "it asked itself to stop, and did not"
    if task.cancelled():
        return "its own work was cancelled"
    error = task.result()
    return told(error) if error else ""


def _deadline_seconds(planned: float) -> float:
    """What a phase may take: half as long again as planned, and two minutes for slow answers at its end."""
    return planned * 1.5 + 120.0


async def _within(
    task: asyncio.Task[BaseException | None], stop: Stop, *, seconds: float, last: float
) -> bool:
    """Wait for the phase: ask it to end when its time is up or the user says so, then insist. True: it was
    late.
    """
    asked = asyncio.create_task(stop.wait())
    await asyncio.wait({task, asked}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    late = not task.done() and not stop.requested
    stop.request()
    await asyncio.wait({task}, timeout=GRACE)
    if not task.done():
        task.cancel()
        await asyncio.wait({task}, timeout=last)
    asked.cancel()
    return late


async def _contained(step: Step, context: PhaseContext) -> BaseException | None:
    """Run the phase; what it raises is returned, so that a foreign SystemExit cannot end the campaign."""
    try:
        await step.phase.collect(context)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - a crashed phase is data
        return error
    return None


def _context(step: Step, log: EvidenceLog, *, stop: Stop, around: Surroundings) -> PhaseContext:
    workdir = around.folder / "work" / step.label
    return PhaseContext(
        target=around.campaign.target,
        vocabulary=around.campaign.vocabulary,
        settings=step.settings,
        clock=around.clock,
        seed=around.seed,
        workdir=workdir,
        baseline=around.baseline.get(step.label),
        record=log,
        notify=lambda progress: _notify(step, progress, around=around),
        stop=stop,
        monitored=around.feed,
    )


def _notify(step: Step, progress: Progress, *, around: Surroundings) -> None:
    around.events.emit(PhaseProgressed(step.label, progress))
    if progress.alert is not None:
        around.events.emit(Alerted(step.label, progress.alert.kind, progress.alert.text))
        if progress.alert.kind in around.campaign.stop_on:
            why = f"stopped at the first {progress.alert.kind}, seen in {step.label}"
            around.halt.ask(why, StopReason.STOPPED_AT_VIOLATION)


def _judge(step: Step, evidence: Evidence, *, around: Surroundings) -> Judged:
    findings, crash = judge(step.phase, evidence, settings=step.settings)
    return findings, crash and replace(crash, text=around.redact(crash.text))
