"""Findings: the only place that makes them, so that a verdict can be traced to one rule.

A limit's rule (`campaign.scoring.share` gives it points): with confidence limits the worse end decides.
Passed: at or better than the target. Warned: between target and acceptable. Failed: beyond acceptable as a
whole. Inconclusive: the interval straddles acceptable, or nothing was observed.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TypeGuard

from campaign.records import Finding, Limit, Measurement, Outcome, Severity
from campaign.units import format_quantity

WEIGHTS = {Severity.BLOCKER: 10.0, Severity.CRITICAL: 5.0, Severity.IMPORTANT: 3.0, Severity.MINOR: 1.0}
"""What a finding of each severity weighs within its phase."""

MORE_SAMPLES = "More samples settle it: a longer hold, or more load."
NOTHING_SEEN = "See whether it was ever done: which users do it, how often, and whether they came so far."
AGAIN = "Mend that and run it again: a quiet machine, more workers, less load on each."
"""What to do where a check is undecided; its own remedy is for one that failed."""


def within(
    check: str,
    measured: Measurement | None,
    *,
    limit: Limit,
    subject: str,
    severity: Severity = Severity.CRITICAL,
    remedy: str = "",
    doubt: str = "",
    settle: str = "",
) -> Finding:
    """A finding that holds a measurement against a limit.

    `subject` begins the message ("conversation p95, peak"). `doubt`, where given, is a reason why a good
    value proves nothing (a saturated generator): what would pass becomes inconclusive, what fails stands.
    `settle` is what would decide it where the observations do not, if that is not more load.
    """
    outcome = _against(measured, limit)
    message = _sentence(subject, measured, limit=limit)
    if outcome is Outcome.INCONCLUSIVE:
        message = f"{message}: {_why_inconclusive(measured)}"
        remedy = (settle or MORE_SAMPLES) if _observed(measured) else NOTHING_SEEN
    elif outcome is Outcome.WARNED and measured is not None and measured.low != measured.high:
        message = f"{message}: {_interval(measured)}"
    if doubt and outcome not in (Outcome.FAILED, Outcome.INCONCLUSIVE):
        outcome, message, remedy = Outcome.INCONCLUSIVE, f"{message}, but {doubt}", AGAIN
    return Finding(check, outcome, message, measured, limit, severity, WEIGHTS[severity], remedy)


def holds(
    check: str,
    ok: bool,  # noqa: FBT001 - the fact itself, not a switch
    *,
    message: str,
    severity: Severity = Severity.CRITICAL,
    remedy: str = "",
) -> Finding:
    """A finding for a plain fact: passed when it holds, failed when not; `message` states what was seen."""
    outcome = Outcome.PASSED if ok else Outcome.FAILED
    return Finding(check, outcome, message, None, None, severity, WEIGHTS[severity], remedy)


def inconclusive(
    check: str,
    why: str,
    *,
    severity: Severity = Severity.CRITICAL,
    limit: Limit | None = None,
    remedy: str = "",
) -> Finding:
    """A finding for a check that was planned and could not be judged; `why` is the whole message."""
    return Finding(check, Outcome.INCONCLUSIVE, why, None, limit, severity, WEIGHTS[severity], remedy)


def excused(finding: Finding, why: str) -> Finding:
    """The finding, undecided where it failed: `why`, if there is any, may have made it fail without the
    target.
    """
    if not why or finding.outcome is not Outcome.FAILED:
        return finding
    return replace(finding, outcome=Outcome.INCONCLUSIVE, message=f"{finding.message}, but {why}")


def not_applicable(check: str, why: str, *, severity: Severity = Severity.MINOR) -> Finding:
    """A finding for a check that has no meaning for this target; it leaves the plan."""
    return Finding(check, Outcome.NOT_APPLICABLE, why, None, None, severity, 0.0, "")


def informational(check: str, message: str, *, measured: Measurement | None = None) -> Finding:
    """A fact worth reading that is not held against anything."""
    return Finding(check, Outcome.INFORMATIONAL, message, measured, None, Severity.MINOR, 0.0, "")


def _against(measured: Measurement | None, limit: Limit) -> Outcome:
    if not _observed(measured):
        return Outcome.INCONCLUSIVE
    worse, better = limit.worse_end(measured), limit.better_end(measured)
    if math.isnan(worse) or math.isnan(better) or worse < limit.goodness(limit.acceptable) <= better:
        return Outcome.INCONCLUSIVE
    if worse >= limit.goodness(limit.target):
        return Outcome.PASSED
    return Outcome.WARNED if worse >= limit.goodness(limit.acceptable) else Outcome.FAILED


def _observed(measured: Measurement | None) -> TypeGuard[Measurement]:
    return measured is not None and measured.value is not None and not math.isnan(measured.value)


def _sentence(subject: str, measured: Measurement | None, *, limit: Limit) -> str:
    if not _observed(measured):
        return f"{subject} was not measured ({describe(limit)})"
    return f"{subject} was {format_quantity(measured.value, limit.unit)} ({describe(limit)})"


def describe(limit: Limit) -> str:
    """The limit as people say it: `limit 200 ms`, `at least 99 %`, `target 200 ms, acceptable 500 ms`."""
    target, acceptable = (format_quantity(each, limit.unit) for each in (limit.target, limit.acceptable))
    if limit.target != limit.acceptable:
        return f"target {target}, acceptable {acceptable}"
    return f"{limit.direction.value} {target}"


def _why_inconclusive(measured: Measurement | None) -> str:
    if not _observed(measured):
        return "no observations"
    if measured.low is None and measured.high is None:
        return f"{measured.count:,} observations, which allow no 95 % interval, do not settle it"
    return f"{_interval(measured)} from {measured.count:,} observations does not settle it"


def _interval(measured: Measurement) -> str:
    low, high = (format_quantity(end, measured.unit) for end in (measured.low, measured.high))
    if measured.high is None:
        return f"the 95 % interval from {low} upwards"
    return f"the 95 % interval {'up' if measured.low is None else low} to {high}"
