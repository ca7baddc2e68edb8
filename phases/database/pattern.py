"""A pattern of work on the database: statements with parameters that are drawn anew each time; plain data
that crosses process borders.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias


@dataclass(frozen=True, slots=True)
class Between:
    """A whole number from `low` to `high`, both included, each as likely."""

    low: int
    high: int


@dataclass(frozen=True, slots=True)
class OneOf:
    """One of these values, each as likely."""

    values: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Rendered:
    """A text or JSON value with `{{ expressions }}` of the campaign file."""

    template: Any


Param: TypeAlias = Between | OneOf | Rendered | int | float | str | bytes | bool | None
"""How a parameter comes to its value: drawn, rendered, or always the same."""


@dataclass(frozen=True, slots=True)
class Statement:
    """One SQL statement with parameters written `:name`, as in SQLAlchemy's `text`, and how each is drawn."""

    sql: str
    params: Mapping[str, Param] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Pattern:
    """What is done and timed as one piece, chosen among others by `weight`.

    Several statements, and those of a pattern that `writes`, are one transaction. `python` is
    "module.function" of a coroutine that is given the driver's connection instead of statements, found in
    `folder`. A failure that another try may mend (deadlock, serialization) is tried again up to `retries`
    times within the same piece.
    """

    name: str
    weight: float
    statements: tuple[Statement, ...] = ()
    writes: bool = False
    retries: int = 0
    python: str = ""
    folder: str = ""
