"""A run of patterns held against its limits; what our own generator may have done is taken into account."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from campaign import checks
from campaign.records import Direction, Evidence, Finding, Limit, Outcome, Severity
from campaign.settings import GradedLimit
from phases.database.running.limits import ALL, REMEDIES, SLOW, Planned

WHOLE = 0.9
"""Share of the load, and of the time, below which a good figure proves nothing."""

REACHED = Limit(0.95, 0.95, "share", Direction.AT_LEAST)
"""The share of the load that was asked for which must have been there."""

_TITLES = {
    "error_rate": "error rate",
    "rate": "statements per second",
    "max": "maximum",
    "load_reached": "load reached, of what was asked for,",
}


def judge_limits(
    evidence: Evidence, planned: Iterable[Planned], facts: dict[str, Any], trouble: str
) -> Iterator[Finding]:
    """One finding per planned limit; `facts` are those of `figures.plain`, `trouble` why there are none."""
    for each in planned:
        if trouble or not facts:
            why = trouble or "it was not run to its end"
            yield checks.inconclusive(
                each.name,
                f"{_subject(each)} is not known: {why}",
                severity=each.graded.severity,
                limit=each.graded.limit,
            )
        elif why := _too_little_offered(each, facts):
            yield checks.not_applicable(each.name, why)
        else:
            yield _against_limit(each, evidence, facts)


def judge_reached(part: str, evidence: Evidence, facts: dict[str, Any], trouble: str) -> Finding:
    """Whether the load that was asked for was there: what the database did is judged by what it was asked."""
    graded = GradedLimit(limit=REACHED, severity=Severity.CRITICAL)
    planned = Planned(part, "", "load_reached", graded, remedy=REMEDIES["rate"])
    (finding,) = judge_limits(evidence, [planned], facts, trouble)
    return finding


def _against_limit(planned: Planned, evidence: Evidence, facts: dict[str, Any]) -> Finding:
    finding = checks.within(
        planned.name,
        evidence.find(planned.name),
        limit=planned.graded.limit,
        subject=_subject(planned),
        severity=planned.graded.severity,
        remedy=planned.remedy or REMEDIES.get(planned.metric, SLOW),
        doubt=doubt(facts),
    )
    generator = facts.get("generator", {})
    if planned.metric in {"rate", "load_reached"}:
        finding = checks.excused(finding, ours(generator.get("saturation", "")))
        return _weighed(checks.excused(finding, _too_few_drawn(planned, facts)))
    if planned.metric != "error_rate":
        finding = checks.excused(finding, ours(generator.get("delay", "")))
    return _weighed(finding)


def _weighed(finding: Finding) -> Finding:
    """The finding, which stops the gate where a critical limit was never observed: the rest must not
    outvote it.
    """
    seen = finding.measured is not None and finding.measured.value is not None
    if seen or finding.outcome is not Outcome.INCONCLUSIVE or finding.severity is not Severity.CRITICAL:
        return finding
    return replace(finding, severity=Severity.BLOCKER, weight=checks.WEIGHTS[Severity.BLOCKER])


def doubt(facts: dict[str, Any]) -> str:
    """Why a good figure proves nothing, or ""."""
    if why := ours(facts.get("generator", {}).get("saturation", "")):
        return why
    held, asked = facts.get("hold_seconds") or 0.0, facts.get("asked_seconds") or 0.0
    if held < WHOLE * asked:
        return f"it was ended after {held:.1f} s of {asked:g} s"
    reached = facts.get("load_reached")
    if reached is not None and reached < WHOLE:
        return f"only {reached:.0%} of the load that was asked for was there"
    return ""


def ours(why: str) -> str:
    """The same rule as for every load of ours."""
    return f"our own load generator was saturated: {why}" if why else ""


def _too_little_offered(planned: Planned, facts: dict[str, Any]) -> str:
    """Why the least rate that we ship has no meaning: the file asks for fewer statements."""
    offered, least = facts.get("offered_statements"), planned.graded.limit.acceptable
    if planned.metric != "rate" or planned.subject != ALL or offered is None:
        return ""
    if offered >= least or math.isclose(offered, least):
        return ""
    return f"{offered:g} statements/s were offered, so {least:g} statements/s cannot be shown"


def _too_few_drawn(planned: Planned, facts: dict[str, Any]) -> str:
    """Why one pattern has missed its least rate without the database: chance chose it too seldom."""
    row = next((each for each in facts.get("patterns", ()) if each["name"] == planned.subject), None)
    seconds, reached = facts.get("hold_seconds"), facts.get("load_reached") or 0.0
    if row is None or planned.subject == ALL or planned.metric != "rate" or not seconds:
        return ""
    drawn = row["count"] * row.get("statements_each", 1) / seconds
    if facts.get("model") != "open" or reached < REACHED.target or drawn >= planned.graded.limit.acceptable:
        return ""
    return f"patterns are drawn by chance, and {drawn:.1f}/s of it were offered"


def _subject(planned: Planned) -> str:
    title = _TITLES.get(planned.metric, planned.metric)
    if planned.subject in {"", ALL}:
        return f"{planned.part} {title}"
    return " ".join(filter(None, (planned.kind, planned.subject, title)))
