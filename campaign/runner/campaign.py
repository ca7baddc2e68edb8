"""A campaign from a plan to a written report; the numbered steps of `campaign.runner` in code."""

from __future__ import annotations

import asyncio
import re
import secrets
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from campaign.clock import SECOND, Clock, RealClock
from campaign.config.plan import Campaign
from campaign.errors import ReportError
from campaign.eventlog import EventLog
from campaign.events import (
    CampaignBegan,
    CampaignEnded,
    Events,
    Listener,
    Notice,
    PhaseEnded,
    PlannedPhase,
)
from campaign.evidence import EvidenceLog
from campaign.monitor.feed import Feed
from campaign.monitor.sampler import monitoring
from campaign.monitor.source import Reading
from campaign.notify.message import Wording
from campaign.notify.webhook import Silence, Webhook
from campaign.phase import Phase
from campaign.records import (
    CampaignResult,
    Evidence,
    PhaseResult,
    Reason,
    ReasonKind,
    Run,
    StopReason,
)
from campaign.redact import Redactor, masked
from campaign.registry import partials
from campaign.report.write import write_all
from campaign.runner.alerting import Alerting
from campaign.runner.earlier import Earlier
from campaign.runner.halt import Halt
from campaign.runner.interrupt import Interrupt, on_signals
from campaign.runner.plan import Selection, Step, make_plan
from campaign.runner.preflight import check_guard, find_target, look_before, urls_of
from campaign.runner.restored import check_whole, sole, with_what_is_left
from campaign.runner.standing import Stand, standing
from campaign.runner.step import Surroundings, left_out, run_step, taken_over
from campaign.runner.surroundings import describe_environment
from campaign.runner.verdict import conclude
from campaign.scoring import phase_score
from campaign.target.guard import check_environment


@dataclass(frozen=True, slots=True)
class Options:
    """How to run, beyond what the campaign file says; `output` is the folder that gets a folder per run,
    `feed` takes in what is monitored, and `earlier` is a run that was broken off, to go on with.
    """

    selection: Selection = field(default_factory=Selection)
    output: Path = Path("reports")
    seed: int | None = None
    allow_production: bool = False
    baseline: CampaignResult | None = None
    listeners: tuple[Listener, ...] = ()
    feed: Feed = field(default_factory=Feed)
    earlier: Earlier | None = None


@dataclass(frozen=True, slots=True)
class Finished:
    """A campaign's result and the folder where its reports are."""

    result: CampaignResult
    folder: Path


async def run_campaign(
    campaign: Campaign, phases: dict[str, Phase], *, options: Options, interrupt: Interrupt
) -> Finished:
    """The finished campaign, its reports written. Raises ConfigurationError, RefusedError, ReportError."""
    steps = make_plan(campaign, phases, selection=options.selection)
    check_environment(campaign.target.environment, allow_production=options.allow_production)
    await check_guard(campaign.target, also=urls_of(steps))
    await check_whole(campaign.target.url)
    await look_before(steps, campaign.target)
    if options.selection.quick:  # wherever its name stands, a reader sees that this run proves less
        scoring = replace(campaign.scoring, quick=True)
        campaign = replace(campaign, name=f"{campaign.name} (quick)", scoring=scoring)
    if options.earlier is not None:
        options.earlier.check(campaign.name)
    with sole(campaign.target.url, steps, run=campaign.name):
        return await _run(campaign, phases, steps, options=options, interrupt=interrupt)


async def _run(
    campaign: Campaign,
    phases: dict[str, Phase],
    steps: tuple[Step, ...],
    *,
    options: Options,
    interrupt: Interrupt,
) -> Finished:
    clock = RealClock()
    folder = new_folder(options.output, campaign.name, clock)
    if options.earlier is not None:
        options.earlier.hand_over(folder)
    redact = Redactor(campaign.secrets)
    log = EventLog(folder / "events.jsonl", clock, redact=redact)
    webhook = webhook_of(campaign, redact)
    events = Events((log, *options.listeners, webhook))
    around = _surroundings(campaign, options, folder=folder, events=events, interrupt=interrupt)
    try:
        events.emit(_began(steps, around))
        with on_signals(interrupt, asyncio.get_running_loop()):
            result = await _observe(steps, around)
            events.emit(CampaignEnded(result))
            write_all(result, folder, partials=partials(phases))
            if undelivered := await asyncio.to_thread(webhook.close):
                result = _with_note(result, undelivered)
                events.emit(Notice(undelivered))
                write_all(result, folder, partials=partials(phases))
    finally:
        webhook.close(0.0)
        log.close()
    return Finished(result, folder)


def webhook_of(campaign: Campaign, redact: Redactor) -> Webhook | Silence:
    notify = campaign.notify
    if not notify.webhook:
        return Silence()
    return Webhook(notify.webhook, Wording(notify.on, redact=redact), redact=redact)


def _with_note(result: CampaignResult, note: str) -> CampaignResult:
    seen = result.monitoring
    return replace(result, monitoring=replace(seen, notes=(*seen.notes, note)))


async def _observe(steps: tuple[Step, ...], around: Surroundings) -> CampaignResult:
    """Steps 3 to 6: is the target there, watch, run every phase, conclude."""
    began = around.earlier.began if around.earlier else around.clock.wall()
    log = EvidenceLog(around.folder / "evidence" / "monitoring.jsonl", around.elapsed, redact=around.redact)
    if around.earlier is not None:
        log.gap()
    try:
        async with standing(steps, log.note) as stand:
            report, absent = await find_target(around.campaign.target, around.clock)
            environment = masked(describe_environment(around.campaign.target, report), around.redact)
            results = await _watched(steps, around, log=log, absent=absent, stand=stand)
        seen = log.evidence()
    finally:
        log.close()
    stop = _stop_reason(around, absent)
    configuration = _configuration(around.campaign, steps)
    ended = around.clock.wall()
    name, url = around.campaign.name, around.campaign.target.url
    run = Run(name, url, began, ended, around.seed, stop, environment, configuration)
    return conclude(run, results, monitoring=seen, policy=around.campaign.scoring)


async def _watched(
    steps: tuple[Step, ...], around: Surroundings, *, log: EvidenceLog, absent: Reason | None, stand: Stand
) -> tuple[PhaseResult, ...]:
    """The results of all steps, with the machine and the processes watched beside them."""
    campaign = around.campaign
    alerting = Alerting(campaign, log, events=around.events, halt=around.halt)

    def sink(reading: Reading) -> None:
        at = log.elapsed()
        log.points(at, reading)
        around.feed.hear(at, reading)
        alerting.hear(at, reading)

    watching = monitoring(campaign.target, sink, clock=around.clock, interval=campaign.monitor.interval)
    async with watching as process:
        results = await _run_phases(steps, around, absent=absent, stand=stand)
    alerting.end()
    if not process.ever_seen:
        log.note("The target's process was not found on this machine, so it was not watched.")
    return results


async def _run_phases(
    steps: tuple[Step, ...], around: Surroundings, *, absent: Reason | None, stand: Stand
) -> tuple[PhaseResult, ...]:
    """Exactly one result per step, in order."""
    results: list[PhaseResult] = []
    for step in steps:
        result = await _one_result(step, around, absent=absent, stand=stand)
        results.append(result)
        around.events.emit(PhaseEnded(result, phase_score(result)))
    return tuple(results)


async def _one_result(
    step: Step, around: Surroundings, *, absent: Reason | None, stand: Stand
) -> PhaseResult:
    if around.earlier is not None and not step.left_out and step.label in around.earlier.completed:
        return taken_over(step, around.earlier, around)
    reason = step.left_out or absent or _interrupted(around.interrupt) or _halted(around.halt)
    if reason is None and around.elapsed() > FRESH:
        _, reason = await find_target(around.campaign.target, around.clock)
    if reason is not None:
        return left_out(step, reason, around)
    await stand.beside(step)
    return with_what_is_left(await run_step(step, around), around.folder)


FRESH = 5.0
"""Seconds for which the target's first answer is taken as news; later phases ask again before they start."""


def _interrupted(interrupt: Interrupt) -> Reason | None:
    if not interrupt.count:
        return None
    return Reason(ReasonKind.INTERRUPTED, "not started, as the campaign was interrupted before")


def _halted(halt: Halt) -> Reason | None:
    return Reason(ReasonKind.STOPPED, f"not run: {halt.why}") if halt.why else None


def _stop_reason(around: Surroundings, absent: Reason | None) -> StopReason:
    if around.interrupt.count:
        return StopReason.INTERRUPTED
    if around.halt.why:
        return around.halt.reason
    return StopReason.TARGET_UNREACHABLE if absent else StopReason.FINISHED


def _surroundings(
    campaign: Campaign, options: Options, *, folder: Path, events: Events, interrupt: Interrupt
) -> Surroundings:
    clock = RealClock()
    began_ns, earlier = clock.now_ns(), options.earlier
    before = earlier.elapsed_until(clock.wall()) if earlier else 0.0
    return Surroundings(
        campaign=campaign,
        folder=folder,
        seed=_seed(options),
        clock=clock,
        elapsed=lambda: before + (clock.now_ns() - began_ns) / SECOND,
        redact=Redactor(campaign.secrets),
        events=events,
        interrupt=interrupt,
        halt=Halt(),
        feed=options.feed,
        baseline=_evidence_of(options.baseline),
        earlier=earlier,
    )


def _seed(options: Options) -> int:
    if options.seed is not None:
        return options.seed
    return options.earlier.seed if options.earlier else secrets.randbelow(1_000_000)


def _evidence_of(baseline: CampaignResult | None) -> dict[str, Evidence]:
    return {result.phase: result.evidence for result in baseline.results} if baseline else {}


def _began(steps: tuple[Step, ...], around: Surroundings) -> CampaignBegan:
    campaign = around.campaign
    plan = tuple(
        PlannedPhase(step.label, step.phase.info.title, step.seconds, step.left_out) for step in steps
    )
    target = campaign.target
    return CampaignBegan(campaign.name, target.url, target.environment, around.seed, str(around.folder), plan)


def _configuration(campaign: Campaign, steps: tuple[Step, ...]) -> dict[str, Any]:
    """The campaign file as it was read, with the settings that were run (quick ones, say) and the policy."""
    phases = {
        step.label: {"phase": step.phase.info.name, "settings": step.settings.model_dump(mode="json")}
        for step in steps
    }
    policy = campaign.scoring
    scoring = {
        "weights": dict(policy.weights), "required": list(policy.required), "pass": policy.pass_mark,
        "quick": policy.quick,
    }  # fmt: skip
    file = masked(campaign.configuration, Redactor(campaign.secrets))
    return {**file, "phases": phases, "scoring": scoring}


def new_folder(output: Path, name: str, clock: Clock) -> Path:
    """A fresh folder `<name>-<UTC time>` below `output`. Raises ReportError."""
    slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:60] or "campaign"
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(clock.wall()))
    for number in range(1, 100):
        folder = output / (f"{slug}-{stamp}" + (f"-{number}" if number > 1 else ""))
        try:
            folder.mkdir(parents=True)
        except FileExistsError:
            continue
        except OSError as error:
            raise ReportError(f"cannot make the output folder {folder}: {error.strerror}") from error
        return folder
    raise ReportError(f"cannot find a free name for the output folder below {output}")
