"""Findings that no limit asks for: an operation that never goes well, and requests that never ended.

A few of them drown in the figures of all operations together, and no release manager would want that.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace
from typing import Any

from campaign import checks
from campaign.records import Finding, Limit, Outcome, Severity
from phases.load.ourselves import saturation
from phases.load.subjects import ALL

FEWEST = 3
"""Requests of an operation that all failed, from which it is called broken."""


def judge_broken(scenario: dict[str, Any], *, limited: Collection[str]) -> Iterator[Finding]:
    """A failed finding for each operation that never went well; those in `limited` have a limit of their own
    on their error rate.
    """
    for row in _operations(scenario):
        failed, asked = row.get("failed", 0), row.get("asked", 0)
        if asked >= FEWEST and failed == asked and row["name"] not in limited:
            yield checks.holds(
                f"{scenario['name']}.{row['name']}.works",
                False,
                message=f"{row['name']} failed every time, {failed:,} of {asked:,}, {scenario['name']}",
                remedy="Read its failed requests and answers: the target is broken there, or the campaign "
                "file expects another answer than the right one (`expect`).",
            )


def judge_unfinished(scenario: dict[str, Any]) -> Iterator[Finding]:
    """A doubt that stops the gate, for each operation with requests that had no answer when the scenario's
    grace was over: they may hang for ever, and nobody knows.
    """
    for row in _operations(scenario):
        if count := row.get("unfinished", 0):
            many = "request" if count == 1 else "requests"
            yield checks.inconclusive(
                f"{scenario['name']}.{row['name']}.finished",
                f"{count:,} {many} of {row['name']} had no answer when the time of scenario "
                f"{scenario['name']} was over and its grace as well",
                severity=Severity.BLOCKER,
                remedy="Look for what hangs in the target. If it takes that long by nature: a graceful_stop "
                "longer than the operation's timeout lets each request come to its end.",
            )


def judge_unasked(scenario: dict[str, Any]) -> Iterator[Finding]:
    """A doubt that stops the gate where the target was asked nothing in the judged part."""
    for row in scenario.get("operations", ()):
        if row["name"] == ALL and not row.get("asked"):
            yield checks.inconclusive(
                f"{scenario['name']}.all.requests_judged",
                f"not one request of scenario {scenario['name']} can be judged: {_why_none(scenario, row)}",
                severity=Severity.BLOCKER,
                remedy="See what users did instead: a start that never ends or fails, iterations that are "
                "over before the hold, a wait longer than it, or a generator of ours that broke off.",
            )


def _why_none(scenario: dict[str, Any], row: dict[str, Any]) -> str:
    if cut := row.get("unfinished", 0):
        return f"{cut:,} had no answer when its time was over"
    if unbuilt := scenario.get("unbuilt", 0):
        return f"{unbuilt:,} could not be sent"
    if why := saturation(scenario):
        return why
    outside = scenario.get("cut_before", 0), scenario.get("cut_after", 0)
    return f"none was due in its judged part, {outside[0]:,} before it and {outside[1]:,} after it"


def weighed(finding: Finding, limit: Limit) -> Finding:
    """The finding, which stops the gate where a critical limit is undecided and nothing speaks for it: it was
    not observed at all, or its figure lies beyond the limit. The rest must not outvote it.
    """
    if finding.outcome is not Outcome.INCONCLUSIVE or finding.severity is not Severity.CRITICAL:
        return finding
    value = None if finding.measured is None else finding.measured.value
    if value is not None and limit.goodness(value) >= limit.goodness(limit.acceptable):
        return finding
    return replace(finding, severity=Severity.BLOCKER, weight=checks.WEIGHTS[Severity.BLOCKER])


def _operations(scenario: dict[str, Any]) -> Iterator[dict[str, Any]]:
    return (row for row in scenario.get("operations", ()) if row["name"] != ALL)
