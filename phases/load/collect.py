"""The load phase's evidence: run each scenario, record every second as it comes and the figures at its
end.
"""

from __future__ import annotations

from collections.abc import Callable

from campaign.load.fleet import run_load
from campaign.load.spec import LoadOutcome, LoadPlan, ScenarioSpec, Second
from campaign.phase import PhaseContext, Progress
from campaign.records import Evidence, Measurement
from phases.load.aftermath import record_aftermath
from phases.load.figures import measurements, plain, start_only
from phases.load.judge import REGRESSION
from phases.load.settings import LoadSettings, Scenario


async def run_scenarios(context: PhaseContext) -> None:
    """Run all scenarios in the order of the file until one is stopped, each recorded before the next begins;
    then ask the target how it is.
    """
    settings: LoadSettings = context.settings
    whole = sum(scenario.spec(name).seconds for name, scenario in settings.scenarios.items())
    before = 0.0
    records: list[dict[str, object]] = []
    spans: list[dict[str, object]] = []
    for name, scenario in settings.scenarios.items():
        if context.stop.requested:
            break
        began = context.record.elapsed()
        progress = _progress(context, name, before=before, whole=whole)
        outcome = await _run(context, name, scenario=scenario, on_second=progress)
        records.append(plain(outcome, start_only(context.vocabulary)))
        spans.append({"name": name, "began": began, "ended": context.record.elapsed()})
        _record(context, outcome, records=records, spans=spans)
        before += scenario.spec(name).seconds
    if records:
        await record_aftermath(context)


async def _run(
    context: PhaseContext, name: str, *, scenario: Scenario, on_second: Callable[[Second], None]
) -> LoadOutcome:
    workers = context.settings.worker_count(scenario)
    plan = LoadPlan(context.target, context.vocabulary, scenario.spec(name), context.seed, workers)
    return await run_load(plan, clock=context.clock, stop=context.stop, on_second=on_second)


def _progress(
    context: PhaseContext, scenario: str, *, before: float, whole: float
) -> Callable[[Second], None]:
    """A listener that records each second of this scenario and tells the user how far it is."""
    offset: list[float] = []

    def on_second(second: Second) -> None:
        if not offset:
            offset.append(context.record.elapsed() - second.at)
        context.record.points(round(offset[0] + second.at, 3), _points(scenario, second))
        share = min(1.0, (before + second.at) / whole)
        context.notify(Progress(share, f"{scenario}: {second.users:,} users", _figures(second)))

    return on_second


def _points(scenario: str, second: Second) -> dict[str, tuple[float | None, str]]:
    return {
        f"{scenario}.p50": (second.p50, "s"),
        f"{scenario}.p95": (second.p95, "s"),
        f"{scenario}.rate": (second.rate, "1/s"),
        f"{scenario}.error_rate": (second.error_rate, "share"),
        f"{scenario}.users": (float(second.users), "users"),
    }


def _figures(second: Second) -> dict[str, float]:
    figures = {"rate": second.rate, "p95": second.p95, "error_rate": second.error_rate, "users": second.users}
    return {name: float(value) for name, value in figures.items() if value is not None}


def _record(
    context: PhaseContext,
    outcome: LoadOutcome,
    *,
    records: list[dict[str, object]],
    spans: list[dict[str, object]],
) -> None:
    then = _baseline(context, outcome.scenario)
    for measurement in measurements(outcome, context.settings, start_only=start_only(context.vocabulary)):
        context.record.measurement(measurement)
        if then is not None and (slower := _regression(then, measurement)) is not None:
            context.record.measurement(slower)
    total = sum(tally.count for tally in outcome.tallies.values())
    already = sum(int(record["requests"]) for record in records[:-1])  # type: ignore[call-overload]
    requests = already + total
    context.record.measurement(Measurement.exact("requests", requests, unit="requests", count=requests))
    context.record.fact("scenarios", records)
    context.record.fact("spans", spans)


def _baseline(context: PhaseContext, scenario: ScenarioSpec) -> Evidence | None:
    """The baseline's evidence, if it saw this scenario with as many users; a note says why not."""
    if context.baseline is None:
        return None
    users = {each["name"]: each["users"] for each in context.baseline.facts.get("scenarios", ())}
    then = users.get(scenario.name)
    if then == scenario.users:
        return context.baseline
    why = "which it does not have" if then is None else f"which had {then:,} users there"
    context.record.note(f"Scenario {scenario.name} was not compared with the baseline, {why}.")
    return None


def _regression(baseline: Evidence, now: Measurement) -> Measurement | None:
    """This p95 over the baseline's: the ratio with the limits that both intervals allow."""
    then = baseline.find(now.name)
    if not now.name.endswith(".p95") or then is None or not then.value:
        return None
    name, unit = now.name + REGRESSION, "x the baseline"
    if now.value is None:
        return Measurement(name, None, unit)
    low = now.low / then.high if now.low is not None and then.high else None
    high = now.high / then.low if now.high is not None and then.low else None
    return Measurement(name, now.value / then.value, unit, now.count, low, high)
