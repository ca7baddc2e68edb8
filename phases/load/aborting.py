"""Findings of a scenario that a rule stopped before its end: the target's failure, unless it may be ours."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from campaign import checks
from campaign.records import Finding, Severity
from phases.load.ourselves import our_abort


def abort_of(scenarios: Iterable[dict[str, Any]]) -> str:
    """Why scenarios after an aborted one were not run, or "" where none was."""
    names = [scenario["name"] for scenario in scenarios if scenario.get("aborted")]
    return f"not run, as scenario {names[0]} was aborted" if names else ""


def judge_aborts(scenarios: Iterable[dict[str, Any]]) -> Iterator[Finding]:
    """A failed critical finding for each scenario that was aborted: a rule was met by what the target did.

    Where it may have been met by what our own generator did, a doubt that stops the gate.
    """
    for scenario in scenarios:
        if aborted := scenario.get("aborted"):
            yield _finding(scenario, aborted)


def _finding(scenario: dict[str, Any], aborted: dict[str, Any]) -> Finding:
    check = f"{scenario['name']}.all.aborted"
    message = f"scenario {scenario['name']} was aborted {aborted['at']:g} s after it began: {aborted['why']}"
    if ours := our_abort(scenario, aborted.get("metric", "")):
        return checks.inconclusive(
            check,
            f"{message}; this may not be the target's doing, as {ours}",
            severity=Severity.BLOCKER,
            remedy="See why our own generator failed, and run the scenario again.",
        )
    return checks.holds(
        check,
        ok=False,
        message=message,
        remedy="Read the failed limits and the errors of these seconds first; what comes after was "
        "not measured.",
    )
