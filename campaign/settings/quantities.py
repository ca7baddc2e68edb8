"""Field types for quantities: texts with a unit in the campaign file, plain numbers in the program.

A duration is seconds, a rate per second, a share 0..1, a size bytes. They are dumped as the text that people
write, so that settings read from a report are the settings that were run.
"""

import math
from collections.abc import Callable
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema
from pydantic_core import PydanticCustomError

from campaign.units import (
    DURATION,
    RATE,
    SHARE,
    SIZE,
    UnitError,
    parse_duration,
    parse_rate,
    parse_share,
    parse_size,
)

LONGEST_TEXT = 80
"""Characters; a quantity is never longer, and a longer text is not worth a regular expression."""

LONGEST_DURATION = 366 * 86400.0
LARGEST_RATE = 1e9
LARGEST_SIZE = 2.0**50

NUMBER = r"(\d+(\.\d+)?|\.\d+)"
DURATION_PATTERN = rf"(0|(\s*{NUMBER}\s*(us|µs|ms|s|min|m|h|d))+\s*)"
RATE_PATTERN = rf"\s*{NUMBER}\s*/\s*(s|min|m|h)\s*"
SHARE_PATTERN = rf"(0|\s*{NUMBER}\s*%\s*)"
SIZE_PATTERN = rf"(0|\s*{NUMBER}\s*(B|KB|MB|GB|KiB|MiB|GiB)\s*)"


def quantity_error(allowed: str) -> PydanticCustomError:
    """The mistake of a quantity that cannot be read; `allowed` says what would be."""
    return PydanticCustomError("quantity", "is not {allowed}", {"allowed": allowed})


def read_quantity(text: object, parse: Callable[[object], float], *, allowed: str, most: float) -> float:
    """The number in `text`, which is a text with a unit or a bare 0, and at most `most`."""
    bare_zero = not isinstance(text, bool) and isinstance(text, int | float) and text == 0
    if not bare_zero and not (isinstance(text, str) and len(text) <= LONGEST_TEXT):
        raise quantity_error(allowed)
    try:
        number = parse(text)
    except UnitError as error:
        raise quantity_error(allowed) from error
    if not 0 <= number <= most:
        raise quantity_error(allowed)
    return number


def read_duration(text: object) -> float:
    """Seconds, at most 366 days."""
    return read_quantity(text, parse_duration, allowed=f"{DURATION} (at most 366d)", most=LONGEST_DURATION)


def read_rate(text: object) -> float:
    """How many per second, above 0."""
    allowed = f"{RATE}, above 0"
    rate = read_quantity(text, parse_rate, allowed=allowed, most=LARGEST_RATE)
    if rate == 0:
        raise quantity_error(allowed)
    return rate


def read_share(text: object) -> float:
    """A share 0..1."""
    return read_quantity(text, parse_share, allowed=f"{SHARE}, at most 100%", most=1.0)


def read_size(text: object) -> int:
    """Whole bytes, at most 1 PiB."""
    return int(read_quantity(text, parse_size, allowed=SIZE, most=LARGEST_SIZE))


def read_range(text: object) -> tuple[float, float]:
    """The two ends in seconds of `1s..3s`; both are the same for `2s`."""
    low, dots, high = text.partition("..") if isinstance(text, str) else (text, "", "")
    allowed = "a duration such as 2s, or a range such as 1s..3s, the shorter first"
    first = read_quantity(low, parse_duration, allowed=allowed, most=LONGEST_DURATION)
    last = read_quantity(high, parse_duration, allowed=allowed, most=LONGEST_DURATION) if dots else first
    if first > last:
        raise quantity_error(allowed)
    return first, last


def write_duration(seconds: float) -> str:
    """`200ms`, `90s`, `5m`, `24h`: exact, in the largest unit that needs no fraction."""
    for unit, size in (("h", 3600.0), ("m", 60.0), ("s", 1.0), ("ms", 1e-3), ("us", 1e-6)):
        count = round(seconds / size)
        if count and math.isclose(count * size, seconds, rel_tol=1e-12):
            return f"{count}{unit}"
    return f"{_plain(seconds)}s"


def write_rate(per_second: float) -> str:
    """`10/s`, `0.5/s`."""
    return f"{_plain(per_second)}/s"


def write_share(share: float) -> str:
    """`1%`, `0.05%`."""
    return f"{_plain(float(f'{share * 100:.12g}'))}%"


def write_size(count: float) -> str:
    """`64MiB`, `512KiB`, `1000B`: exact, in the largest binary unit that needs no fraction."""
    for unit, size in (("GiB", 2**30), ("MiB", 2**20), ("KiB", 2**10)):
        if count and count % size == 0:
            return f"{int(count // size)}{unit}"
    return f"{_plain(count)}B"


def write_range(ends: tuple[float, float]) -> str:
    """`1s..3s`, or `2s` when both ends are the same."""
    low, high = ends
    return write_duration(low) if low == high else f"{write_duration(low)}..{write_duration(high)}"


def _plain(number: float) -> str:
    """All digits that matter, no exponent, no trailing point."""
    text = format(Decimal(repr(float(number))), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def text_schema(pattern: str, *examples: str) -> dict[str, Any]:
    """The JSON Schema of a text form; a 0 without a unit is a number in YAML."""
    text = {"type": "string", "pattern": f"^{pattern}$", "examples": list(examples)}
    return {"anyOf": [text, {"const": 0}]} if pattern.startswith("(0|") else text


Duration = Annotated[
    float,
    BeforeValidator(read_duration),
    PlainSerializer(write_duration, return_type=str),
    WithJsonSchema(text_schema(DURATION_PATTERN, "200ms", "30s", "5m", "24h")),
]
"""Seconds, from `200ms`, `30s`, `5m`, `1h30m`."""

Rate = Annotated[
    float,
    BeforeValidator(read_rate),
    PlainSerializer(write_rate, return_type=str),
    WithJsonSchema(text_schema(RATE_PATTERN, "10/s", "600/min")),
]
"""How many per second, above 0, from `10/s` or `600/min`."""

Share = Annotated[
    float,
    BeforeValidator(read_share),
    PlainSerializer(write_share, return_type=str),
    WithJsonSchema(text_schema(SHARE_PATTERN, "1%", "0.5%")),
]
"""A share 0..1, from `1%`."""

Size = Annotated[
    int,
    BeforeValidator(read_size),
    PlainSerializer(write_size, return_type=str),
    WithJsonSchema(text_schema(SIZE_PATTERN, "512KiB", "64MiB")),
]
"""Bytes, from `64MiB` or `1GB`."""

Range = Annotated[
    tuple[float, float],
    BeforeValidator(read_range),
    PlainSerializer(write_range, return_type=str),
    WithJsonSchema(text_schema(rf"(0|{DURATION_PATTERN}(\.\.{DURATION_PATTERN})?)", "1s..3s", "2s")),
]
"""The two ends in seconds, the shorter first, from `1s..3s` or `2s`."""
