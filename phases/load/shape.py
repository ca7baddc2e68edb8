"""A scenario's load in words: `0 to 50 users in 5 s, 50 users for 2 min`."""

from __future__ import annotations

from itertools import pairwise

from campaign.load.profile import Segment
from campaign.load.spec import Model, ScenarioSpec
from campaign.units import format_quantity

MOST_STEPS = 6
"""Steps that are told one by one; of more only their number, the highest level and the time are."""


def shape(spec: ScenarioSpec) -> str:
    """What is asked for over time."""
    steps = [each for each in _pairs(spec) if each[1].seconds]
    if len(steps) > MOST_STEPS:
        highest, seconds = _level(spec, spec.profile.highest), format_quantity(spec.seconds, "s")
        return f"{len(steps)} steps up to {highest} in {seconds}"
    return ", ".join(_step(spec, before, after) for before, after in steps)


def model(spec: ScenarioSpec) -> str:
    """The load model in words."""
    if spec.model is Model.CLOSED:
        return "closed model: who has an answer asks again"
    moments = "at random moments (Poisson)" if spec.poisson else "at even intervals"
    return f"open model: arrivals {moments}, however long answers take"


def _pairs(spec: ScenarioSpec) -> list[tuple[Segment, Segment]]:
    return list(pairwise((Segment(0.0, 0.0), *spec.segments)))


def _step(spec: ScenarioSpec, before: Segment, after: Segment) -> str:
    seconds = format_quantity(after.seconds, "s")
    if before.level == after.level:
        return f"{_level(spec, after.level)} for {seconds}"
    return f"{_figure(before.level)} to {_level(spec, after.level)} in {seconds}"


def _level(spec: ScenarioSpec, level: float) -> str:
    if spec.model is Model.OPEN:
        return f"{_figure(level)} arrivals/s"
    return f"{_figure(level)} user{'' if level == 1 else 's'}"


def _figure(level: float) -> str:
    return f"{level:,.4g}" if level < 1000 else f"{level:,.0f}"
