"""Findings of requests that we could not send for reasons of our own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from campaign import checks
from campaign.load.tally import OURS, ErrorKind
from campaign.records import Finding, Severity

TOLERATED = 0.001
"""The share of a scenario's requests that may have been impossible to build and prove nothing against the
rest: one user in a thousand whose data had a gap.
"""


def judge_unsent(scenario: dict[str, Any]) -> Iterator[Finding]:
    """A doubt that stops the gate where we had no request, or no file or port, to send with; a remark where
    that concerns few.

    The target is not to blame, and what was not sent proved nothing.
    """
    groups = _own_errors(scenario)
    if not groups:
        return
    check, message = f"{scenario['name']}.all.requests_sent", _message(scenario, groups)
    if not too_many_unsent(scenario):
        yield checks.informational(check, f"{message} (up to {TOLERATED * 100:g} % is tolerated)")
        return
    yield checks.inconclusive(
        check,
        message,
        severity=Severity.BLOCKER,
        remedy="Mend the campaign file (what a request needs must be saved, or in its data, before) "
        "or the Python class that it names, or raise the limit on open files (ulimit -n).",
    )


def too_many_unsent(scenario: dict[str, Any]) -> bool:
    """Whether what could not be sent is too much for the scenario to prove anything.

    A missing file or port is never tolerated: it comes when the load is highest.
    """
    groups = _own_errors(scenario)
    unsent = sum(group["count"] for group in groups)
    scarce = any(group["kind"] != ErrorKind.RENDER for group in groups)
    return scarce or unsent > TOLERATED * (scenario.get("requests", 0) + unsent)


def _message(scenario: dict[str, Any], groups: list[dict[str, Any]]) -> str:
    first, count = groups[0], sum(group["count"] for group in groups)
    requests = "request" if count == 1 else "requests"
    return (
        f"{count:,} {requests} of scenario {scenario['name']} could not be sent, "
        f"most often {first['operation']}: {first['detail']}"
    )


def _own_errors(scenario: dict[str, Any]) -> list[dict[str, Any]]:
    return [group for group in scenario.get("errors", ()) if group["kind"] in OURS]
