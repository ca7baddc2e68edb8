"""The load phase's settings for a run that leaves some of the vocabulary out: no limit asks for what is not
run.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING, TypeVar

from campaign.errors import ConfigurationError
from campaign.settings import LeftOut
from phases.load.aborts import AbortRule
from phases.load.subjects import KIND, REGION, TAG

if TYPE_CHECKING:
    from phases.load.scenarios import Scenario
    from phases.load.settings import LoadSettings

Value = TypeVar("Value")
Chosen = TypeVar("Chosen", bound="LoadSettings")


def without(settings: Chosen, left_out: LeftOut) -> Chosen:
    """The settings without what speaks of the left-out names. Raises ConfigurationError for a scenario that
    has nobody left.
    """
    gone = frozenset(
        (
            *left_out.operations,
            *left_out.groups,
            *(f"{KIND}{each}" for each in left_out.users),
            *(f"{TAG}{each}" for each in left_out.tags),
            *(f"{REGION}{each}" for each in left_out.regions),
        )
    )
    scenarios = {name: _scenario(name, each, left_out, gone) for name, each in settings.scenarios.items()}
    limits, rules = _kept(settings.limits, gone), _rules(settings.abort_when, gone)
    return settings.model_copy(update={"scenarios": scenarios, "limits": limits, "abort_when": rules})


def _scenario(name: str, scenario: Scenario, left_out: LeftOut, gone: Collection[str]) -> Scenario:
    mix = _kept(scenario.mix, left_out.users)
    if scenario.mix and not mix:
        who = ", ".join(scenario.mix)
        raise ConfigurationError(f"{left_out.option}: nobody of scenario {name} has a task left ({who})")
    limits, rules = _kept(scenario.limits, gone), _rules(scenario.abort_when, gone)
    return scenario.model_copy(update={"mix": mix, "limits": limits, "abort_when": rules})


def _kept(table: dict[str, Value], gone: Collection[str]) -> dict[str, Value]:
    return {name: value for name, value in table.items() if name not in gone}


def _rules(rules: Iterable[AbortRule], gone: Collection[str]) -> tuple[AbortRule, ...]:
    return tuple(rule for rule in rules if rule.of not in gone)
