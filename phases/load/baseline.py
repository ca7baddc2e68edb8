"""A figure over that of an earlier run, with the limits that both intervals allow."""

from __future__ import annotations

from typing import Any

from campaign.load.spec import Model, ScenarioSpec
from campaign.records import Evidence, Measurement
from phases.load.gradedlimits import RATIO

NONE_GIVEN = "no baseline was given (--baseline)"
"""Why nothing is compared in most runs."""


def why_not_compared(baseline: Evidence | None, scenario: ScenarioSpec, *, choice: str = "") -> str:
    """Why this scenario cannot be held against the baseline, or "" where the same tasks had the same load.

    `choice` says which part of the campaign is run.
    """
    if baseline is None:
        return NONE_GIVEN
    then = next((each for each in _scenarios(baseline) if each["name"] == scenario.name), None)
    if then is None:
        return "the baseline does not have this scenario"
    if (chosen := baseline.facts.get("choice", "")) != choice:
        return _parted("the baseline", chosen) if chosen else _parted("this run", choice)
    if _load(then) == (scenario.model.value, scenario.profile.highest):
        return ""
    return f"the baseline had {_words(then)} there"


def _parted(which: str, choice: str) -> str:
    return f"of {which} {choice[:1].lower()}{choice[1:].rstrip('.')}"


def _scenarios(baseline: Evidence) -> list[dict[str, Any]]:
    return list(baseline.facts.get("scenarios", ()))


def _load(then: dict[str, Any]) -> tuple[str, float]:
    """Model and highest level; reports of the first release know users only."""
    return then.get("model", Model.CLOSED.value), then.get("level", then["users"])


def _words(then: dict[str, Any]) -> str:
    model, level = _load(then)
    return f"{level:,.6g} arrivals/s" if model == Model.OPEN.value else f"{level:,.0f} users"


def ratio(baseline: Evidence, now: Measurement, *, name: str) -> Measurement | None:
    """`now` over the baseline's figure of the same name; None where that is missing or 0."""
    then = baseline.find(now.name)
    if then is None or not then.value:
        return None
    if now.value is None:
        return Measurement(name, None, RATIO)
    low = now.low / then.high if now.low is not None and then.high else None
    high = now.high / then.low if now.high is not None and then.low else None
    return Measurement(name, now.value / then.value, RATIO, now.count, low, high)
