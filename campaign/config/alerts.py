"""The alerts of the campaign file: `monitor.alerts`."""

from __future__ import annotations

from typing import Annotated, Any, Self

from pydantic import BeforeValidator, Field, PlainSerializer, WithJsonSchema, model_validator
from pydantic_core import PydanticCustomError

from campaign.config.part import Part
from campaign.monitor.alerts import AlertRule, Side, Urgency
from campaign.settings.quantities import Duration, quantity_error
from campaign.units import UnitError, parse_duration, parse_rate, parse_share, parse_size

LEVEL = "a number, or one with a unit such as 500MiB, 90%, 2s, 100/s"
_KINDS = ((parse_share, "share"), (parse_rate, "1/s"), (parse_size, "B"), (parse_duration, "s"))


def _read_level(given: Any) -> tuple[float, str]:
    """The level and its unit ("": a bare number, in whatever the series is)."""
    if isinstance(given, tuple | list) and len(given) == 2:
        return float(given[0]), str(given[1])
    if isinstance(given, int | float) and not isinstance(given, bool):
        return float(given), ""
    for parse, unit in _KINDS:
        try:
            return float(parse(given)), unit
        except UnitError:
            continue
    raise quantity_error(LEVEL)


Level = Annotated[
    tuple[float, str],
    BeforeValidator(_read_level),
    PlainSerializer(list),
    WithJsonSchema({"anyOf": [{"type": "number"}, {"type": "string"}]}),
]


class AlertModel(Part):
    """A series `above` or `below` a level `for` a time; `abort` ends the campaign there."""

    series: Annotated[str, Field(min_length=1, max_length=500)]
    above: Level | None = None
    below: Level | None = None
    lasting: Annotated[Duration, Field(alias="for")] = 0.0
    severity: Urgency = Urgency.WARNING
    abort: bool = False

    @model_validator(mode="after")
    def _one_side(self) -> Self:
        if (self.above is None) == (self.below is None):
            raise PydanticCustomError("alert", "needs {allowed}", {"allowed": "either above or below"})
        return self

    def rule(self, name: str) -> AlertRule:
        """The rule as the monitor takes it."""
        side = Side.BELOW if self.above is None else Side.ABOVE
        level, unit = self.above or self.below or (0.0, "")
        return AlertRule(
            name,
            self.series,
            side,
            level,
            unit,
            seconds=self.lasting,
            urgency=self.severity,
            abort=self.abort,
        )
