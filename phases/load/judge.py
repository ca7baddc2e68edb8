"""The load phase's verdict: its limits against its evidence, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from campaign import checks
from campaign.load.spec import MAX_FREEZE, OURS
from campaign.records import Direction, Evidence, Finding, Limit, Outcome, Severity
from phases.load.aftermath import judge_aftermath
from phases.load.metrics import ALL
from phases.load.settings import DEFAULT_LIMITS, LoadSettings, PlannedLimit

SMALLEST_STEP = 0.005
"""Seconds; a p95 that moved by less than this between two runs is not called a regression."""

REGRESSION = ".regression"
"""How the measurement of an operation's p95 over its p95 in the baseline ends."""


def judge_load(evidence: Evidence, settings: LoadSettings) -> tuple[Finding, ...]:
    """One finding per planned limit, also for a scenario that was never reached; then whether the target
    outlived it, and the regressions.
    """
    run = {scenario["name"]: scenario for scenario in evidence.facts.get("scenarios", ())}
    limits = tuple(
        _against_limit(planned, evidence, run.get(planned.scenario)) for planned in settings.planned()
    )
    ours = tuple(finding for scenario in run.values() for finding in _unsent(scenario))
    return *ours, *limits, judge_aftermath(evidence), *_regressions(evidence, settings, run)


def _against_limit(planned: PlannedLimit, evidence: Evidence, scenario: dict[str, Any] | None) -> Finding:
    severity, subject = planned.graded.severity, _subject(planned)
    if scenario is None:
        why = f"scenario {planned.scenario} was not run to its end, so {subject} is not known"
        return checks.inconclusive(planned.name, why, severity=severity, limit=planned.graded.limit)
    subject = f"{subject}, {planned.scenario} ({_users(scenario)})"
    if ours := _our_fault(scenario, planned.metric.name):
        why = f"{subject} says nothing of the target: {ours}"
        return checks.inconclusive(planned.name, why, severity=severity, limit=planned.graded.limit)
    return checks.within(
        planned.name,
        evidence.find(planned.name),
        limit=_limit(planned, evidence),
        subject=subject,
        severity=severity,
        remedy=planned.metric.remedy,
        doubt=_doubt(scenario),
    )


def _our_fault(scenario: dict[str, Any], metric: str) -> str:
    """Why a bad figure is ours and not the target's: too little load, or a silence that was our own."""
    if metric == "longest_stall":
        frozen = scenario["generator"].get("longest_lag", 0.0) > MAX_FREEZE
        return _doubt(scenario) if frozen else ""
    if metric not in ("load_reached", "rate"):
        return ""
    return _doubt(scenario) or ("requests could not be sent" if _own_errors(scenario) else "")


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


def _unsent(scenario: dict[str, Any]) -> Iterator[Finding]:
    """A doubt that stops the gate where we had no request, or no file or port, to send with.

    The target is not to blame, and what was not sent proved nothing.
    """
    groups = _own_errors(scenario)
    if groups:
        first = groups[0]
        count = sum(group["count"] for group in groups)
        yield checks.inconclusive(
            f"{scenario['name']}.all.requests_sent",
            f"{count:,} requests of scenario {scenario['name']} could not be sent, "
            f"most often {first['operation']}: {first['detail']}",
            severity=Severity.BLOCKER,
            remedy="Mend the campaign file (what a request needs must be saved, or in its data, before), "
            "or raise the limit on open files (ulimit -n).",
        )


def _own_errors(scenario: dict[str, Any]) -> list[dict[str, Any]]:
    return [group for group in scenario.get("errors", ()) if group["kind"] in OURS]


def _subject(planned: PlannedLimit) -> str:
    return planned.metric.title if planned.subject == ALL else f"{planned.subject} {planned.metric.title}"


def _users(scenario: dict[str, Any]) -> str:
    return f"{scenario['users']:,} user{'s' if scenario['users'] > 1 else ''}"


def _doubt(scenario: dict[str, Any]) -> str:
    saturation = scenario["generator"]["saturation"]
    return f"our own load generator was saturated: {saturation}" if saturation else ""


def _regressions(
    evidence: Evidence, settings: LoadSettings, run: dict[str, dict[str, Any]]
) -> Iterator[Finding]:
    most = 1 + settings.regression
    limit = Limit(most, most, "x the baseline", Direction.AT_MOST)
    for measured in evidence.measurements:
        if measured.name.endswith(REGRESSION):
            scenario = measured.name.rsplit(".", 3)[0]  # before operation, p95 and regression
            doubt = _doubt(run[scenario]) if scenario in run else ""
            finding = checks.within(
                measured.name,
                measured,
                limit=limit,
                subject=measured.name.removesuffix(REGRESSION),
                severity=Severity.IMPORTANT,
                doubt=doubt,
                remedy="Compare the two reports, and run both again on the same quiet machine.",
            )
            yield finding if doubt else _only_if_told_apart(finding, evidence)


def _only_if_told_apart(finding: Finding, evidence: Evidence) -> Finding:
    """The regression, or a remark where two runs cannot tell: too few samples, or too small a step."""
    ratio = finding.measured
    if finding.outcome is Outcome.PASSED or ratio is None or not ratio.value:
        return finding
    now = evidence.find(finding.check.removesuffix(REGRESSION))
    step = now.value * (1 - 1 / ratio.value) if now and now.value else 0.0
    if finding.outcome is Outcome.FAILED and step >= SMALLEST_STEP:
        return finding
    return checks.informational(finding.check, f"{finding.message}; not told apart", measured=ratio)
