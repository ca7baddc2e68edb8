"""From the counted runs of a race to a finding. Pure.

A run counts where everything was confirmed and could be read afterwards. A violation is proven by one; that
the service keeps its word takes enough runs, and that they could have shown one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from campaign import checks
from campaign.records import Finding, Severity
from phases.database.service.settings import LostUpdate, Race, ReadYourWrites, WriteAfter

VIOLATIONS = {"lost update": "lost", "write after": "stored_after", "read your writes": "stale"}
SAID = {
    "lost update": "lost changes that were both confirmed",
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
ENOUGH_TOGETHER = 5
"""Runs in which both requests were under way at once, from which on no violation says something."""


def judge_race(
    name: str, race: Race, *, times: int, facts: Mapping[str, Any] | None, missing: str
) -> Finding:
    """The finding on one race that was to be run `times` times; `missing` is why nothing was seen."""
    check, title = f"service.race.{name}", f"race {name} ({race.kind})"
    severity = Severity.BLOCKER
    if facts is None or facts.get("why"):
        why = (facts or {}).get("why", missing)
        return checks.inconclusive(check, f"race {name}: {why}", severity=severity)
    if violations := facts.get(VIOLATIONS[race.kind], 0):
        said = f"{title} {SAID[race.kind]} in {violations} of {facts.get('confirmed', 0)} runs"
        example = next(iter(facts.get("examples", ())), "")
        said = f"{said}: {example}" if example else said
        return checks.holds(check, ok=False, message=said, severity=severity, remedy=REMEDIES[race.kind])
    if doubt := _doubt(race, facts, times):
        return checks.inconclusive(check, f"{title}: {doubt}", severity=severity)
    together = "" if isinstance(race, ReadYourWrites) else f", {facts['overlapped']} of them at the same time"
    said = f"{title} kept its word: {_judged(facts)} of {facts['runs']} runs confirmed and read{together}"
    return checks.holds(check, ok=True, message=said, severity=severity)


def enough_together(times: int) -> int:
    """In how many of `times` runs both requests must have been under way at once: 5, of a few runs fewer."""
    return min(ENOUGH_TOGETHER, max(1, 3 * times // 8))


def _doubt(race: Race, facts: Mapping[str, Any], times: int) -> str:
    """Why runs without a violation prove nothing; "" where they do."""
    confirmed, runs = facts.get("confirmed", 0), facts.get("runs", 0)
    if 2 * confirmed < times:
        why = "; ".join(facts.get("refusals", ()))
        said = f"everything was confirmed in {confirmed} of {runs} runs, which is too few of {times}"
        return f"{said} ({why})" if why else said
    if isinstance(race, WriteAfter) and (why := _unexercised(race, facts)):
        return why
    if 2 * _judged(facts) < times:
        return f"in {confirmed - _judged(facts)} of {confirmed} runs {_unjudged(race, facts)}"
    together, least = facts.get("overlapped", 0), enough_together(times)
    if not isinstance(race, ReadYourWrites) and together < least:
        return (
            f"the two requests were under way at once in {together} of {confirmed} runs, {least} are needed"
        )
    return ""


def _judged(facts: Mapping[str, Any]) -> int:
    """Runs in which everything was confirmed and what was there afterwards could be told."""
    return int(facts.get("confirmed", 0) - facts.get("unread", 0) - facts.get("old_read", 0))


def _unjudged(race: Race, facts: Mapping[str, Any]) -> str:
    if isinstance(race, LostUpdate) and facts.get("old_read", 0):
        return (
            f"{race.read} showed neither change, nor a moment later {race.first} and {race.second} when they "
            "were done one after the other: what it shows is old, so it tells nothing about the race"
        )
    return f"{race.read} could not be read afterwards, so nobody can tell"


def _unexercised(race: WriteAfter, facts: Mapping[str, Any]) -> str:
    """Why no run could have stored anything after the event; "" where some could."""
    alone, stored = facts.get("alone", 0), facts.get("alone_stored", 0)
    if stored == alone and stored:
        return ""
    why = "; ".join(facts.get("refusals_alone", ()))
    said = (
        f"{race.write} by itself raised {race.count} in {stored} of {alone} tries, so it stores nothing that "
    )
    return f"{said}could be seen{f' ({why})' if why else ''}"
