"""Checks of the writes: what was confirmed is there, what was refused is not, and nothing is there twice."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from campaign.records import Finding
from phases.failover.case import Case

LOST = (
    "A write is confirmed before it is safe: confirm it after the commit; see write-behind queues, "
    "synchronous_commit and fsync, and a replica that was promoted without the last writes."
)
PHANTOM = "What is answered with an error must not be stored: see what goes on after the error was sent."
DUPLICATES = (
    "Make a repeated write harmless: an idempotency key that is stored with it, under a unique index."
)
NO_WRITE = "no write was acknowledged around the fault, so none could be lost"


def lost(case: Case) -> Finding:
    """Whether every acknowledged write is there: one that is not stops a release."""
    return _compared(case, "lost", _lost_in, remedy=LOST, needs_writes=True)


def phantom(case: Case) -> Finding:
    """Whether nothing is there that was refused or never written."""
    return _compared(case, "phantom", _phantom_in, remedy=PHANTOM)


def duplicates(case: Case) -> Finding:
    """Whether nothing is there twice."""
    return _compared(case, "duplicates", _doubled_in, remedy=DUPLICATES, needs_writes=True)


def _compared(
    case: Case,
    check: str,
    count: Callable[[dict[str, Any]], tuple[int, str]],
    *,
    remedy: str,
    needs_writes: bool = False,
) -> Finding:
    """The finding of a count that must be 0 in every place where writes were looked for."""
    ledger = case.figures["ledger"]
    read = [each for each in ledger if each["lost"] is not None]
    counted = [(*count(each), each["place"]) for each in read]
    message = "; ".join(f"{told} ({place})" for _, told, place in counted)
    if any(number for number, _, _ in counted):
        return case.holds(check, ok=False, message=message, remedy=remedy)
    if unread := [each for each in ledger if each["lost"] is None]:
        told = "; ".join(f"{each['place']}: {each['why'] or 'unknown why'}" for each in unread)
        return case.undecided(check, f"the writes could not be read back ({told})")
    if not read:
        return case.undecided(check, case.doubt or "no place was named where writes could be looked for")
    if needs_writes and not _acknowledged(case, read):
        return case.undecided(check, NO_WRITE)
    return case.holds(check, ok=True, message=message, remedy=remedy)


def _acknowledged(case: Case, read: list[dict[str, Any]]) -> int:
    near = case.figures["acknowledged_near"]
    return min(each["acknowledged"] for each in read) if near is None else int(near)


def _lost_in(place: dict[str, Any]) -> tuple[int, str]:
    lost = place["lost"]
    told = f"{lost['count']:,} of {place['acknowledged']:,} acknowledged writes lost{_first(lost)}"
    return lost["count"], told


def _phantom_in(place: dict[str, Any]) -> tuple[int, str]:
    refused, strange = place["phantom"], place["unexpected"]
    told = (
        f"of {place['found']:,} writes found {refused['count']:,} had been refused{_first(refused)} "
        f"and {strange['count']:,} were never sent"
    )
    return refused["count"] + strange["count"], told


def _doubled_in(place: dict[str, Any]) -> tuple[int, str]:
    twice = place["doubled"]
    return twice[
        "count"
    ], f"{twice['count']:,} of {place['found']:,} writes found more than once{_first(twice)}"


def _first(ids: dict[str, Any]) -> str:
    return f", the first: {', '.join(map(str, ids['first'][:3]))}" if ids["count"] else ""
