"""What limits on a scenario's figures the campaign file may set, and what holds where it sets none."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Self

from pydantic import (
    AfterValidator,
    BeforeValidator,
    SerializerFunctionWrapHandler,
    ValidationInfo,
    create_model,
    model_serializer,
    model_validator,
)
from pydantic_core import PydanticCustomError

from campaign.records import Direction, Limit, Severity
from campaign.settings import Settings, unknown_name
from campaign.settings.quantities import quantity_error
from phases.load.gradedlimits import LoadLimit, OneOrMore, limit_of
from phases.load.metrics import METRICS, Metric
from phases.load.placing import misplaced
from phases.load.subjects import ALL, KIND, REGION, TAG

Given = tuple[LoadLimit, ...]
"""All limits on one metric."""


def _names(info: ValidationInfo, key: str) -> list[str]:
    return [str(name) for name in (info.context or {}).get(key, ())]


def subject_name(name: str, info: ValidationInfo) -> str:
    """The name of something that limits may be on; else a mistake that lists what there is."""
    if info.context is None or "operations" not in info.context:
        return name
    if info.context.get("measures", ()) is None:  # it may be of a class that could not be read, which is told
        return name
    prefixed = ((TAG, "tags"), (KIND, "users"), (REGION, "regions"))
    known = [ALL, *_names(info, "operations"), *_names(info, "groups"), *_names(info, "measures")]
    known += [prefix + each for prefix, key in prefixed for each in _names(info, key)]
    if name not in known:
        kinds = "an operation, tag (tag:...), group, kind (kind:...) or region (region:...)"
        raise unknown_name(kinds, known)
    return name


SubjectName = Annotated[str, AfterValidator(subject_name)]
"""An operation, `all`, `tag:<tag>`, a group, `kind:<kind of user>` or `region:<region>`."""


class MetricLimits(Settings):
    """Limits on what one operation, or all together, came to; there is one key for every metric."""

    @model_validator(mode="after")
    def _told_apart(self) -> Self:
        for name, limits in self.given().items():
            endings = [each.ending for each in limits]
            if len(set(endings)) < len(endings):
                allowed = f"one limit of each kind on {name}: plain, 'of: baseline', and one for each 'for'"
                raise quantity_error(allowed)
        return self

    @model_serializer(mode="wrap")
    def _only_given(self, dump: SerializerFunctionWrapHandler) -> dict[str, object]:
        return {name: each for name, each in dump(self).items() if each}

    def given(self) -> dict[str, Given]:
        """The limits that were written, by metric."""
        return {name: limits for name in METRICS if (limits := getattr(self, name))}

    def scaled(self, share: float) -> Self:
        """The same limits for a short look at this share of the work: rates are that much lower, times
        stay.
        """
        changed = {
            name: tuple(each.scaled(share if name == "rate" else 1.0) for each in limits)
            for name, limits in self.given().items()
        }
        return self.model_copy(update=changed)


if TYPE_CHECKING:
    Limits = MetricLimits
else:
    Limits = create_model(
        "Limits",
        __base__=MetricLimits,
        __doc__="Limits on one operation's samples in the hold, or on all together.",
        **{
            name: (
                Annotated[tuple[Annotated[LoadLimit, BeforeValidator(limit_of(metric))], ...], OneOrMore()],
                (),
            )
            for name, metric in METRICS.items()
        },
    )


def _placed(table: dict[str, Limits], info: ValidationInfo) -> dict[str, Limits]:
    for subject, limits in table.items():
        if wrong := misplaced(subject, limits.given(), info.context or {}):
            raise PydanticCustomError("misplaced", "is not {allowed}", {"allowed": wrong})
    return table


LimitTable = Annotated[dict[SubjectName, Limits], AfterValidator(_placed)]
"""Limits by subject."""


def _graded(target: float, acceptable: float, unit: str, direction: Direction) -> LoadLimit:
    return LoadLimit(limit=Limit(target, acceptable, unit, direction), severity=Severity.CRITICAL)


DEFAULT_LIMITS = {
    "error_rate": _graded(0.01, 0.01, "share", Direction.AT_MOST),
    "longest_stall": _graded(2.0, 5.0, "s", Direction.AT_MOST),
    "load_reached": _graded(0.99, 0.90, "share", Direction.AT_LEAST),
}
"""What every scenario is held to, over all operations, where the file says nothing of these metrics."""


@dataclass(frozen=True, slots=True)
class PlannedLimit:
    """One check that a scenario must answer; `subject` is what it is on."""

    scenario: str
    subject: str
    metric: Metric
    graded: LoadLimit

    @property
    def figure(self) -> str:
        """The name of the metric's measurement over the judged part: `peak.converse.p95`."""
        return f"{self.scenario}.{self.subject}.{self.metric.name}"

    @property
    def name(self) -> str:
        """The name of the check, and of the measurement it is held against."""
        return self.figure + self.graded.ending


def flat(table: Mapping[str, Limits]) -> dict[tuple[str, str], Given]:
    """The limits by subject and metric."""
    return {
        (subject, metric): given
        for subject, limits in table.items()
        for metric, given in limits.given().items()
    }


def scaled(table: LimitTable, share: float) -> LimitTable:
    """The same limits, but for a short look at a scenario that has only this share of its users."""
    return {name: limits.scaled(share) for name, limits in table.items()}
