"""Field types for limits: `200ms`, `80ms..150ms` (target..acceptable), `< 1%`, `> 100/s`, `100/s..50/s`.

`<` and `<=` mean the same, as do `>` and `>=`: a value at the limit meets it. Without a sign a range says by
its order which side is good; a single rate is a least and anything else a most, unless the metric knows
better (`limit_for`).
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, NoReturn

from pydantic import (
    BeforeValidator,
    GetJsonSchemaHandler,
    PlainSerializer,
    PlainValidator,
    WithJsonSchema,
    model_serializer,
    model_validator,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from campaign.records import Direction, Limit, Severity
from campaign.settings.model import Settings
from campaign.settings.quantities import (
    DURATION_PATTERN,
    LARGEST_RATE,
    LARGEST_SIZE,
    LONGEST_DURATION,
    LONGEST_TEXT,
    NUMBER,
    RATE_PATTERN,
    SHARE_PATTERN,
    SIZE_PATTERN,
    quantity_error,
    read_quantity,
    text_schema,
    write_duration,
    write_rate,
    write_share,
    write_size,
)
from campaign.units import UnitError, parse_duration, parse_rate, parse_share, parse_size

ALLOWED = "a limit such as 200ms, 80ms..150ms (target..acceptable), < 1%, > 100/s, < 64MiB"
_EXAMPLES = {
    "s": "200ms, or 80ms..150ms (target..acceptable)",
    "1/s": "> 100/s, or 100/s..50/s (target..acceptable)",
    "share": "1%, or 0.1%..1% (target..acceptable)",
    "B": "64MiB, or 48MiB..64MiB (target..acceptable)",
}
_SIGNS = {"<": Direction.AT_MOST, "≤": Direction.AT_MOST, ">": Direction.AT_LEAST, "≥": Direction.AT_LEAST}
_SIGN = re.compile(r"\s*(<|>|≤|≥)=?\s*")
_COUNT = re.compile(rf"\s*{NUMBER}\s*")
_ENDS = 2
_READERS: dict[str, tuple[Callable[[object], float], float]] = {
    "s": (parse_duration, LONGEST_DURATION),
    "1/s": (parse_rate, LARGEST_RATE),
    "share": (parse_share, 1.0),
    "B": (parse_size, LARGEST_SIZE),
}


@dataclass(frozen=True, slots=True)
class _Demand:
    """A limit as written, with the unit and the good side that its metric demands."""

    written: object
    unit: str
    direction: Direction

    def __repr__(self) -> str:
        return repr(self.written)


def parse_limit(text: object, *, unit: str = "", direction: Direction | None = None) -> Limit:
    """The limit that `text` says; `unit` and `direction` are what a metric demands, if it does.

    Raises PydanticCustomError, whose context says what is allowed.
    """
    allowed = f"a limit such as {_EXAMPLES.get(unit, f'10 {unit}')}" if unit else ALLOWED
    written = str(text) if isinstance(text, int | float) and not isinstance(text, bool) else text
    if not isinstance(written, str) or len(written) > LONGEST_TEXT:
        raise quantity_error(allowed)
    sign = _SIGN.match(written)
    ends = (written[sign.end() :] if sign else written).split("..")
    kind = unit or next((found for end in ends if (found := _unit_of(end))), "")
    if not kind or len(ends) > _ENDS:
        raise quantity_error(allowed)
    target, acceptable = (_read_end(end, kind, allowed=allowed) for end in (ends[0], ends[-1]))
    said = (_SIGNS[sign[1]] if sign else None, _order(target, acceptable), direction)
    return Limit(target, acceptable, kind, _one_direction(said, kind))


def write_limit(limit: Limit) -> str:
    """The text that `parse_limit` reads as the same limit: `200ms`, `80ms..150ms`, `>= 99%`."""
    write = {"s": write_duration, "1/s": write_rate, "share": write_share, "B": write_size}.get(limit.unit)
    ends = dict.fromkeys((limit.target, limit.acceptable))
    text = "..".join(write(end) if write else f"{end:g}" for end in ends)
    if len(ends) == 1 and limit.direction is not _usual(limit.unit):
        return f"{'>=' if limit.direction is Direction.AT_LEAST else '<='} {text}"
    return text


def limit_for(unit: str, direction: Direction) -> BeforeValidator:
    """The annotation for a limit whose metric has one unit and one good side.

    Written `Annotated[GradedLimit, limit_for("s", Direction.AT_MOST)]`, or with LimitText. A bare `95%` then
    means the side of the metric; the other side, or another unit, is a mistake.
    """

    def demand(value: object) -> object:
        if isinstance(value, Limit | GradedLimit):
            return value
        if isinstance(value, Mapping):
            return {**value, "limit": _Demand(value["limit"], unit, direction)} if "limit" in value else value
        return _Demand(value, unit, direction)

    return BeforeValidator(demand)


def _read(value: object) -> Limit:
    if isinstance(value, Limit):
        return value
    if isinstance(value, _Demand):
        return parse_limit(value.written, unit=value.unit, direction=value.direction)
    return parse_limit(value)


def _unit_of(text: str) -> str:
    if "/" in text:
        return "1/s"
    if "%" in text:
        return "share"
    if text.strip().endswith("B"):
        return "B"
    return "s" if text.strip()[-1:].isalpha() else ""


def _read_end(text: str, unit: str, *, allowed: str) -> float:
    if text.strip() == "0":
        return 0.0
    parse, most = _READERS.get(unit, (_parse_count, 1e15))
    return read_quantity(text, parse, allowed=allowed, most=most)


def _parse_count(text: object) -> float:
    if not _COUNT.fullmatch(str(text)):
        raise UnitError(text, allowed="a plain number")
    return float(str(text))


def _usual(unit: str) -> Direction:
    return Direction.AT_LEAST if unit == "1/s" else Direction.AT_MOST


def _order(target: float, acceptable: float) -> Direction | None:
    if target == acceptable:
        return None
    return Direction.AT_MOST if target < acceptable else Direction.AT_LEAST


def _one_direction(said: tuple[Direction | None, ...], unit: str) -> Direction:
    directions = {each for each in said if each is not None}
    if len(directions) > 1:
        _contradiction(said)
    return directions.pop() if directions else _usual(unit)


def _contradiction(said: tuple[Direction | None, ...]) -> NoReturn:
    _, order, demanded = said
    if demanded is not None:
        raise quantity_error(f"a limit of the kind '{demanded}', the better number first in a range")
    raise quantity_error(f"a range whose order agrees with its sign (this one reads '{order}')")


_PATTERN = (
    r"\s*((<|>|≤|≥)=?)?"
    rf"({DURATION_PATTERN}(\.\.{DURATION_PATTERN})?|{RATE_PATTERN}(\.\.{RATE_PATTERN})?"
    rf"|{SHARE_PATTERN}(\.\.{SHARE_PATTERN})?|{SIZE_PATTERN}(\.\.{SIZE_PATTERN})?"
    rf"|\s*{NUMBER}\s*(\.\.\s*{NUMBER}\s*)?)"
)
_SCHEMA = text_schema(_PATTERN, "200ms", "80ms..150ms", "< 1%", "> 100/s")

LimitText = Annotated[
    Limit,
    PlainValidator(_read),
    PlainSerializer(write_limit, return_type=str),
    WithJsonSchema({"anyOf": [_SCHEMA, {"type": "number", "minimum": 0}]}),
]
"""A `campaign.records.Limit`, from its text."""


class GradedLimit(Settings):
    """A limit and what missing it means: the limit's text alone, or `{limit: ..., severity: ...}`."""

    limit: LimitText
    severity: Severity = Severity.CRITICAL

    @model_validator(mode="before")
    @classmethod
    def _from_text(cls, value: object) -> object:
        return value if isinstance(value, Mapping | GradedLimit) else {"limit": value}

    @model_serializer
    def _to_text(self) -> str | dict[str, str]:
        text = write_limit(self.limit)
        return (
            text if self.severity is Severity.CRITICAL else {"limit": text, "severity": self.severity.value}
        )

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Offer the text as well as the mapping."""
        mapping: dict[str, Any] = handler.resolve_ref_schema(handler(schema))
        return {"anyOf": [_SCHEMA, mapping]}
