"""What a trial saw, as plain data and as measurements; times in seconds since the disturbance began."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from campaign.clock import SECOND
from campaign.ledger.comparison import Ids
from campaign.ledger.moments import Moments
from campaign.records import Measurement
from phases.database.recovery.disturbances import TITLES
from phases.database.recovery.settings import RecoverySettings
from phases.database.recovery.trial import Story

FELT_SHARE = 0.5
"""The share of a freeze for which nothing must have been acknowledged: then it was one."""


def plain(story: Story, settings: RecoverySettings) -> dict[str, Any]:
    """The story as plain data."""
    seen = story.moments
    return {
        "name": story.name,
        "title": TITLES[story.name],
        "why": story.why,
        "proved": seen is not None and _proved(story, seen, settings),
        "proof": _proof(story, seen),
        "commands": [each.plain() for each in story.strike.commands] if story.strike else [],
        "acknowledged_before": story.acknowledged_before,
        **(_times(story, seen) if seen else {}),
        **_compared(story),
        "unreadable": story.unreadable,
        "table_gone": story.table_gone,
        "leaked": _leaked(story),
        "errors_by": story.errors,
        "retries": story.retries,
        "connects": story.connects,
        "skipped": story.skipped,
        "timeline": _timeline(story, seen) if seen else [],
    }


def measurements(facts: dict[str, Any]) -> Iterator[Measurement]:
    """The numbers of a trial that are worth following from run to run."""
    units = {
        "to_healthy": "s",
        "longest_gap": "s",
        "detected": "s",
        "errors": "errors",
        "acknowledged": "writes",
        "lost": "writes",
    }
    for name, unit in units.items():
        value = facts.get(name)
        if isinstance(value, dict):
            value = value["count"]
        if value is not None:
            full = f"recovery.{facts['name']}.{name}"
            yield Measurement.exact(full, float(value), unit=unit, count=facts.get("acknowledged") or 0)


def _proved(story: Story, seen: Moments, settings: RecoverySettings) -> bool:
    """Whether the disturbance is known to have happened."""
    if story.name.startswith("kill"):
        return story.strike is not None and story.strike.gone > 0
    if story.name == "freeze" and settings.freeze is not None:
        stood_still = seen.gap_ns >= FELT_SHARE * settings.freeze.seconds * SECOND
        return stood_still or seen.failures > 0
    return seen.failures > 0 if story.restarted is None else story.restarted


def _proof(story: Story, seen: Moments | None) -> str:
    """What shows that it happened, or that it may not have."""
    strike = story.strike
    if strike is None or seen is None:
        return ""
    if story.name.startswith("kill"):
        return f"{strike.gone} of {strike.killed} sessions killed are gone from the server's list"
    codes = ", ".join(
        "timed out" if each.exit_code is None else str(each.exit_code) for each in strike.commands
    )
    start = {True: "another start time", False: "the same start time", None: "no start time to be read"}
    felt = f"{seen.failures:,} failures, longest time without an acknowledgement {_s(seen.gap_ns):.2f} s"
    return f"exit code {codes}; {start[story.restarted]}; {felt}"


def _times(story: Story, seen: Moments) -> dict[str, Any]:
    return {
        "detected": _since(story, seen.first_failure_ns),
        "to_healthy": None if seen.to_healthy_ns is None else _s(seen.to_healthy_ns),
        "recovered": seen.first_failure_ns is None or seen.healthy_ns is not None,
        "flowing": seen.acknowledged > 0,
        "watched": _since(story, story.ended_ns),
        "errors": seen.failures,
        "longest_gap": _s(seen.gap_ns),
    }


def _compared(story: Story) -> dict[str, Any]:
    came = story.comparison
    if came is None:
        return {}
    return {
        "acknowledged": came.acknowledged,
        "refused": came.refused,
        "unknown": came.unknown,
        "unknown_found": came.unknown_found,
        "found": came.found,
        "lost": _ids(came.lost),
        "phantom": _ids(came.phantom),
        "unexpected": _ids(came.unexpected),
        "doubled": _ids(came.doubled),
    }


def _ids(ids: Ids) -> dict[str, Any]:
    return {"count": ids.count, "first": list(ids.first)}


def _leaked(story: Story) -> dict[str, Any] | None:
    if story.left is None:
        return None
    return {
        "sessions": story.left.sessions,
        "in_transaction": story.left.in_transaction,
        "checked_out": story.checked_out,
    }


def _timeline(story: Story, seen: Moments) -> list[dict[str, Any]]:
    """The moments in words, in their order."""
    told = [
        (story.struck_ns, "it began"),
        (story.over_ns if story.strike and story.strike.commands else None, "the last command was done"),
        (seen.first_failure_ns, "first failure"),
        (seen.last_failure_ns, "last failure"),
        (seen.first_success_ns, "first success after it"),
        (seen.healthy_ns, "healthy from here on"),
    ]
    known = sorted((at, order) for order, (at, _) in enumerate(told) if at is not None)
    return [{"at": _since(story, at), "what": told[order][1]} for at, order in known]


def _since(story: Story, at: int | None) -> float | None:
    return None if at is None else _s(at - story.struck_ns)


def _s(nanoseconds: int) -> float:
    return round(nanoseconds / SECOND, 4)
