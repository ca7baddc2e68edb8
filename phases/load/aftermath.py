"""Whether the target is still there when the load is over: one that dies in its last moments fails hardly any
request.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from campaign import checks
from campaign.clock import SECOND
from campaign.phase import PhaseContext
from campaign.records import Evidence, Finding, Severity
from campaign.target.http import health

PATIENCE = 30.0
"""Seconds for a target that has to work off what is left before it answers again."""

PAUSE_NS = SECOND // 4

FACT = "afterwards"


async def record_aftermath(context: PhaseContext) -> None:
    """Ask the target how it is until it answers well, or its time is over, and record its last answer."""
    give_up = context.clock.now_ns() + round(PATIENCE * SECOND)
    report = await health(context.target)
    while not report.ok and context.clock.now_ns() < give_up and not context.stop.requested:
        await context.clock.sleep_until(context.clock.now_ns() + PAUSE_NS)
        report = await health(context.target)
    context.record.fact(FACT, {"well": report.ok, "detail": report.detail})


def judge_aftermath(evidence: Evidence) -> Finding:
    """A blocker: the target answers its health request after the load. That it does proves little of the
    load, so it weighs no more than one limit.
    """
    name, severity = "target_afterwards", Severity.BLOCKER
    seen: dict[str, Any] | None = evidence.facts.get(FACT)
    if seen is None:
        why = "the target was not asked how it is after the load"
        return checks.inconclusive(name, why, severity=severity)
    finding = checks.holds(
        name,
        seen["well"],
        message=f"after the load the target was {'well' if seen['well'] else 'not well'}: {seen['detail']}",
        severity=severity,
        remedy="Look in its log for what ended it, and at its memory in the last seconds of the load.",
    )
    return replace(finding, weight=checks.WEIGHTS[Severity.CRITICAL])
