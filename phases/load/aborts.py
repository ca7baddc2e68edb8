"""When a scenario is stopped before its end: `{error_rate: "> 50%", for: 10s, after: 30s, of: converse}`."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any, Self

from pydantic import (
    Field,
    PlainSerializer,
    PlainValidator,
    WithJsonSchema,
    create_model,
    model_serializer,
    model_validator,
)
from pydantic_core import PydanticCustomError

from campaign.records import Direction, Limit
from campaign.settings import Duration, Settings, parse_limit, write_duration, write_limit
from campaign.settings.quantities import quantity_error
from campaign.units import format_quantity
from phases.load.gradedlimits import LONGEST_ON_END, QUICK_ON_END
from phases.load.limits import SubjectName
from phases.load.metrics import METRICS, TALLIED, Metric
from phases.load.ramps import QUICK_RAMP
from phases.load.subjects import ALL

_BAD_SIDE = {Direction.AT_MOST: ">", Direction.AT_LEAST: "<"}


class AbortRule(Settings):
    """The scenario is stopped when one figure of `of` was beyond its bound for `for` seconds on end, looked
    at every second from `after` on.
    """

    of: SubjectName = ALL
    on_end: Annotated[Duration, Field(ge=1, le=LONGEST_ON_END)] = Field(default=10.0, alias="for")
    after: Duration = 0.0

    @model_validator(mode="after")
    def _one_figure(self) -> Self:
        given = [name for name in TALLIED if getattr(self, name) is not None]
        if len(given) != 1:
            allowed = 'one figure and its bound, such as {error_rate: "> 50%", for: 10s, after: 30s}'
            raise PydanticCustomError("figures", "is not {allowed}", {"allowed": allowed})
        return self

    @property
    def metric(self) -> Metric:
        """The figure that is looked at."""
        return METRICS[next(name for name in TALLIED if getattr(self, name) is not None)]

    @property
    def bound(self) -> Limit:
        """What the figure must be beyond."""
        limit: Limit = getattr(self, self.metric.name)
        return limit

    @property
    def title(self) -> str:
        """The rule in words: `error rate above 50 % for 10 s on end`."""
        subject = "" if self.of == ALL else f"{self.of} "
        side = "above" if self.metric.direction is Direction.AT_MOST else "below"
        bound = format_quantity(self.bound.target, self.metric.unit)
        return f"{subject}{self.metric.title} {side} {bound} for {format_quantity(self.on_end, 's')} on end"

    def scaled(self, *, levels: float, times: float) -> Self:
        """The same for a short look at this share of the load in this share of the time: rates are that much
        lower, and users who came slowly now come within a second.
        """
        after = max(self.after * times, min(self.after, QUICK_RAMP))
        changes: dict[str, Any] = {"on_end": min(self.on_end, QUICK_ON_END), "after": after}
        if self.metric.name == "rate":
            bound = self.bound
            target, acceptable = bound.target * levels, bound.acceptable * levels
            changes["rate"] = replace(bound, target=target, acceptable=acceptable)
        return self.model_copy(update=changes)

    @model_serializer
    def _as_written(self) -> dict[str, str]:
        figure = {self.metric.name: write_bound(self.bound)}
        further = {"of": self.of, "for": write_duration(self.on_end), "after": write_duration(self.after)}
        return {**figure, **further}


@dataclass(frozen=True, slots=True)
class Aborted:
    """Why a scenario was stopped, when (seconds since it began), and by a rule on which metric."""

    why: str
    at: float
    metric: str = ""


def _reader(metric: Metric) -> Callable[[object], Limit]:
    sign = _BAD_SIDE[metric.direction]

    def read(value: object) -> Limit:
        if isinstance(value, Limit):
            return value
        text = value.strip() if isinstance(value, str) else ""
        if not text.startswith(sign) or ".." in text:
            example = {"s": "5s", "share": "50%", "1/s": "10/s"}[metric.unit]
            raise quantity_error(f'one bound with its sign, such as "{sign} {example}"')
        return parse_limit(text[1:].removeprefix("="), unit=metric.unit, direction=metric.direction)

    return read


def write_bound(bound: Limit) -> str:
    """The text that the campaign file has for it: `> 50%`."""
    return f"{_BAD_SIDE[bound.direction]} {write_limit(bound).lstrip('<>= ')}"


def _bound_type(metric: Metric) -> Any:
    schema = {"type": "string", "pattern": rf"^\s*{_BAD_SIDE[metric.direction]}"}
    return (
        Annotated[
            Limit, PlainValidator(_reader(metric)), PlainSerializer(write_bound), WithJsonSchema(schema)
        ]
        | None
    )


if TYPE_CHECKING:
    AbortWhen = AbortRule
else:
    AbortWhen = create_model(
        "AbortWhen",
        __base__=AbortRule,
        __doc__="Stop the scenario when one figure was beyond its bound for `for` on end.",
        **{name: (_bound_type(METRICS[name]), None) for name in TALLIED},
    )

AbortRules = tuple[AbortWhen, ...]
"""The rules of a scenario, or of all."""
