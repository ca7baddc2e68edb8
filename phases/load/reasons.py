"""What a limit was missed for, where the scenario's own facts tell it: which errors, or too few users."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from campaign.load.arrivals import WAITED
from campaign.records import Finding, Outcome
from phases.load.limits import PlannedLimit
from phases.load.subjects import ALL

LONGEST = 80
"""Characters of a detail that a finding repeats."""

_MISSED = frozenset({Outcome.FAILED, Outcome.WARNED, Outcome.INCONCLUSIVE})


def reasoned(finding: Finding, planned: PlannedLimit, scenario: dict[str, Any]) -> Finding:
    """The finding; one that is missed or undecided with what stands behind it."""
    if finding.outcome not in _MISSED:
        return finding
    metric = planned.metric.name
    if metric.startswith("error_") and (most := _most_frequent(scenario, planned.subject)):
        return replace(finding, message=f"{finding.message}; most often{most}")
    if metric == "load_reached" and (busy := all_busy(scenario)):
        return replace(finding, remedy=f"{busy}: raise `users`, unless the target answers too slowly.")
    return finding


def all_busy(scenario: dict[str, Any]) -> str:
    """`All 4 users were busy when 312 arrivals were due`, or ""."""
    waited = scenario.get("counts", {}).get(WAITED, 0)
    if not waited:
        return ""
    users, many = scenario["users"], waited != 1
    who = f"All {users:,} users were" if users > 1 else "The only user was"
    return f"{who} busy when {waited:,} arrival{'s were' if many else ' was'} due"


def _most_frequent(scenario: dict[str, Any], subject: str) -> str:
    """` talk: status 503, 615 times`: of this operation, or of all where it is none."""
    errors = scenario.get("errors", ())
    mine = [each for each in errors if each["operation"] == subject]
    if not (mine or errors):
        return ""
    most = max(mine or errors, key=lambda each: int(each["count"]))
    whole = "" if mine or subject == ALL else ", in the whole scenario,"
    detail = most["detail"] if len(most["detail"]) <= LONGEST else f"{most['detail'][:LONGEST]}…"
    return f"{whole} {most['operation']}: {detail}, {_times(most['count'])}"


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count:,} times"
