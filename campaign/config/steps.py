"""The steps of a journey: what stands in `start`, `stop` and the `steps` of a task."""

import re
from collections.abc import Iterable, Sequence
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Discriminator,
    Field,
    PlainSerializer,
    Tag,
    ValidationInfo,
    WithJsonSchema,
)

from campaign.config.mistakes import closest
from campaign.config.operations import Saved
from campaign.config.part import Part
from campaign.config.texts import Name, wrong
from campaign.config.waits import Rest, wait_spec
from campaign.settings import OperationName
from campaign.target.journey import Do, Group, If, Node, Pause, Repeat

DEEPEST = 8
"""Steps inside steps."""

MOST_STEPS = 500
"""Steps of one list, those inside them counted too."""

MOST_TIMES = 10_000
"""Rounds of one loop."""

USUAL_MOST = 100
"""Rounds of a `while` that does not say how many it may take."""

KINDS = {
    "wait": "wait step",
    "if": "if step",
    "repeat": "repeat step",
    "while": "while step",
    "for": "for step",
    "group": "group step",
}
"""The key that tells a kind of step to its name."""

_TIMES = re.compile(r"\s*(\d{1,6})\s*(?:\.\.\s*(\d{1,6})\s*)?")
_INNER = ("steps", "then", "else")


def read_times(value: Any) -> tuple[int, int]:
    """The fewest and the most rounds of `3` or `2..5`."""
    if isinstance(value, tuple):
        return value
    found = None if isinstance(value, bool) else _TIMES.fullmatch(str(value))
    low, high = (int(found[1]), int(found[2] or found[1])) if found else (1, 0)
    if not low <= high <= MOST_TIMES:
        raise wrong(f"a number of times such as 3, or a range such as 2..5, at most {MOST_TIMES}")
    return low, high


def _written(times: tuple[int, int]) -> int | str:
    low, high = times
    return low if low == high else f"{low}..{high}"


def _condition(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if not isinstance(value, str) or not value.strip():
        raise wrong('a condition such as "story.safe and pages > 3", in quotes')
    return value.strip()


def _kind(value: Any) -> str:
    if isinstance(value, str):
        return "operation"
    if isinstance(value, Part):
        first = next(iter(type(value).model_fields.items()))
        return KINDS[first[1].alias or first[0]]
    return next((kind for key, kind in KINDS.items() if isinstance(value, dict) and key in value), "")


def _a_step(value: Any) -> Any:
    if isinstance(value, str | Part) or _kind(value):
        return value
    keys = [str(key) for key in value] if isinstance(value, dict) else []
    meant = next((name for key in keys if (name := closest(key, tuple(KINDS)))), "")
    hint = f"; did you mean {meant}?" if meant else ""
    found = f"a step with {', '.join(keys)[:60]}" if keys else ""
    raise wrong(f"the name of an operation, or a mapping with {', '.join(KINDS)}{hint}", found=found)


def _bounded(value: Any) -> Any:
    count, depth = _size(value)
    if count > MOST_STEPS:
        raise wrong(f"at most {MOST_STEPS} steps", found=f"{count} steps")
    if depth > DEEPEST:
        raise wrong(f"steps nested at most {DEEPEST} deep", found=f"steps nested {depth} deep")
    return value


def _some(steps: tuple[Any, ...]) -> tuple[Any, ...]:
    if not steps:
        raise wrong("at least one step", found="an empty list")
    return steps


def _size(value: Any) -> tuple[int, int]:
    """How many steps there are, and how deep."""
    count = depth = 0
    for step in value if isinstance(value, list) else ():
        inner = [_size(step.get(key)) for key in _INNER] if isinstance(step, dict) else [(0, 0)]
        count += 1 + sum(each for each, _ in inner)
        depth = max(depth, 1 + max(each for _, each in inner))
    return count, depth


def _own_name(name: str, info: ValidationInfo) -> str:
    operations: Sequence[str] = (info.context or {}).get("operations", ())
    if name in operations or name == "all":
        raise wrong("a name that no operation has", found=f'"{name}", which is the name of an operation')
    return name


Times = Annotated[
    tuple[int, int],
    BeforeValidator(read_times),
    PlainSerializer(_written, return_type=int | str),
    WithJsonSchema({"type": ["integer", "string"], "examples": [3, "2..5"]}),
]
Condition = Annotated[
    str,
    BeforeValidator(_condition),
    WithJsonSchema({"type": ["string", "boolean"], "examples": ["pages > 3"]}),
]
GroupName = Annotated[Name, AfterValidator(_own_name)]
InnerSteps = Annotated[tuple["Step", ...], AfterValidator(_some), Field(json_schema_extra={"minItems": 1})]


class WaitStep(Part):
    """A rest in the middle; it is in nobody's response time."""

    wait: Rest

    def node(self) -> Node:
        """The same as plain data."""
        return Pause(wait_spec(self.wait))


class IfStep(Part):
    """`then` where the condition holds, else `else`."""

    condition: Condition = Field(alias="if")
    then: InnerSteps
    otherwise: tuple["Step", ...] = Field(default=(), alias="else")

    def node(self) -> Node:
        """The same as plain data."""
        return If(self.condition, body(self.then), body(self.otherwise))


class RepeatStep(Part):
    """The steps so many times; from a range anew each time."""

    repeat: Times
    steps: InnerSteps

    def node(self) -> Node:
        """The same as plain data."""
        return Repeat(body(self.steps), times=self.repeat)


class WhileStep(Part):
    """The steps as long as the condition holds, `at_most` so many times."""

    condition: Condition = Field(alias="while")
    at_most: int = Field(default=USUAL_MOST, ge=1, le=MOST_TIMES)
    steps: InnerSteps

    def node(self) -> Node:
        """The same as plain data."""
        return Repeat(body(self.steps), times=(0, self.at_most), condition=self.condition)


class ForStep(Part):
    """The steps for each item of a list that was saved, known by a name meanwhile."""

    name: Saved = Field(alias="for")
    each: Condition = Field(alias="in")
    steps: InnerSteps

    def node(self) -> Node:
        """The same as plain data."""
        return Repeat(body(self.steps), each=self.each, name=self.name)


class GroupStep(Part):
    """The steps, timed as a whole without their rests."""

    group: GroupName
    steps: InnerSteps

    def node(self) -> Node:
        """The same as plain data."""
        return Group(self.group, body(self.steps))


Step = Annotated[
    Annotated[OperationName, Tag("operation")]
    | Annotated[WaitStep, Tag("wait step")]
    | Annotated[IfStep, Tag("if step")]
    | Annotated[RepeatStep, Tag("repeat step")]
    | Annotated[WhileStep, Tag("while step")]
    | Annotated[ForStep, Tag("for step")]
    | Annotated[GroupStep, Tag("group step")],
    Discriminator(_kind),
    BeforeValidator(_a_step),
]
"""The name of an operation, or one of the mappings above."""

for _model in (IfStep, RepeatStep, WhileStep, ForStep, GroupStep):
    _model.model_rebuild()

Steps = Annotated[tuple[Step, ...], BeforeValidator(_bounded)]
"""A list of steps."""


def body(steps: Iterable[Any]) -> tuple[Node, ...]:
    """The plain data of steps."""
    return tuple(Do(step) if isinstance(step, str) else step.node() for step in steps)
