"""What the counts say: limits are held exactly, refusals say when to come back, nothing leaks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from campaign import checks
from campaign.records import Evidence, Finding, Limit, Severity
from campaign.units import format_quantity
from phases.safety.quotas.collect import PART
from phases.safety.quotas.plan import NOT_MAPPED, missing
from phases.safety.quotas.settings import Fairness, QuotasSettings, RateLimit
from phases.safety.quotas.verdicts import judged_slots
from phases.safety.scene import facts_of, trouble_of

FAST_ENOUGH = 1.2
"""We must ask so many times as often as the limit allows before "never refused" means anything."""

WINDOWS = 2
"""A limit by fixed windows may let two whole ones through at their border, beside those in between."""

ENOUGH_OF_THE_FLOOD = 0.5
OWN_LAG = 0.25
"""Of the limit: where we ourselves are later than that, a slow answer accuses nobody."""


def findings(evidence: Evidence, settings: QuotasSettings) -> Iterator[Finding]:
    """A finding per limit and kind of check, also of those that were never tried."""
    fact, trouble = facts_of(evidence, PART), trouble_of(evidence, PART)
    for check in missing(settings):
        yield _undecided(check, NOT_MAPPED[check])
    for name, slot in settings.slots.items():
        yield from judged_slots(name, slot, fact.get("slots", {}).get(name, {}), trouble=trouble)
    if settings.rate:
        yield _rate(settings.rate, fact.get("rate", {}), trouble)
    if settings.fairness:
        yield from _fairness(evidence, settings.fairness, fact.get("fairness", {}), trouble=trouble)


def _rate(settings: RateLimit, seen: dict[str, Any], trouble: str) -> Finding:
    check = "quotas.rate"
    if "served" not in seen:
        return _undecided(check, seen.get("why") or trouble or "it was never reached")
    asked = seen["served"] + seen["refused"] + seen["failed"]
    rate = asked / seen["seconds"]
    most = settings.limit * (seen["seconds"] + WINDOWS)
    limit = format_quantity(settings.limit, "1/s")
    told = f"of {asked:,} requests for {settings.operation} in {seen['seconds']:.1f} s"
    shown = f" [{', '.join(seen['exchanges'])}]" if seen["exchanges"] else ""
    if seen["failed"] > seen["served"] + seen["refused"]:
        why = next(iter(seen["whys"]), "for no reason that was told")
        return _undecided(check, f"{seen['failed']:,} {told} failed: {why}")
    if not seen["refused"] and rate < FAST_ENOUGH * settings.limit:
        return _undecided(check, f"we asked only {rate:.0f} times a second, and the limit is {limit}")
    ok = bool(seen["refused"]) and seen["served"] <= most and not seen["improper"]
    message = f"{seen['refused']:,} {told} were refused, {seen['served']:,} served (limit {limit})"
    if seen["improper"]:
        message += f"; {seen['improper']:,} refusals do not say when to come back (Retry-After)"
    return checks.holds(
        check,
        ok,
        message=message + shown,
        severity=Severity.CRITICAL,
        remedy="Count each principal's requests in one atomic step, and refuse with 429 and Retry-After.",
    )


def _fairness(
    evidence: Evidence, settings: Fairness, seen: dict[str, Any], *, trouble: str
) -> Iterator[Finding]:
    names = ("quotas.fairness.served", "quotas.fairness.p95")
    why = _no_flood(settings, seen) if "calm" in seen else (seen.get("why") or trouble or "never reached")
    if why:
        yield from (_undecided(name, why) for name in names)
        return
    calm, flood = seen["calm"], seen["flood"]
    missed = calm["refused"] + calm["failed"]
    beside = f"while another sent {flood['served'] + flood['refused'] + flood['failed']:,}"
    yield checks.holds(
        names[0],
        not missed,
        message=f"{missed} of {calm['served'] + missed} requests of one principal were not served {beside} "
        f"({flood['refused']:,} of those were refused)",
        severity=Severity.CRITICAL,
        remedy="Count by principal, not by address or for all together.",
    )
    found = checks.within(
        names[1],
        evidence.find("quotas.fairness.p95"),
        limit=Limit(settings.p95, settings.p95, "s"),
        subject=f"{settings.operation} p95 of one principal {beside}",
        severity=Severity.IMPORTANT,
        remedy="Refuse a flood before it costs anything; give no principal all workers or connections.",
    )
    yield checks.excused(found, _own_lag(settings, seen))


def _no_flood(settings: Fairness, seen: dict[str, Any]) -> str:
    flood = seen["flood"]
    answered = flood["served"] + flood["refused"]
    if answered < ENOUGH_OF_THE_FLOOD * settings.rate * settings.hold:
        return f"there was no flood: {answered:,} of its requests were answered"
    return "" if seen["calm"]["served"] + seen["calm"]["refused"] else "the other one was never answered"


def _own_lag(settings: Fairness, seen: dict[str, Any]) -> str:
    lag = seen.get("lag") or 0.0
    if lag <= OWN_LAG * settings.p95:
        return ""
    return f"we were late ourselves by up to {format_quantity(lag, 's')} (p95)"


def _undecided(check: str, why: str) -> Finding:
    return checks.inconclusive(check, f"not tested: {why}", severity=Severity.CRITICAL)
