"""What the evidence on pools comes to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from campaign import checks
from campaign.records import Evidence, Finding, Outcome, Severity
from campaign.units import format_quantity
from phases.database.pool.advice import MOST_LAG, answers, is_sound
from phases.database.pool.settings import PoolSettings
from phases.database.scene import facts_of, trouble_of

CHECKS = {"pool.size": Severity.CRITICAL, "pool.leak": Severity.CRITICAL, "pool.recovery": Severity.IMPORTANT}
"""What is judged, and what missing it means; `pool.size` only where the file says the service's size."""

MEND = "See why queries fail (rights of the account, limits of the server), mend that, and run it again."


def judge_pool(evidence: Evidence, settings: PoolSettings) -> Iterator[Finding]:
    """The findings: what is judged first, then what is worth reading."""
    facts = facts_of(evidence, "pool")
    if why := facts.get("not_applicable"):
        yield from (checks.not_applicable(check, str(why), severity=each) for check, each in CHECKS.items())
        return
    trouble = trouble_of(evidence, "pool")
    yield _size(evidence, facts, settings, trouble=trouble)
    yield _leak(facts, trouble)
    yield _recovery(facts, trouble)
    yield from _worth_reading(facts)


def _size(evidence: Evidence, facts: Mapping[str, Any], settings: PoolSettings, *, trouble: str) -> Finding:
    if settings.size is None:
        text = (
            "not judged, as the campaign file does not say how many connections the service has (pool.size)"
        )
        return checks.informational("pool.size", f"the size of the service's pool was {text}")
    severity = settings.wait.severity
    row = facts.get("service")
    if why := _why_not_judged(row, facts, settings, trouble=trouble):
        return checks.inconclusive("pool.size", why, severity=severity, limit=settings.wait.limit)
    judged = checks.within(
        "pool.size",
        evidence.find("pool.wait.p99"),
        limit=settings.wait.limit,
        subject=_subject(row or {}, settings),
        severity=severity,
        remedy=_remedy(facts, settings),
    )
    return judged if answers(row or {}) or judged.outcome is Outcome.FAILED else _undecided(judged, row or {})


def _undecided(judged: Finding, row: Mapping[str, Any]) -> Finding:
    """A good wait proves nothing where queries failed: they gave their connections back at once."""
    why = f"{judged.message}, but {_failures(row)}, and what fails at once frees its connection"
    return replace(judged, outcome=Outcome.INCONCLUSIVE, message=why, remedy=MEND)


def _failures(row: Mapping[str, Any]) -> str:
    errors: Mapping[str, int] = row.get("errors") or {}
    what = next(iter(errors), "")
    return f"{sum(errors.values()):,} of {row.get('offered', 0):,} queries failed ({what})"


def _why_not_judged(
    row: Mapping[str, Any] | None, facts: Mapping[str, Any], settings: PoolSettings, *, trouble: str
) -> str:
    most = (settings.size or 0) + settings.overflow
    room = facts.get("room", {})
    if room and most > room["most"]:
        return f"the service's pool of {most} could not be tried: {room['text']}"
    if row is None:
        return f"the service's pool was not tried: {trouble or 'it was never reached'}"
    if row.get("cut"):
        return "the service's pool was not tried to the end: the run was stopped"
    if not is_sound(row):
        lag, most_lag = (format_quantity(each, "s") for each in (row.get("lag_p99"), MOST_LAG))
        return f"the service's pool got its queries too late: p99 {lag} by our own doing, at most {most_lag}"
    return ""


def _subject(row: Mapping[str, Any], settings: PoolSettings) -> str:
    overflow = f" and {settings.overflow} overflow" if settings.overflow else ""
    timeouts = f", {row['timeouts']:,} of {row['offered']:,} timed out," if row.get("timeouts") else ""
    load = _load_text(settings.rate, settings.query)
    return f"the p99 wait for one of {settings.size}{overflow} connections at {load}{timeouts}"


def _load_text(rate: float, query: float) -> str:
    return f"{format_quantity(rate, '1/s')} of {format_quantity(query, 's')}"


def _remedy(facts: Mapping[str, Any], settings: PoolSettings) -> str:
    recommended = (facts.get("advice") or {}).get("recommended")
    if recommended is not None and recommended > (settings.size or 0) + settings.overflow:
        return f"Give the service's pool {recommended} connections, or make its queries shorter."
    return (
        "More connections alone may not help: see what the database was busy with, and make queries shorter."
    )


def _leak(facts: Mapping[str, Any], trouble: str) -> Finding:
    leaks = facts.get("leaks", [])
    checked = facts.get("checked", 0)
    if not checked and not leaks:
        why = trouble or "no step came to its end"
        return checks.inconclusive("pool.leak", f"no pool was looked at for leaks: {why}")
    message = (
        f"connections leaked: {'; '.join(leaks)}"
        if leaks
        else f"after each of {checked} steps every connection was back, and none was left on the server when "
        "the pool was closed"
    )
    return checks.holds(
        "pool.leak",
        not leaks,
        message=message,
        severity=CHECKS["pool.leak"],
        remedy="See what lies between: a proxy that keeps sessions, or a driver that does not close them.",
    )


def _recovery(facts: Mapping[str, Any], trouble: str) -> Finding:
    severity = CHECKS["pool.recovery"]
    killed = facts.get("killed")
    if not killed or killed.get("trouble"):
        why = (killed or {}).get("trouble") or trouble or "it was never reached"
        return checks.inconclusive(
            "pool.recovery", f"no idle connection was killed: {why}", severity=severity
        )
    rounds = (killed["without"], killed["with"])
    count = sum(each["killed"] for each in rounds)
    if not all(each["killed"] for each in rounds):
        return checks.inconclusive("pool.recovery", "no idle connection was found to kill", severity=severity)
    broken = sum(each["broken"] for each in rounds)
    errors = f"{rounds[0]['errors']} without pre_ping, {rounds[1]['errors']} with it"
    after = f"{broken} checkouts were still broken" if broken else "none stayed broken"
    return checks.holds(
        "pool.recovery",
        not broken,
        message=f"{count} idle connections were killed on the server: errors {errors}; afterwards {after}",
        severity=severity,
        remedy="See what lies between: a proxy must end its side of a connection that the server has ended.",
    )


def _worth_reading(facts: Mapping[str, Any]) -> Iterator[Finding]:
    if advice := facts.get("advice"):
        yield checks.informational("pool.recommendation", _recommendation(advice, facts))
    if exhaustion := facts.get("exhaustion"):
        yield checks.informational("pool.exhaustion", _exhaustion(exhaustion))
    if facts.get("unpooled"):
        yield checks.informational("pool.churn", _churn(facts))


def _recommendation(advice: Mapping[str, Any], facts: Mapping[str, Any]) -> str:
    load = _load_text(advice["rate"], facts["query"])
    if advice["busy"] is None:
        failed = next((row for row in facts.get("steps", ()) if not answers(row)), None)
        why = _failures(failed) if failed else "no step was sound"
        return f"no size can be recommended for {load}: {why}"
    little = (
        f"{load}, which held a connection for {format_quantity(advice['hold'], 's')}, keep "
        f"{advice['busy']:.1f} busy on average (Little's law)"
    )
    limit = format_quantity(advice["limit"], "s")
    before = (
        f"with {advice['before']} the p99 wait was {format_quantity(advice['before_wait'], 's')}"
        if advice["before"]
        else ""
    )
    if advice["knee"] is None:
        left_out = facts.get("left_out") or []
        more = (
            f" ({', '.join(map(str, left_out))} were not tried: {facts['room']['text']})" if left_out else ""
        )
        return f"{little}; no size that was tried kept the p99 wait within {limit}: {before}{more}"
    knee = f"the knee is at {advice['knee']}: a p99 wait of {format_quantity(advice['knee_wait'], 's')}"
    seen = f"{knee}, {before}" if before else knee
    return f"{little}; {seen}. With head room for a third more we recommend {advice['recommended']}"


def _exhaustion(found: Mapping[str, Any]) -> str:
    whose = "the service's" if found["said"] else "a"
    pool = f"{whose} pool of {found['size']} at {format_quantity(found['rate'], '1/s')}"
    bore = "" if found["bore"] is None else f"; queries of {format_quantity(found['bore'], 's')} it bore"
    if found["broke"] is None:
        return f"{pool} was not exhausted within what was tried{bore}"
    return (
        f"{pool} is exhausted when queries take {format_quantity(found['broke'], 's')}, which ask for "
        f"{found['broke_asked']:.1f} connections: {found['timeouts']:,} of {found['offered']:,} checkouts "
        f"timed out after {format_quantity(found['patience'], 's')}{bore}"
    )


def _churn(facts: Mapping[str, Any]) -> str:
    unpooled = facts["unpooled"]
    connecting = format_quantity(unpooled["wait"]["p50"], "s")
    without = f"without a pool every query connects first, which takes {connecting} (median)"
    overflow = facts.get("overflow")
    if not overflow or overflow["connects"] is None:
        return without
    return (
        f"{without}; a pool that keeps 1 connection and opens up to {overflow['overflow']} more in need "
        f"connected {overflow['connects']:.0f} times per 1,000 checkouts, p99 wait "
        f"{format_quantity(overflow['wait']['p99'], 's')}"
    )
