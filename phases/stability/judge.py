"""The findings of a soak: one for every promise over its whole time, also for what was never reached."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from campaign import checks
from campaign.load.sightings import first_of
from campaign.records import Direction, Evidence, Finding, Limit, Measurement, Severity
from campaign.stats.intervals import clopper_pearson
from campaign.units import format_quantity
from phases.stability.clusters import judge_clusters
from phases.stability.growth import growth_of_memory, judge_drift, judge_leaks
from phases.stability.settings import StabilitySettings

REACHED = Limit(0.98, 0.95, "share", Direction.AT_LEAST)
NEVER = "the soak was never begun"
RESTARTED = (
    "Look in its log, and in that of what supervises it, for why it ended: memory, an exit of its own, a "
    "worker that is replaced after so many requests. A restart loses what was under way, and hides leaks."
)
SHOWN = "Stop the release. Read who was shown what, and what users of one process share."


def judge_stability(evidence: Evidence, settings: StabilitySettings) -> Iterator[Finding]:
    """All of them; what the soak did not get to see is inconclusive."""
    seen: dict[str, Any] = evidence.facts.get("soak", {})
    doubt = f"our own load generator was saturated: {seen['saturation']}" if seen.get("saturation") else ""
    yield from judge_leaks(evidence, settings)
    yield from (checks.excused(each, doubt) for each in judge_drift(evidence, settings))
    yield _error_rate(seen, settings)
    yield judge_clusters(evidence)
    yield _uptime(evidence, settings)
    yield _restarts(evidence)
    yield _reached(seen, doubt)
    yield _memory(evidence, settings)
    yield from _canaries(evidence)
    yield _afterwards(evidence)


def _error_rate(seen: dict[str, Any], settings: StabilitySettings) -> Finding:
    asked, failed = seen.get("asked", 0), seen.get("failed", 0)
    low, high = clopper_pearson(failed, asked) if asked else (None, None)
    share = failed / asked if asked else None
    limit = Limit(settings.error_rate, settings.error_rate, "share")
    measured = Measurement("errors.rate", share, "share", asked, low, high)
    return checks.within("errors.rate", measured, limit=limit, subject=f"the error rate{_most(seen)}")


def _most(seen: dict[str, Any]) -> str:
    worst = next(iter(seen.get("errors", ())), None)
    return f" (most: {worst['operation']}, {worst['kind']}, {worst['count']:,})" if worst else ""


def _uptime(evidence: Evidence, settings: StabilitySettings) -> Finding:
    """Seconds in which anybody was served, of those in which anybody asked."""
    service = evidence.facts.get("service", {})
    up, down = service.get("up", 0.0), service.get("down", 0.0)
    count = round(up + down)
    share = up / (up + down) if count else None
    low, high = clopper_pearson(round(down), count) if count else (0.0, 0.0)
    measured = Measurement("uptime", share, "share", count, 1 - high, 1 - low) if count else None
    limit = Limit(settings.uptime, settings.uptime, "share", Direction.AT_LEAST)
    outages, first = service.get("outages", 0), service.get("first_failure")
    told = "no outage" if not outages else f"{outages:,} outages, {format_quantity(down, 's')} in all"
    gaps = evidence.facts.get("soak", {}).get("gaps", ())
    if missed := sum(ended - began for began, ended in gaps):
        told += f", {format_quantity(missed, 's')} in which nobody looked"
    failed = "" if first is None else f", first failed request after {format_quantity(first, 's')}"
    return checks.within(
        "uptime",
        measured,
        limit=limit,
        severity=Severity.IMPORTANT,
        subject=f"the share of seconds in which anybody was served ({told}{failed})",
        remedy="Look at the moments of the outages, and at what the target did then.",
        settle="A longer soak settles it: so rare a thing as a second of outage takes hours to exclude.",
    )


def _restarts(evidence: Evidence) -> Finding:
    found = evidence.facts.get("restarts")
    if found is None or not found["seen"]:
        why = NEVER if found is None else "the target's process was not seen, so nor was any restart of it"
        return checks.inconclusive("restarts", why)
    times, unwatched = found["at"], found.get("unwatched", ())
    if unwatched and not times:
        why = "the target's process began anew while nobody watched; whether by itself is not known"
        return checks.inconclusive("restarts", why)
    when = ", ".join(format_quantity(at, "s") for at in times[:5])
    never = "the target's process was never restarted while users were at work"
    message = f"the target's process was restarted {len(times):,} times while users were at work"
    return checks.holds(
        "restarts",
        ok=not times,
        message=f"{message} (after {when} of the campaign)" if times else never,
        remedy=RESTARTED,
    )


def _reached(seen: dict[str, Any], doubt: str) -> Finding:
    share = seen.get("load_reached")
    measured = Measurement.exact("load_reached", share, unit="share", count=seen.get("users", 0))
    finding = checks.within(
        "load_reached", measured, limit=REACHED, subject="the share of the load that was really there",
        severity=Severity.IMPORTANT, doubt=doubt,
    )  # fmt: skip
    return checks.excused(finding, doubt)


def _memory(evidence: Evidence, settings: StabilitySettings) -> Finding:
    limit = Limit(settings.memory_growth, settings.memory_growth, "B")
    peak = evidence.find("memory.peak")
    told = f" (at its peak {format_quantity(peak.value, 'B')})" if peak and peak.value is not None else ""
    return checks.within(
        "memory.growth", growth_of_memory(evidence), limit=limit, severity=Severity.IMPORTANT,
        subject=f"what the target's memory grew by from before to after{told}",
        remedy="See which part of it is given back after a while without load, and what the rest is.",
    )  # fmt: skip


def _canaries(evidence: Evidence) -> Iterator[Finding]:
    found = evidence.facts.get("canaries")
    if not found:
        return
    answers, shown = found["answers"], found["seen"]
    if not answers:
        why = "no answer was searched for other users' data"
        yield checks.inconclusive("isolation", why, severity=Severity.BLOCKER)
        return
    never = f"in {answers:,} answers no user was shown another user's data"
    message = f"{shown:,} times in {answers:,} answers a user was shown another user's data"
    yield checks.holds(
        "isolation",
        ok=not shown,
        message=f"{message}: {first_of(found)}" if shown else never,
        severity=Severity.BLOCKER,
        remedy=SHOWN,
    )


def _afterwards(evidence: Evidence) -> Finding:
    seen = evidence.facts.get("afterwards")
    if seen is None:
        why = "the target was not asked how it is after the soak"
        return checks.inconclusive("target_afterwards", why, severity=Severity.BLOCKER)
    finding = checks.holds(
        "target_afterwards",
        seen["well"],
        message=f"after the soak the target was {'well' if seen['well'] else 'not well'}: {seen['detail']}",
        severity=Severity.BLOCKER,
        remedy="Look in its log for what ended it, and at its memory in the last minutes.",
    )
    return replace(finding, weight=checks.WEIGHTS[Severity.CRITICAL])
