"""From what was seen of the service to findings. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from campaign import checks
from campaign.records import Evidence, Finding, Outcome, Severity
from phases.database.scene import facts_of, trouble_of
from phases.database.service.judge_connections import judge_connections
from phases.database.service.settings import Race, ServiceSettings

NOT_REACHED = "it was never reached"
COUNT_THEM = "each of one statement or more: with pg_stat_statements loaded the server would tell"
VIOLATIONS = {"lost update": "lost", "write after": "stored_after", "read your writes": "stale"}
SAID = {
    "lost update": "lost one of two changes that were both confirmed",
    "write after": "stored something after the event was answered",
    "read your writes": "read something old after a confirmed change",
}
REMEDIES = {
    "lost update": "Change only the columns that were sent, or check a version (optimistic lock) and answer "
    "409; never read, change in memory and write back whole.",
    "write after": "Check in the transaction that stores, with the checked row locked (FOR SHARE), or at a "
    "serializable level with another try.",
    "read your writes": "Delete or replace the cached copy when the thing is changed, after the commit; read "
    "from the primary what was just written.",
}


def judge_service(evidence: Evidence, settings: ServiceSettings) -> Iterator[Finding]:
    """One finding per race, operation and connection check."""
    facts, trouble = facts_of(evidence, "service"), trouble_of(evidence, "service")
    missing = trouble or NOT_REACHED
    for name, race in settings.races.items():
        yield _race(f"service.race.{name}", name, race, (facts.get("races") or {}).get(name), missing)
    for name in settings.statements:
        yield _statements(evidence, settings, name=name, facts=facts.get("statements"), missing=missing)
    yield from judge_connections(facts, settings.connections, missing)
    if settings.finish and settings.races:
        yield _left(facts, missing)


def _race(check: str, name: str, race: Race, facts: Mapping[str, Any] | None, missing: str) -> Finding:
    severity = Severity.BLOCKER
    if facts is None or facts.get("why"):
        return checks.inconclusive(
            check, f"race {name}: {(facts or {}).get('why', missing)}", severity=severity
        )
    violations = facts.get(VIOLATIONS[race.kind], 0)
    confirmed, overlapped, runs = (facts.get(key, 0) for key in ("confirmed", "overlapped", "runs"))
    if violations:
        said = f"race {name} ({race.kind}) {SAID[race.kind]} in {violations} of {confirmed} runs"
        example = next(iter(facts.get("examples", ())), "")
        return checks.holds(
            check,
            ok=False,
            message=f"{said}: {example}" if example else said,
            severity=severity,
            remedy=REMEDIES[race.kind],
        )
    if doubt := _doubt(race, facts):
        return checks.inconclusive(check, f"race {name} ({race.kind}): {doubt}", severity=severity)
    together = "" if race.kind == "read your writes" else f", {overlapped} of them at the same time"
    said = f"race {name} ({race.kind}) kept its word: {confirmed} of {runs} runs confirmed{together}"
    return checks.holds(check, ok=True, message=said, severity=severity)


def _doubt(race: Race, facts: Mapping[str, Any]) -> str:
    """Why runs without a violation prove nothing; "" where they do."""
    confirmed, runs = facts.get("confirmed", 0), facts.get("runs", 0)
    judged = confirmed - facts.get("unread", 0) - facts.get("none_seen", 0)
    why = "; ".join(facts.get("refusals", ()))
    if not confirmed:
        return f"in none of {runs} runs everything was confirmed" + (f" ({why})" if why else "")
    if 2 * judged < confirmed or not judged:
        what = "neither change was seen" if facts.get("none_seen", 0) else "nothing could be read"
        return f"in {confirmed - judged} of {confirmed} runs {what} afterwards, so nobody can tell"
    if race.kind != "read your writes" and not facts.get("overlapped", 0):
        return f"in none of {confirmed} runs the two requests overlapped"
    return ""


def _statements(
    evidence: Evidence, settings: ServiceSettings, *, name: str, facts: Mapping[str, Any] | None, missing: str
) -> Finding:
    check, limit = f"service.statements.{name}", settings.statements[name]
    measured = evidence.find(check)
    if measured is None:
        own = ((facts or {}).get("operations") or {}).get(name) or {}
        why = own.get("why") or (facts or {}).get("why") or missing
        if (facts or {}).get("never"):
            return checks.not_applicable(check, f"statements per {name}: {why}", severity=Severity.IMPORTANT)
        return checks.inconclusive(
            check, f"statements per {name} were not counted: {why}", severity=Severity.IMPORTANT, limit=limit
        )
    judged = checks.within(
        check,
        measured,
        limit=limit,
        subject=f"the database's work for one {name}",
        severity=Severity.IMPORTANT,
        remedy="Read all rows in one statement (a join, WHERE id IN ...), not one statement per row.",
    )
    if measured.high is None and judged.outcome is not Outcome.FAILED:
        said = (
            f"the database's work for one {name} was at least {measured.low:.3g} transactions, {COUNT_THEM}"
        )
        return checks.inconclusive(check, said, severity=Severity.IMPORTANT, limit=limit)
    return judged


def _left(facts: Mapping[str, Any], missing: str) -> Finding:
    check = "service.put_back"
    if "left" not in facts:
        return checks.inconclusive(check, f"what was changed: {missing}", severity=Severity.MINOR)
    left = facts["left"]
    said = "; ".join(left) if left else "what the races changed was put back"
    return checks.holds(check, ok=not left, message=said, severity=Severity.MINOR)
