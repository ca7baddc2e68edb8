"""The load phase's verdict: its limits against its evidence, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from campaign import checks
from campaign.records import Direction, Evidence, Finding, Limit, Severity
from phases.load.aftermath import judge_aftermath
from phases.load.metrics import ALL
from phases.load.settings import LoadSettings, PlannedLimit

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
    return *limits, judge_aftermath(evidence), *_regressions(evidence, settings, run)


def _against_limit(planned: PlannedLimit, evidence: Evidence, scenario: dict[str, Any] | None) -> Finding:
    limit, severity = planned.graded.limit, planned.graded.severity
    if scenario is None:
        why = f"scenario {planned.scenario} was not run, so {_subject(planned)} is not known"
        return checks.inconclusive(planned.name, why, severity=severity, limit=limit)
    return checks.within(
        planned.name,
        evidence.find(planned.name),
        limit=limit,
        subject=f"{_subject(planned)}, {planned.scenario} ({_users(scenario)})",
        severity=severity,
        remedy=planned.metric.remedy,
        doubt=_doubt(scenario),
    )


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
            yield checks.within(
                measured.name,
                measured,
                limit=limit,
                subject=measured.name.removesuffix(REGRESSION),
                severity=Severity.IMPORTANT,
                doubt=_doubt(run[scenario]) if scenario in run else "",
                remedy="Compare the two reports, and run both again on the same quiet machine.",
            )
