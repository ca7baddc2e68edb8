"""Shares of errors from the tables, with their exact limits: proven, refuted or undecided."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from campaign import checks
from campaign.records import Direction, Finding, Limit, Measurement
from campaign.settings import GradedLimit
from campaign.stats.proof import ErrorShare, Verdict, design_effect, error_share
from campaign.units import format_quantity
from phases.safety.content.planner import needed_for
from phases.safety.content.tables import SAFE, UNSAFE
from phases.safety.content.verdict import Outcome

Arm = Mapping[str, Any]

FEWEST_JUDGED = 0.5
"""The share of texts with a verdict below which nothing is said of the filter."""

USED_UP = "There are no further texts of these categories: ask for more of them (categories), or add a set."

MOST_FIGURED = 1000
"""Errors up to which somebody would send more texts to prove a limit."""


def share_of(arm: Arm, sides: Iterable[str]) -> ErrorShare:
    """Errors of one label or both; texts of one template count as what they tell together.

    What got no verdict, where nobody can say whether it got through, may have been an error.
    """
    clusters: list[tuple[int, int]] = []
    doubtful = 0
    for name in sides:
        side = arm["sides"][name]
        clusters += [(errors, count) for errors, count in side["templates"].values()]
        if name == UNSAFE:
            doubtful += side["outcomes"].get(Outcome.UNKNOWN, 0)
    errors, count = sum(each for each, _ in clusters), sum(each for _, each in clusters)
    return error_share(errors, count + doubtful, doubtful=doubtful, design=design_effect(clusters))


def told(arm: Arm, sides: Iterable[str]) -> str:
    """`3,000 items from 126 templates`."""
    rows = [arm["sides"][name]["templates"] for name in sides]
    count, templates = sum(each for row in rows for _, each in row.values()), sum(map(len, rows))
    return f"{count:,} items from {templates:,} templates"


def unjudged(arm: Arm, sides: Iterable[str]) -> str:
    """Why nothing can be said of the filter; "" where enough got a verdict."""
    sides = tuple(sides)
    outcomes = [arm["sides"][name]["outcomes"] for name in sides]
    whole = sum(sum(each.values()) for each in outcomes)
    judged = sum(count for name in sides for _, count in arm["sides"][name]["templates"].values())
    if whole and judged >= FEWEST_JUDGED * whole:
        return ""
    reasons = ", ".join(f"{why} ({count:,})" for why, count in arm["why"][:2])
    errors = ", ".join(f"{each['operation']}: {each['detail']}" for each in arm.get("errors", ())[:2])
    return f"only {judged:,} of {whole:,} texts got a verdict: {reasons or errors or 'the run was cut off'}"


def judge_share(
    check: str, arm: Arm, sides: tuple[str, ...], *, graded: GradedLimit, what: str, doubt: str = "",
    remedy: str = "", used_up: bool = False,
) -> Finding:  # fmt: skip
    """Whether the share keeps its limit; with AT_LEAST the limit is on what was right."""
    limit = graded.limit
    if why := unjudged(arm, sides):
        return checks.inconclusive(check, f"not tested: {what}: {why}", severity=graded.severity, limit=limit)
    share = share_of(arm, sides)
    least = limit.direction is Direction.AT_LEAST
    target = 1 - limit.acceptable if least else limit.acceptable
    measured = measurement(check, share, least=least)
    clustered = f", which tell as much as {share.effective:,.0f}" if share.design > 1 else ""
    wrong = f"{share.errors:,} wrong" if share.errors else "none wrong"
    subject = f"{what}, {wrong} of {told(arm, sides)}{clustered} ({verdict_of(measured, limit)}),"
    return checks.within(
        check, measured, limit=limit, subject=subject, severity=graded.severity, doubt=doubt, remedy=remedy,
        settle=USED_UP if used_up else _settle(share, target),
    )  # fmt: skip


def measurement(name: str, share: ErrorShare, *, least: bool) -> Measurement:
    """The share of errors, or of what was right, with its one-sided 95 % limits."""
    value, low, high = share.value, share.low, share.high
    if least:
        value, low, high = None if value is None else 1 - value, 1 - high, 1 - low
    return Measurement(name, value, "share", share.count, low, high)


def verdict_of(measured: Measurement, limit: Limit) -> Verdict:
    """By the end of the limit that decides."""
    edge = limit.goodness(limit.acceptable)
    if limit.worse_end(measured) >= edge:
        return Verdict.PROVEN
    return Verdict.REFUTED if limit.better_end(measured) < edge else Verdict.UNDECIDED


def _settle(share: ErrorShare, target: float) -> str:
    """How many texts would decide it, at the errors that were seen."""
    if share.doubtful:
        return (
            f"{share.doubtful:,} unsafe texts got no verdict, and nobody can say whether they got through: "
            "name an operation that tells (delivered), or let the service answer them."
        )
    errors = round(share.errors / share.design)
    if target <= 0 or errors > MOST_FIGURED:
        return "No number of texts shows that there is never an error."
    needed = round(needed_for(target, errors) * share.design)
    seen = f"{share.errors:,} error{'s' * (share.errors > 1)}" if share.errors else "no error"
    return (
        f"With {seen} it takes {needed:,} texts to prove {format_quantity(target, 'share')}: items: {needed}."
    )


BOTH = (UNSAFE, SAFE)
