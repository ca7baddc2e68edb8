"""How fast a level of load is reached, as the campaign file says it: `10/s`, or `30s` for all of it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

from pydantic import PlainSerializer, PlainValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from campaign.settings import write_duration, write_rate
from campaign.settings.quantities import (
    DURATION_PATTERN,
    RATE_PATTERN,
    quantity_error,
    read_duration,
    read_rate,
    text_schema,
)

QUICK_RAMP = 1.0
"""Seconds in which the users of a quick run have come."""


@dataclass(frozen=True, slots=True)
class Ramp:
    """So many more `per_second`; or, where that is 0, all of it within so many `seconds` (0: at once)."""

    per_second: float = 0.0
    seconds: float = 0.0

    def takes(self, change: float) -> float:
        """The seconds that a change of the level takes, up or down."""
        return abs(change) / self.per_second if self.per_second else self.seconds

    def __str__(self) -> str:
        return write_rate(self.per_second) if self.per_second else write_duration(self.seconds)


def _read(value: object) -> Ramp:
    if isinstance(value, Ramp):
        return value
    is_rate = isinstance(value, str) and "/" in value
    read: Callable[[object], float] = read_rate if is_rate else read_duration
    try:
        number = read(value)
    except PydanticCustomError as error:
        raise quantity_error("a rate such as 10/s, or a duration such as 30s for all of it") from error
    return Ramp(per_second=number) if is_rate else Ramp(seconds=number)


RampText = Annotated[
    Ramp,
    PlainValidator(_read),
    PlainSerializer(str, return_type=str),
    WithJsonSchema({"anyOf": [text_schema(RATE_PATTERN, "10/s"), text_schema(DURATION_PATTERN, "30s")]}),
]
"""A Ramp, from its text."""
