"""What the campaign file says of the load phase: scenarios, and limits on what they measure."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, PositiveFloat, ValidationInfo, model_validator
from pydantic_core import PydanticCustomError

from campaign.load.spec import ScenarioSpec
from campaign.records import Direction, Limit, Severity
from campaign.settings import (
    Duration,
    GradedLimit,
    Rate,
    Settings,
    Share,
    UserName,
    limit_for,
    unknown_name,
)
from phases.load.metrics import ALL, METRICS, WHOLE_SCENARIO, Metric

QUICK_USERS = 20
QUICK_SECONDS = 10.0
"""What all holds of a quick run take together, in seconds."""

SHORTEST_HOLD = 3.0
"""Seconds; less than that measures nothing worth a verdict."""

USERS_PER_WORKER = 1000
"""Users that one worker process carries before `workers: auto` starts another."""

Count = Annotated[int, Field(strict=True, ge=1)]
"""A whole number from 1; no text, no true."""

Latency = Annotated[GradedLimit, limit_for("s", Direction.AT_MOST)] | None
"""`200ms`, `80ms..150ms`, or `{limit: 200ms, severity: important}`."""


def _operation_or_all(name: str, info: ValidationInfo) -> str:
    operations = (info.context or {}).get("operations")
    if operations is not None and name != ALL and name not in operations:
        raise unknown_name("an operation", [*operations, ALL])
    return name


class Limits(Settings):
    """Limits on one operation's samples in the hold, or on all together; response time counts from due."""

    p50: Latency = None
    p75: Latency = None
    p90: Latency = None
    p95: Latency = None
    p99: Latency = None
    p999: Latency = None
    mean: Latency = None
    max: Latency = None
    error_rate: Annotated[GradedLimit, limit_for("share", Direction.AT_MOST)] | None = None
    rate: Annotated[GradedLimit, limit_for("1/s", Direction.AT_LEAST)] | None = None
    longest_stall: Latency = None
    load_reached: Annotated[GradedLimit, limit_for("share", Direction.AT_LEAST)] | None = None

    def given(self) -> dict[str, GradedLimit]:
        """The limits that were written, by metric."""
        return {name: limit for name in METRICS if (limit := getattr(self, name)) is not None}

    def scaled(self, share: float) -> Self:
        """The same limits for this share of the work: rates are that much lower, times stay."""
        if self.rate is None:
            return self
        limit = self.rate.limit
        lower = replace(limit, target=limit.target * share, acceptable=limit.acceptable * share)
        return self.model_copy(update={"rate": self.rate.model_copy(update={"limit": lower})})


LimitTable = dict[Annotated[str, AfterValidator(_operation_or_all)], Limits]
"""Limits by operation, and `all`."""


def _graded(target: float, acceptable: float, unit: str, direction: Direction) -> GradedLimit:
    return GradedLimit(limit=Limit(target, acceptable, unit, direction), severity=Severity.CRITICAL)


DEFAULT_LIMITS = {
    "error_rate": _graded(0.01, 0.01, "share", Direction.AT_MOST),
    "longest_stall": _graded(2.0, 5.0, "s", Direction.AT_MOST),
    "load_reached": _graded(0.99, 0.90, "share", Direction.AT_LEAST),
}
"""What every scenario is held to, over all operations, where the file says nothing of these metrics."""


class Scenario(Settings):
    """A number of users that come at `ramp`, stay for `hold` and leave within `ramp_down`."""

    users: Count = Field(le=100_000)
    ramp: Rate = 10.0
    hold: Duration = Field(default=60.0, gt=0)
    ramp_down: Duration = 0.0
    mix: dict[UserName, PositiveFloat] = Field(default_factory=dict)
    limits: LimitTable = Field(default_factory=dict)

    def spec(self, name: str) -> ScenarioSpec:
        """The same as plain data for the load engine."""
        return ScenarioSpec(name, self.users, self.ramp, self.hold, self.ramp_down, self.mix)

    def quick(self, hold: float) -> Self:  # type: ignore[override]
        """Fewer users for at most `hold` seconds, all there within a second, asked for so much less work."""
        users = min(self.users, QUICK_USERS)
        return self.model_copy(
            update={
                "users": users,
                "ramp": max(self.ramp, float(users)),
                "hold": min(self.hold, hold),
                "ramp_down": min(self.ramp_down, 1.0),
                "limits": _scaled(self.limits, users / self.users),
            }
        )


@dataclass(frozen=True, slots=True)
class PlannedLimit:
    """One check that a scenario must answer; `subject` is an operation or `all`."""

    scenario: str
    subject: str
    metric: Metric
    graded: GradedLimit

    @property
    def name(self) -> str:
        """The name of the measurement, and of the check: `peak.converse.p95`."""
        return f"{self.scenario}.{self.subject}.{self.metric.name}"


class LoadSettings(Settings):
    """The load phase: scenarios run one after the other, each is judged by itself.

    A scenario's own limits go before the phase's. `regression` is how much slower than the baseline
    (`--baseline`) an operation's p95 may be.
    """

    scenarios: dict[str, Scenario] = Field(min_length=1)
    limits: LimitTable = Field(default_factory=dict)
    workers: Literal["auto"] | Annotated[Count, Field(le=256)] = "auto"
    regression: Share = 0.20

    @model_validator(mode="after")
    def _whole_scenario_metrics_under_all(self) -> Self:
        tables = [self.limits, *(scenario.limits for scenario in self.scenarios.values())]
        for name, limits in (item for table in tables for item in table.items()):
            wrong = [metric for metric in WHOLE_SCENARIO if name != ALL and metric in limits.given()]
            if wrong:
                allowed = f"{wrong[0]} under 'all' only, not under '{name}': it belongs to the whole scenario"
                raise PydanticCustomError("misplaced", "is not {allowed}", {"allowed": allowed})
        return self

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
        share = min(quick[name].users / scenario.users for name, scenario in self.scenarios.items())
        return self.model_copy(update={"scenarios": quick, "limits": _scaled(self.limits, share)})

    def planned(self) -> Iterator[PlannedLimit]:
        """Every check of every scenario, the phase's limits first, then those that only a scenario has."""
        for name, scenario in self.scenarios.items():
            for (subject, metric), graded in self._merged(scenario).items():
                yield PlannedLimit(name, subject, METRICS[metric], graded)

    def _merged(self, scenario: Scenario) -> dict[tuple[str, str], GradedLimit]:
        merged = {(ALL, metric): graded for metric, graded in DEFAULT_LIMITS.items()}
        for table in (self.limits, scenario.limits):
            merged |= _flat(table)
        return merged

    def worker_count(self, scenario: Scenario) -> int:
        """How many worker processes this scenario gets."""
        if self.workers != "auto":
            return min(self.workers, scenario.users)
        return max(1, min(os.cpu_count() or 1, scenario.users // USERS_PER_WORKER))


def _scaled(table: LimitTable, share: float) -> LimitTable:
    """The same limits, but rates of a scenario that has only this share of its users."""
    return {name: limits.scaled(share) for name, limits in table.items()}


def _flat(table: Mapping[str, Limits]) -> dict[tuple[str, str], GradedLimit]:
    return {
        (subject, metric): graded
        for subject, limits in table.items()
        for metric, graded in limits.given().items()
    }
