"""From what was seen of the service to findings. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from campaign import checks
from campaign.records import Evidence, Finding, Outcome, Severity
from phases.database.scene import facts_of, trouble_of
from phases.database.service.judge_connections import judge_connections
from phases.database.service.judge_races import judge_race
from phases.database.service.settings import ServiceSettings

NOT_REACHED = "it was never reached"
COUNT_THEM = "each of one statement or more: with pg_stat_statements loaded the server would tell"


def judge_service(evidence: Evidence, settings: ServiceSettings) -> Iterator[Finding]:
    """One finding per race, operation and connection check."""
    facts, trouble = facts_of(evidence, "service"), trouble_of(evidence, "service")
    missing = trouble or NOT_REACHED
    for name, race in settings.races.items():
        seen = (facts.get("races") or {}).get(name)
        yield judge_race(name, race, times=settings.times, facts=seen, missing=missing)
    for name in settings.statements:
        yield _statements(evidence, settings, name=name, facts=facts.get("statements"), missing=missing)
    yield from judge_connections(evidence, facts, asked=settings.connections, missing=missing)
    if settings.finish and settings.races:
        yield _left(facts, missing)


def _statements(
    evidence: Evidence, settings: ServiceSettings, *, name: str, facts: Mapping[str, Any] | None, missing: str
) -> Finding:
    check, asked = f"service.statements.{name}", settings.statements[name]
    limit, severity = asked.limit, asked.severity
    measured = evidence.find(check)
    if measured is None:
        own = ((facts or {}).get("operations") or {}).get(name) or {}
        why = own.get("why") or (facts or {}).get("why") or missing
        if (facts or {}).get("never"):
            return checks.not_applicable(check, f"statements per {name}: {why}", severity=severity)
        said = f"statements per {name} were not counted: {why}"
        return checks.inconclusive(check, said, severity=severity, limit=limit)
    judged = checks.within(
        check,
        measured,
        limit=limit,
        subject=f"the database's work for one {name}",
        severity=severity,
        remedy="Read all rows in one statement (a join, WHERE id IN ...), not one statement per row.",
    )
    if measured.high is None and judged.outcome is not Outcome.FAILED:
        said = (
            f"the database's work for one {name} was at least {measured.low:.3g} transactions, {COUNT_THEM}"
        )
        return checks.inconclusive(check, said, severity=severity, limit=limit)
    return judged


def _left(facts: Mapping[str, Any], missing: str) -> Finding:
    check = "service.put_back"
    if "left" not in facts:
        return checks.inconclusive(check, f"what was changed: {missing}", severity=Severity.MINOR)
    left = facts["left"]
    said = "; ".join(left) if left else "what the races changed was put back"
    return checks.holds(check, ok=not left, message=said, severity=Severity.MINOR)
