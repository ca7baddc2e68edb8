"""What a kind of user does, as plain data: operations in sequence, with conditions, loops, groups and rests.

A body is a tuple of nodes, done one after the other; it ends early where an operation of it fails.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias


class WaitShape(StrEnum):
    """How a waiting time is drawn."""

    UNIFORM = "uniform"
    NORMAL = "normal"
    EXPONENTIAL = "exponential"
    PACE = "pace"


@dataclass(frozen=True, slots=True)
class WaitSpec:
    """Think time in seconds. Uniform: between `low` and `high`. Normal: around `mean` with `deviation`, cut
    at 0. Exponential: of `mean`. Pace: iterations begin every `mean` seconds, however long each takes.
    """

    low: float = 0.0
    high: float = 0.0
    shape: WaitShape = WaitShape.UNIFORM
    mean: float = 0.0
    deviation: float = 0.0


@dataclass(frozen=True, slots=True)
class Do:
    """One operation, by its name."""

    operation: str


@dataclass(frozen=True, slots=True)
class Pause:
    """A rest in the middle; it is in nobody's response time."""

    wait: WaitSpec


@dataclass(frozen=True, slots=True)
class If:
    """`then` where the expression `condition` holds for the user, else `otherwise`."""

    condition: str
    then: tuple[Node, ...]
    otherwise: tuple[Node, ...] = ()


@dataclass(frozen=True, slots=True)
class Repeat:
    """The body again and again: `times` (from..to, drawn anew each time), while `condition` holds (at most
    `times[1]`), or once for each item of the list that the expression `each` gives, known as `name` inside.
    """

    body: tuple[Node, ...]
    times: tuple[int, int] = (1, 1)
    condition: str = ""
    each: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """A body that is timed as a whole under a name of its own, rests left out."""

    name: str
    body: tuple[Node, ...]


Node: TypeAlias = Do | Pause | If | Repeat | Group


@dataclass(frozen=True, slots=True)
class TaskSpec:
    """One thing that a user may do in an iteration, chosen by `weight`."""

    weight: float
    body: tuple[Node, ...]
    tags: frozenset[str] = field(default_factory=frozenset)

    @classmethod
    def of(cls, operation: str, weight: float = 1.0) -> TaskSpec:
        """The task that is one operation."""
        return cls(weight, (Do(operation),))


def operations_in(body: Iterable[Node]) -> Iterator[str]:
    """The names of all operations of a body, in order; one that stands twice comes twice."""
    for node in body:
        match node:
            case Do(operation):
                yield operation
            case If(_, then, otherwise):
                yield from operations_in((*then, *otherwise))
            case Repeat(body=inside) | Group(body=inside):
                yield from operations_in(inside)


def loop_names(body: Iterable[Node]) -> Iterator[str]:
    """The names by which the loops of a body know their items."""
    for node in body:
        match node:
            case Repeat(body=inside, name=name):
                if name:
                    yield name
                yield from loop_names(inside)
            case If(_, then, otherwise):
                yield from loop_names((*then, *otherwise))
            case Group(body=inside):
                yield from loop_names(inside)


def groups_in(body: Iterable[Node]) -> Iterator[str]:
    """The names of all groups of a body."""
    for node in body:
        match node:
            case Group(name, inside):
                yield name
                yield from groups_in(inside)
            case If(_, then, otherwise):
                yield from groups_in((*then, *otherwise))
            case Repeat(body=inside):
                yield from groups_in(inside)
