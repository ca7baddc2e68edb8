"""One limit of the load phase: on the judged part, over seconds on end (`for`), or relative (`of:
baseline`).
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Annotated, Any, Literal, Self

from pydantic import Field, GetCoreSchemaHandler, GetJsonSchemaHandler, model_serializer, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from campaign.records import Direction, Limit
from campaign.settings import Duration, GradedLimit, limit_for, write_duration, write_limit
from campaign.settings.quantities import LONGEST_TEXT, quantity_error
from campaign.units import UnitError, parse_share
from phases.load.metrics import TALLIED, Metric

RATIO = "x the baseline"
"""The unit of a figure relative to the baseline's."""

LONGEST_ON_END = 3600.0
"""Seconds on end that a limit may ask for; each is looked at once a second."""

QUICK_ON_END = 2.0
"""Seconds on end in a quick run, whose holds are only a few seconds long."""

_RATIO_ALLOWED = "a share of the baseline's figure such as 120%, or 110%..130% (target..acceptable)"


class LoadLimit(GradedLimit):
    """A limit, and over what it is held: the judged part as a whole; or so many seconds on end, all of which
    must be beyond it to miss it; or as a share of what the baseline had.
    """

    on_end: Annotated[Duration, Field(ge=1, le=LONGEST_ON_END)] | None = Field(default=None, alias="for")
    of: Literal["baseline"] | None = None

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        if self.on_end is not None and self.of is not None:
            raise quantity_error("either 'for' or 'of: baseline', not both")
        return self

    @property
    def seconds_on_end(self) -> int:
        """The whole seconds of `for`; 0 without."""
        return round(self.on_end or 0)

    @property
    def ending(self) -> str:
        """What the check's name has after the metric's."""
        if self.of:
            return ".of_baseline"
        return f".for_{write_duration(self.seconds_on_end)}" if self.on_end else ""

    def scaled(self, share: float) -> Self:
        """The same for a short look at this share of the load."""
        changes: dict[str, Any] = {}
        if self.of is None and share != 1:
            limit = self.limit
            target, acceptable = limit.target * share, limit.acceptable * share
            changes["limit"] = replace(limit, target=target, acceptable=acceptable)
        if self.on_end is not None:
            changes["on_end"] = min(self.on_end, QUICK_ON_END)
        return self.model_copy(update=changes)

    @model_serializer
    def _as_written(self) -> str | dict[str, str]:
        text = _write_ratio(self.limit) if self.of else write_limit(self.limit)
        severity = "" if self.severity == "critical" else self.severity.value
        on_end = "" if self.on_end is None else write_duration(self.on_end)
        further = {"severity": severity, "for": on_end, "of": self.of or ""}
        given = {key: each for key, each in further.items() if each}
        return {"limit": text, **given} if given else text


def limit_of(metric: Metric) -> Callable[[object], object]:
    """What reads a limit on this metric: it knows the unit and the good side, and whether there is a
    `for`.
    """
    plain = limit_for(metric.unit, metric.direction).func

    def demand(value: object) -> object:
        if isinstance(value, Mapping) and value.get("for") is not None and metric.name not in TALLIED:
            raise quantity_error(f"a limit without 'for': {metric.name} belongs to the whole scenario")
        if isinstance(value, Mapping) and value.get("of") == "baseline":
            return {**value, "limit": _read_ratio(value.get("limit"), metric.direction)}
        return plain(value)  # type: ignore[call-arg]

    return demand


def _read_ratio(value: object, direction: Direction) -> Limit:
    if isinstance(value, Limit):
        return value
    text = value.strip().lstrip("<>=≤≥ ") if isinstance(value, str) and len(value) <= LONGEST_TEXT else ""
    try:
        ends = [parse_share(each) for each in text.split("..")]
    except UnitError as error:
        raise quantity_error(_RATIO_ALLOWED) from error
    limit = Limit(ends[0], ends[-1], RATIO, direction)
    if len(ends) > 2 or not ends[0] or limit.goodness(ends[0]) < limit.goodness(ends[-1]):
        raise quantity_error(_RATIO_ALLOWED)
    return limit


def _write_ratio(limit: Limit) -> str:
    ends = dict.fromkeys((limit.target, limit.acceptable))
    return "..".join(f"{end * 100:.10g}%" for end in ends)


class OneOrMore:
    """The annotation of a tuple that may be written as its only item, and is then dumped so."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Validate one value as a list of it."""
        many = handler(source)
        shortened = core_schema.wrap_serializer_function_ser_schema(_shortened, schema=many)
        return core_schema.no_info_before_validator_function(_listed, many, serialization=shortened)

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Offer the item as well as the list."""
        many = handler(schema)
        return {"anyOf": [handler.resolve_ref_schema(many)["items"], many]}


def _listed(value: object) -> object:
    return value if isinstance(value, list | tuple) else [value]


def _shortened(value: tuple[object, ...], dump: Callable[[object], Any]) -> Any:
    written = dump(value)
    return written[0] if len(written) == 1 else written
