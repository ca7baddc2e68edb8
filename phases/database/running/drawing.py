"""How the parameters of a statement come to their values, compiled once and drawn for every execution."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import Any, Protocol, TypeAlias

from campaign.errors import ConfigurationError
from campaign.target.scope import Scope
from campaign.target.template import compile_json, split_text
from phases.database.pattern import Between, OneOf, Param, Rendered


class Chance(Protocol):
    """Where random numbers come from; `campaign.load.luck.Luck` is one."""

    @property
    def share(self) -> Callable[[], float]:
        """Gives the next number, uniform in 0 <= x < 1."""


class Dice:
    """A user's own numbers, ten times as fast as its luck that they are seeded from, and 2.5 KB of memory."""

    __slots__ = ("share",)

    def __init__(self, luck: Chance) -> None:
        self.share = Random(luck.share()).random


Draw: TypeAlias = Callable[[Chance, Scope], Any]
"""Gives the next value of one parameter."""

DrawAll: TypeAlias = Callable[[Chance, Scope], tuple[Any, ...]]
"""Gives the values of all parameters of a statement, in the driver's order."""


class ParameterError(ConfigurationError):
    """A parameter of a statement that has no value."""

    slug = "statement-parameter"


def drawing(names: Sequence[str], params: Mapping[str, Param]) -> DrawAll:
    """What gives the values for these names. Raises ParameterError for one that has none."""
    if missing := [name for name in names if name not in params]:
        raise ParameterError(f"the statement's parameter :{missing[0]} has no value under params")
    if len(set(names)) < len(names):
        return _repeated(names, params)
    draws = [draw_of(params[name]) for name in names]
    if not draws:
        return lambda luck, scope: ()  # noqa: ARG005 - the shape of every drawing
    if len(draws) == 1:
        (only,) = draws
        return lambda luck, scope: (only(luck, scope),)
    return lambda luck, scope: tuple([draw(luck, scope) for draw in draws])


def draw_of(param: Param) -> Draw:
    """What gives the values of one parameter. Raises TemplateError."""
    match param:
        case Between(low, high):
            span = high - low + 1
            return lambda luck, scope: low + int(luck.share() * span)  # noqa: ARG005
        case OneOf(values):
            count = len(values)
            return lambda luck, scope: values[int(luck.share() * count)]  # noqa: ARG005
        case Rendered(template):
            return _rendered(template)
    return lambda luck, scope: param  # noqa: ARG005


def _repeated(names: Sequence[str], params: Mapping[str, Param]) -> DrawAll:
    """A name that stands twice has the same value in both places."""
    draws = {name: draw_of(params[name]) for name in dict.fromkeys(names)}

    def draw_all(luck: Chance, scope: Scope) -> tuple[Any, ...]:
        values = {name: draw(luck, scope) for name, draw in draws.items()}
        return tuple([values[name] for name in names])

    return draw_all


def _rendered(template: Any) -> Draw:
    if isinstance(template, str):
        pieces = split_text(template)
        if len(pieces) == 1 and not isinstance(pieces[0], str):
            hole = pieces[0]
            return lambda luck, scope: _plain(hole(scope))  # noqa: ARG005 - one expression keeps its type
    text = compile_json(template)
    if isinstance(template, str):
        return lambda luck, scope: json.loads(text.render(scope))  # noqa: ARG005
    return lambda luck, scope: text.render(scope).decode()  # noqa: ARG005 - JSON is sent as its text


def _plain(value: Any) -> Any:
    return json.dumps(value) if isinstance(value, dict | list) else value
