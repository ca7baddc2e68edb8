"""A run of patterns held against its limits; what our own generator may have done is taken into account."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from campaign import checks
from campaign.records import Evidence, Finding
from phases.database.running.limits import ALL, REMEDIES, SLOW, Planned

WHOLE = 0.9
"""Share of the load, and of the time, below which a good figure proves nothing."""

_TITLES = {"error_rate": "error rate", "rate": "statements per second", "max": "maximum"}


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


def _against_limit(planned: Planned, evidence: Evidence, facts: dict[str, Any]) -> Finding:
    finding = checks.within(
        planned.name,
        evidence.find(planned.name),
        limit=planned.graded.limit,
        subject=_subject(planned),
        severity=planned.graded.severity,
        remedy=REMEDIES.get(planned.metric, SLOW),
        doubt=doubt(facts),
    )
    generator = facts.get("generator", {})
    if planned.metric == "rate":
        return checks.excused(finding, ours(generator.get("saturation", "")))
    if planned.metric != "error_rate":
        return checks.excused(finding, ours(generator.get("delay", "")))
    return finding


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
    """Why a least rate has no meaning: fewer statements were offered."""
    offered, least = facts.get("offered_statements"), planned.graded.limit.acceptable
    if planned.metric != "rate" or planned.subject != ALL or offered is None or offered >= least:
        return ""
    return f"{offered:,.0f} statements/s were offered, so {least:,.0f} statements/s cannot be shown"


def _subject(planned: Planned) -> str:
    title = _TITLES.get(planned.metric, planned.metric)
    return f"{planned.part if planned.subject == ALL else planned.subject} {title}"
