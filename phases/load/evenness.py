"""Findings on how a scenario's errors lay in time: in a spike, or spread evenly."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from campaign import checks
from campaign.records import Direction, Finding, Limit, Measurement, Severity
from campaign.units import format_quantity
from phases.load.settings import LoadSettings
from phases.load.spikes import FEWEST

NO_SPIKE = Limit(0.0, 1.0, "share", Direction.AT_MOST)
"""What a spike is held against where the file sets no limit on it: it warns, and never fails."""


def judge_evenness(scenario: dict[str, Any], settings: LoadSettings) -> Iterator[Finding]:
    """A remark on errors that were spread evenly; of a spike, where it was and how much of all errors it
    holds. A spike is a warning, unless the file limits `error_spike`, which is then judged by itself.
    """
    errors = scenario.get("errors_over_time")
    if not errors or not errors["failed"]:
        return
    name = scenario["name"]
    check = f"{name}.all.errors_over_time"
    spike = errors["spike"]
    if spike is None:
        yield checks.informational(check, f"{_all(errors)} in {name}, {_evenly(errors)}")
    elif any(each.metric.name == "error_spike" for each in settings.planned_for(name)):
        yield checks.informational(check, _told(spike, errors, name))
    else:
        yield _warning(check, _told(spike, errors, name), spike)


def _warning(check: str, message: str, spike: dict[str, Any]) -> Finding:
    rate = Measurement.exact(check, spike["error_rate"], unit="share", count=spike["asked"])
    return checks.within(
        check,
        rate,
        limit=NO_SPIKE,
        subject=f"{message}; the error rate within",
        severity=Severity.MINOR,
        remedy="Look at what the target did in these seconds; or set a limit on error_spike.",
    )


def _all(errors: dict[str, Any]) -> str:
    return f"{errors['failed']:,} error{'' if errors['failed'] == 1 else 's'}"


def _evenly(errors: dict[str, Any]) -> str:
    if errors["failed"] == errors["asked"]:
        return "all requests of the judged part failed"
    if errors["failed"] < FEWEST:
        return "too few to say how they lie in time"
    return "spread evenly over the requests of the judged part"


def _told(spike: dict[str, Any], errors: dict[str, Any], name: str) -> str:
    share = format_quantity(spike["failed"] / errors["failed"], "share")
    where = f"from {spike['began']:g} s to {spike['ended']:g} s after {name} began"
    return f"{spike['failed']:,} of {_all(errors)} ({share}) came in a spike {where}"
