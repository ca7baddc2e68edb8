"""Asks a phase for its verdict, during a run and again from a report: phases are foreign code."""

from __future__ import annotations

import traceback
from pathlib import Path
from typing import Any

from campaign.errors import CampaignError
from campaign.phase import Phase
from campaign.records import Evidence, Finding, Reason, ReasonKind

Judged = tuple[tuple[Finding, ...], Reason | None]
"""The findings, and why there are none when the judge crashed."""


def judge(phase: Phase, evidence: Evidence, *, settings: Any) -> Judged:
    """The phase's findings, or none and the reason when it crashed: that is "unknown", not the end."""
    try:
        return _only_findings(phase.judge(evidence, settings)), None
    except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever foreign code raises
        return (), Reason(ReasonKind.CRASHED, f"could not be judged: {told(error)}")


def _only_findings(given: Any) -> tuple[Finding, ...]:
    findings = tuple(given)
    for each in findings:
        if not isinstance(each, Finding):
            raise TypeError(f"judge gave a {type(each).__name__} where a Finding belongs")
    return findings


def told(error: BaseException) -> str:
    """The error in one line, with its place in the code unless it was raised on purpose."""
    if isinstance(error, CampaignError):
        return str(error)
    frames = traceback.extract_tb(error.__traceback__)
    place = f" ({Path(frames[-1].filename).name}:{frames[-1].lineno})" if frames else ""
    return f"{type(error).__name__}: {error}{place}"
