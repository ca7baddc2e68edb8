"""The load phase's evidence: run each scenario, record every second as it comes and the figures at its
end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from campaign.load.fleet import run_load
from campaign.load.outcome import LoadOutcome, Second
from campaign.load.pacer import BEGUN
from campaign.load.sightings import carries_canaries, seen
from campaign.load.spec import LoadPlan, Model, ScenarioSpec
from campaign.phase import PhaseContext, Progress
from campaign.records import Measurement
from phases.load.accounts import Accounts
from phases.load.aftermath import record_aftermath
from phases.load.baseline import NONE_GIVEN, ratio, why_not_compared
from phases.load.canaries import Alarm
from phases.load.counts import short_of_users
from phases.load.figures import measurements
from phases.load.halt import Halt
from phases.load.judge import REGRESSION
from phases.load.settings import LoadSettings
from phases.load.simulated import simulated, told
from phases.load.subjects import Subjects
from phases.load.tables import plain
from phases.load.watch import Watch


@dataclass(slots=True)
class _Account:
    """What was recorded of the scenarios so far."""

    scenarios: list[dict[str, object]] = field(default_factory=list)
    spans: list[dict[str, object]] = field(default_factory=list)
    accounts: Accounts = field(default_factory=Accounts)
    requests: int = 0


async def run_scenarios(context: PhaseContext) -> None:
    """Run all scenarios in the order of the file until one is stopped, each recorded before the next begins;
    then ask the target how it is.
    """
    settings: LoadSettings = context.settings
    subjects = Subjects.of(context.vocabulary)
    specs = {name: scenario.spec(name) for name, scenario in settings.scenarios.items()}
    whole = sum(spec.seconds for spec in specs.values())
    before = 0.0
    account = _Account()
    if networks := simulated(context.vocabulary):
        context.record.fact("simulated", networks)
        context.record.note(told(networks))
    if context.vocabulary.choice:
        context.record.note(context.vocabulary.choice)
        context.record.fact("choice", context.vocabulary.choice)
    for name, spec in specs.items():
        if context.stop.requested:
            break
        planned, rules = settings.planned_for(name), settings.aborts(name)
        watch = Watch(spec, subjects, limits=planned, rules=rules)
        began = context.record.elapsed()
        alarm = Alarm(name)
        progress = _progress(context, spec, alarm=alarm, before=before, whole=whole)
        outcome = await _run(context, spec, watch=watch, on_second=progress)
        account.spans.append({"name": name, "began": began, "ended": context.record.elapsed()})
        _record(context, outcome, watch=watch, subjects=subjects, account=account)
        before += spec.seconds
        if late := alarm(outcome.counts):
            context.notify(Progress(min(1.0, before / whole), late.text, alert=late))
        if watch.aborted:
            context.record.note(f"Scenario {name} was aborted: {watch.aborted.why}.")
            break
    if account.scenarios:
        await record_aftermath(context)


async def _run(
    context: PhaseContext, spec: ScenarioSpec, *, watch: Watch, on_second: Callable[[Second], None]
) -> LoadOutcome:
    settings: LoadSettings = context.settings
    scenario = settings.scenarios[spec.name]
    plan = LoadPlan(
        context.target,
        context.vocabulary,
        spec,
        context.seed,
        _workers(settings.worker_count(scenario), context.target.connection.most),
        views=settings.views(spec.name),
        canaries=carries_canaries(context.vocabulary),
    )
    if short := short_of_users(plan):
        context.record.note(short)
    halt = Halt(context.stop)

    def see(second: Second) -> None:
        on_second(second)
        watch.see(second)
        if watch.aborted:
            halt.request()

    return await run_load(
        plan,
        clock=context.clock,
        stop=halt,
        on_second=see,
        fleet=settings.fleet,
        warn=lambda shortage: context.record.note(f"Scenario {spec.name}: {shortage}."),
    )


def _workers(wanted: int, connections: int) -> int:
    """Each worker has a connection at least, where they are limited."""
    return min(wanted, connections) if connections else wanted


def _progress(
    context: PhaseContext, spec: ScenarioSpec, *, alarm: Alarm, before: float, whole: float
) -> Callable[[Second], None]:
    """A listener that records each second of this scenario and tells the user how far it is."""
    offset: list[float] = []

    def on_second(second: Second) -> None:
        if not offset:
            offset.append(context.record.elapsed() - second.at)
        context.record.points(round(offset[0] + second.at, 3), _points(spec, second))
        share = min(1.0, (before + second.at) / whole)
        said = f"{spec.name}: {second.users:,} users"
        context.notify(Progress(share, said, _figures(second), alert=alarm(second.counts)))

    return on_second


def _points(spec: ScenarioSpec, second: Second) -> dict[str, tuple[float | None, str]]:
    points: dict[str, tuple[float | None, str]] = {
        f"{spec.name}.p50": (second.p50, "s"),
        f"{spec.name}.p95": (second.p95, "s"),
        f"{spec.name}.rate": (second.rate, "1/s"),
        f"{spec.name}.error_rate": (second.error_rate, "share"),
        f"{spec.name}.users": (float(second.users), "users"),
    }
    if spec.model is Model.OPEN:
        asked = spec.profile.area_until(second.at + 1) - spec.profile.area_until(second.at)
        begun = second.counts.get(BEGUN, 0) if _judged(spec, second) else None
        points[f"{spec.name}.arrivals_asked"] = (asked, "1/s")
        points[f"{spec.name}.arrivals_begun"] = (begun, "1/s")
    return points


def _judged(spec: ScenarioSpec, second: Second) -> bool:
    """Whether the whole second is judged: only there arrivals are counted."""
    begins, ends = spec.judged
    return begins <= second.at and second.at + 1 <= ends


def _figures(second: Second) -> dict[str, float]:
    figures = {"rate": second.rate, "p95": second.p95, "error_rate": second.error_rate, "users": second.users}
    return {name: float(value) for name, value in figures.items() if value is not None}


def _record(
    context: PhaseContext, outcome: LoadOutcome, *, watch: Watch, subjects: Subjects, account: _Account
) -> None:
    name, table = outcome.scenario.name, plain(outcome, subjects)
    of_watch = watch.measurements(name)
    figures = {
        each.name: each for each in (*measurements(outcome, context.settings, subjects=subjects), *of_watch)
    }
    why_not = why_not_compared(context.baseline, outcome.scenario, choice=context.vocabulary.choice)
    if why_not not in {"", NONE_GIVEN}:
        context.record.note(f"Scenario {name} was not compared with the baseline: {why_not}.")
    compared = () if why_not else _compared(context, figures, scenario=table)
    for each in (*figures.values(), *compared):
        context.record.measurement(each)
    canaries = seen(outcome, context.seed)
    account.scenarios.append(
        {**table, **watch.facts(), "not_compared": why_not, **({"canaries": canaries} if canaries else {})}
    )
    account.accounts.add(outcome, context.vocabulary)
    account.accounts.record(context)
    account.requests += sum(tally.count for tally in outcome.tallies.values())
    requests = account.requests
    context.record.measurement(Measurement.exact("requests", requests, unit="requests", count=requests))
    context.record.fact("scenarios", account.scenarios)
    context.record.fact("spans", account.spans)


def _compared(
    context: PhaseContext, figures: dict[str, Measurement], *, scenario: dict[str, Any]
) -> Iterator[Measurement]:
    """Every operation's p95 over the baseline's, and every figure that a limit holds against it."""
    settings: LoadSettings = context.settings
    usual = [f"{scenario['name']}.{each['name']}.p95" for each in scenario["operations"]]
    wanted = [(figure, figure + REGRESSION) for figure in usual]
    wanted += [(each.figure, each.name) for each in settings.planned_for(scenario["name"]) if each.graded.of]
    for figure, name in wanted:
        if context.baseline is not None and (now := figures.get(figure)) is not None:
            compared = ratio(context.baseline, now, name=name)
            if compared is not None:
                yield compared
