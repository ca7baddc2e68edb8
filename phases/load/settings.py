"""What the campaign file says of the load phase: scenarios, and limits on what they measure."""

import os
from collections.abc import Iterator
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo, model_validator
from pydantic_core import PydanticCustomError

from campaign.load.station import ADDRESS
from campaign.settings import LeftOut, Settings, Share
from campaign.settings.quantities import quantity_error
from phases.load.aborts import AbortRule, AbortRules
from phases.load.leaving import without
from phases.load.limits import DEFAULT_LIMITS, Given, LimitTable, PlannedLimit, flat, scaled
from phases.load.metrics import METRICS
from phases.load.scenarios import Count, Scenario
from phases.load.subjects import ALL, KIND, REGION

QUICK_SECONDS = 10.0
"""What all holds of a quick run take together, in seconds."""

SHORTEST_HOLD = 3.0
"""Seconds; less than that measures nothing worth a verdict."""

USERS_PER_WORKER = 1000
"""Users that one worker process carries before `workers: auto` starts another."""

RATE_PER_WORKER = 1000
"""Arrivals per second that one worker process sends before `workers: auto` starts another."""


def _scheduler(value: str) -> str:
    if value and not ADDRESS.fullmatch(value):
        raise quantity_error("the address of a Dask scheduler, such as tcp://127.0.0.1:8786")
    return value


Fleet = Annotated[str, AfterValidator(_scheduler)]
"""The address of a Dask scheduler, whose workers send the load; "" where this machine does."""


def _listed(value: object) -> object:
    return [value] if isinstance(value, str) else value


class LoadSettings(Settings):
    """The load phase: scenarios run one after the other, each is judged by itself.

    A scenario's own limits go before the phase's. `regression` is how much slower than the baseline
    (`--baseline`) an operation's p95 may be. `abort_when` stops a scenario before its end, and with it the
    phase.
    """

    scenarios: dict[str, Scenario] = Field(min_length=1)
    limits: LimitTable = Field(default_factory=dict)
    workers: Literal["auto"] | Annotated[Count, Field(le=256)] = "auto"
    fleet: Fleet = ""
    regression: Share = 0.20
    statistics: Annotated[
        tuple[Literal["kinds", "regions", "users", "queue"], ...], BeforeValidator(_listed)
    ] = ()
    abort_when: AbortRules = ()

    @model_validator(mode="after")
    def _somebody_to_do_something(self, info: ValidationInfo) -> Self:
        if info.context is not None and not info.context.get("users", True):
            allowed = "a campaign file with users, and operations for them to do"
            raise PydanticCustomError("nobody", "needs {allowed}", {"allowed": allowed, "found": "no users"})
        return self

    def quick(self) -> Self:
        """Fewer users, and all scenarios together within about a quarter of a minute."""
        hold = max(SHORTEST_HOLD, QUICK_SECONDS / len(self.scenarios))
        quick = {name: scenario.quick(hold) for name, scenario in self.scenarios.items()}
        share = min(quick[name].highest / scenario.highest for name, scenario in self.scenarios.items())
        longest = max(scenario.quick_share(hold) for scenario in self.scenarios.values())
        rules = tuple(rule.scaled(levels=share, times=longest) for rule in self.abort_when)
        changes = {"scenarios": quick, "limits": scaled(self.limits, share), "abort_when": rules}
        return self.model_copy(update=changes)

    def without(self, left_out: LeftOut) -> Self:
        """Without the limits, rules and shares of what is not run."""
        return without(self, left_out)

    def planned(self) -> Iterator[PlannedLimit]:
        """Every check of every scenario, the phase's limits first, then those that only a scenario has."""
        for name, scenario in self.scenarios.items():
            for (subject, metric), given in self._merged(scenario).items():
                for graded in given:
                    yield PlannedLimit(name, subject, METRICS[metric], graded)

    def planned_for(self, scenario: str) -> list[PlannedLimit]:
        """The checks of one scenario."""
        return [each for each in self.planned() if each.scenario == scenario]

    def _merged(self, scenario: Scenario) -> dict[tuple[str, str], Given]:
        merged: dict[tuple[str, str], Given] = {
            (ALL, metric): (graded,) for metric, graded in DEFAULT_LIMITS.items()
        }
        for table in (self.limits, scenario.limits):
            merged |= flat(table)
        return merged

    def aborts(self, scenario: str) -> tuple[AbortRule, ...]:
        """The rules that stop this scenario: the phase's and its own."""
        return *self.abort_when, *self.scenarios[scenario].abort_when

    def views(self, scenario: str) -> frozenset[str]:
        """The further statistics that are asked for, and those that this scenario's limits and rules are
        on.
        """
        limits = [(each.subject, each.metric) for each in self.planned_for(scenario)]
        on = [*limits, *((rule.of, rule.metric) for rule in self.aborts(scenario))]
        asked = {
            "kinds": any(subject.startswith(KIND) for subject, _ in on),
            "regions": any(subject.startswith(REGION) for subject, _ in on),
            "queue": any(metric.times == "queue" for _, metric in on),
        }
        return frozenset(name for name, wanted in asked.items() if wanted) | frozenset(self.statistics)

    def worker_count(self, scenario: Scenario) -> int:
        """How many workers this scenario gets, each with at least one user; 0: as many as the fleet has."""
        users = scenario.spec("").users
        if self.workers != "auto":
            return min(self.workers, users)
        if self.fleet:
            return 0
        each = RATE_PER_WORKER if scenario.is_open else USERS_PER_WORKER
        return max(1, min(os.cpu_count() or 1, int(scenario.highest / each), users))
