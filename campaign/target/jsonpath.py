"""The part of JSONPath that names one place: `$.a.b[0]['c-d'].e`."""

from __future__ import annotations

import re
from collections.abc import Callable
from enum import Enum
from typing import Any, Final, TypeAlias

from campaign.errors import ConfigurationError


class Absence(Enum):
    """The type of `MISSING`."""

    MISSING = "missing"


MISSING: Final = Absence.MISSING
"""What a path gives where there is no such place; null is a value like any other."""

JsonPath: TypeAlias = Callable[[Any], Any]
"""The value at one place in parsed JSON, or MISSING."""

_STEP = re.compile(r"\.([^\W\d][\w-]*)|\[(-?\d+)\]|\['((?:[^'\\]|\\.)*)'\]|\[\"((?:[^\"\\]|\\.)*)\"\]")


def compile_path(source: str) -> JsonPath:
    """A function from parsed JSON to the value at `source`, or MISSING. Raises ConfigurationError."""
    steps = _steps(source)
    if len(steps) == 1 and isinstance(steps[0], str):
        return _member(steps[0])
    return lambda document: _walk(document, steps)


def _steps(source: str) -> tuple[str | int, ...]:
    text = source.strip()
    steps: list[str | int] = []
    position = 1 if text.startswith("$") else len(text) + 1
    while position < len(text) and (match := _STEP.match(text, position)):
        steps.append(_step(match))
        position = match.end()
    if position != len(text):
        raise ConfigurationError(f"{source!r} is not a path such as $.items[0].id or $['the key']")
    return tuple(steps)


def _step(match: re.Match[str]) -> str | int:
    name, index, single, double = match.groups()
    if index is not None:
        return int(index)
    quoted = single if single is not None else double
    return name if quoted is None else re.sub(r"\\(.)", r"\1", quoted)


def _member(name: str) -> JsonPath:
    return lambda document: document.get(name, MISSING) if type(document) is dict else MISSING


def _walk(value: Any, steps: tuple[str | int, ...]) -> Any:
    for step in steps:
        if type(value) is not (list if type(step) is int else dict):
            return MISSING
        try:
            value = value[step]  # type: ignore[index]
        except (KeyError, IndexError):
            return MISSING
    return value
