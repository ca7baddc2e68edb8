"""The load phase's verdict: its limits against its evidence, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from campaign import checks
from campaign.records import Direction, Evidence, Finding, Limit, Measurement, Outcome, Severity
from phases.load.aborting import abort_of, judge_aborts
from phases.load.accounts import judge_accounts
from phases.load.aftermath import judge_aftermath
from phases.load.baseline import NONE_GIVEN
from phases.load.canaries import judge_canaries
from phases.load.evenness import judge_evenness
from phases.load.limits import DEFAULT_LIMITS, PlannedLimit
from phases.load.ourselves import delay, our_fault, saturation
from phases.load.overtime import with_stretch
from phases.load.reasons import reasoned
from phases.load.settings import LoadSettings
from phases.load.soundness import judge_broken, judge_unasked, judge_unfinished, weighed
from phases.load.subjects import ALL
from phases.load.unsent import judge_unsent

SMALLEST_STEP = 0.005
"""Seconds; a p95 that moved by less than this between two runs is not called a regression."""

REGRESSION = ".regression"
"""How the measurement of an operation's p95 over its p95 in the baseline ends."""


def judge_load(evidence: Evidence, settings: LoadSettings) -> tuple[Finding, ...]:
    """One finding per planned limit, also for a scenario that was never reached; before them what was not
    sent and what was aborted, after them error spikes, whether the target outlived it, and the regressions.
    """
    run = {scenario["name"]: scenario for scenario in evidence.facts.get("scenarios", ())}
    aborted = abort_of(run.values())
    limits = tuple(
        _against_limit(planned, evidence, run.get(planned.scenario), aborted=aborted)
        for planned in settings.planned()
    )
    return (
        *(finding for scenario in run.values() for finding in judge_unsent(scenario)),
        *(finding for scenario in run.values() for finding in judge_unfinished(scenario)),
        *(finding for scenario in run.values() for finding in judge_unasked(scenario)),
        *(finding for scenario in run.values() for finding in judge_canaries(scenario)),
        *_broken(run, settings),
        *judge_aborts(run.values()),
        *limits,
        *(finding for scenario in run.values() for finding in judge_evenness(scenario, settings)),
        judge_aftermath(evidence),
        *judge_accounts(evidence),
        *_regressions(evidence, settings, run),
    )


def _broken(run: dict[str, dict[str, Any]], settings: LoadSettings) -> Iterator[Finding]:
    for name, scenario in run.items():
        rates = [each for each in settings.planned_for(name) if each.metric.name == "error_rate"]
        yield from judge_broken(scenario, limited={each.subject for each in rates})


def _against_limit(
    planned: PlannedLimit, evidence: Evidence, scenario: dict[str, Any] | None, *, aborted: str
) -> Finding:
    subject = _subject(planned)
    if scenario is None:
        why = aborted or f"scenario {planned.scenario} was not run to its end"
        return _undecided(planned, f"{why}, so {subject} is not known")
    subject = f"{subject}, {planned.scenario} ({_users(scenario)})"
    if ours := our_fault(scenario, planned.metric.name):
        return _undecided(planned, f"{subject} says nothing of the target: {ours}")
    if planned.graded.of and (finding := _not_compared(planned, evidence, scenario, subject=subject)):
        return finding
    finding = checks.within(
        planned.name,
        evidence.find(planned.name),
        limit=_limit(planned, evidence),
        subject=subject,
        severity=planned.graded.severity,
        remedy=planned.metric.remedy,
        doubt=_doubt(scenario),
    )
    if planned.metric.is_lengthened:
        finding = checks.excused(finding, delay(scenario))
    finding = reasoned(weighed(finding, _limit(planned, evidence)), planned, scenario)
    if planned.graded.of:
        return _unless_too_small(finding, evidence, figure=planned.figure)
    return with_stretch(finding, scenario) if planned.graded.on_end else finding


def _undecided(planned: PlannedLimit, why: str) -> Finding:
    severity, limit = planned.graded.severity, planned.graded.limit
    return checks.inconclusive(planned.name, why, severity=severity, limit=limit)


def _not_compared(
    planned: PlannedLimit, evidence: Evidence, scenario: dict[str, Any], *, subject: str
) -> Finding | None:
    """Why a limit relative to the baseline cannot be judged: it has no meaning without one."""
    why = scenario.get("not_compared", NONE_GIVEN)
    if why == NONE_GIVEN:
        return checks.not_applicable(planned.name, f"{subject} was not compared: {why}")
    if not why and evidence.find(planned.name) is None:
        why = "the baseline has no such figure above 0"
    return _undecided(planned, f"{subject} was not compared: {why}") if why else None


ENOUGH = 5
"""Samples from which an operation's median says what is usual for it."""


def _limit(planned: PlannedLimit, evidence: Evidence) -> Limit:
    """The limit as written; that of the default stall grows with an operation that is slow by nature.

    A few users may all wait for it at once. A freeze does not move an operation's median, if it has one.
    """
    limit = planned.graded.limit
    if planned.graded is not DEFAULT_LIMITS["longest_stall"]:
        return limit
    medians = (each for each in evidence.measurements if each.name.endswith(".p50"))
    mine = (each for each in medians if each.name.startswith(f"{planned.scenario}."))
    usual = max((each.value or 0.0 for each in mine if each.count >= ENOUGH), default=0.0)
    target, acceptable = max(limit.target, 2 * usual), max(limit.acceptable, 4 * usual)
    return replace(limit, target=target, acceptable=acceptable)


def _subject(planned: PlannedLimit) -> str:
    metric = planned.metric.title if planned.subject == ALL else f"{planned.subject} {planned.metric.title}"
    if planned.graded.of:
        return f"{metric} over the baseline's"
    seconds = planned.graded.seconds_on_end
    return f"{metric} for {seconds} s on end" if seconds else metric


def _users(scenario: dict[str, Any]) -> str:
    if scenario.get("model") == "open":
        return f"{scenario['level']:,.6g} arrivals/s"
    return f"{scenario['users']:,} user{'s' if scenario['users'] > 1 else ''}"


def _doubt(scenario: dict[str, Any]) -> str:
    """Why a good figure proves nothing."""
    aborted = scenario.get("aborted")
    early = f"the scenario was aborted after {aborted['at']:g} s" if aborted else ""
    return saturation(scenario) or early


def _regressions(
    evidence: Evidence, settings: LoadSettings, run: dict[str, dict[str, Any]]
) -> Iterator[Finding]:
    most = 1 + settings.regression
    limit = Limit(most, most, "x the baseline", Direction.AT_MOST)
    own = {each.figure for each in settings.planned() if each.graded.of}  # these have their own say
    for measured in evidence.measurements:
        if measured.name.endswith(REGRESSION) and measured.name.removesuffix(REGRESSION) not in own:
            # A name that came up at run time ("GET /index.html") may hold dots itself.
            prefixes = (name for name in run if measured.name.startswith(f"{name}."))
            scenario = max(prefixes, key=len, default="")
            doubt = _doubt(run[scenario]) if scenario else ""
            finding = checks.within(
                measured.name,
                measured,
                limit=limit,
                subject=measured.name.removesuffix(REGRESSION),
                severity=Severity.IMPORTANT,
                doubt=doubt,
                remedy="Compare the two reports, and run both again on the same quiet machine.",
            )
            finding = checks.excused(finding, delay(run[scenario]) if scenario else "")
            yield finding if doubt else _only_if_told_apart(finding, evidence)


def _only_if_told_apart(finding: Finding, evidence: Evidence) -> Finding:
    """The regression, or a remark where two runs cannot tell: too few samples, or too small a step."""
    ratio = finding.measured
    if finding.outcome is Outcome.PASSED or ratio is None or not ratio.value:
        return finding
    small = _moved_little(ratio, evidence.find(finding.check.removesuffix(REGRESSION)))
    if finding.outcome is Outcome.FAILED and not small:
        return finding
    return checks.informational(finding.check, f"{finding.message}; not told apart", measured=ratio)


def _unless_too_small(finding: Finding, evidence: Evidence, *, figure: str) -> Finding:
    """The finding, or a remark where a time is beyond its limit and moved less than two runs can tell."""
    now, ratio, limit = evidence.find(figure), finding.measured, finding.limit
    missed = finding.outcome in {Outcome.FAILED, Outcome.WARNED}
    if not missed or now is None or now.unit != "s" or ratio is None or limit is None:
        return finding
    if limit.acceptable >= 1 and _moved_little(ratio, now):  # below 1 something was to become better
        return checks.informational(finding.check, f"{finding.message}; not told apart", measured=ratio)
    return finding


def _moved_little(ratio: Measurement, now: Measurement | None) -> bool:
    """Whether this time differs from the baseline's by less than the smallest step."""
    moved = now.value * (1 - 1 / ratio.value) if now and now.value and ratio.value else 0.0
    return moved < SMALLEST_STEP
