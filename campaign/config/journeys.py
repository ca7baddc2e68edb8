"""What the journeys of users say of names: conditions are compiled once here, and each operation learns which
loop variables it may use.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from typing import Any, NamedTuple

from campaign.config.document import Document
from campaign.config.mistakes import Path
from campaign.errors import ConfigurationError
from campaign.target.condition import compile_condition, compile_list

_COMPILERS: dict[str, Callable[..., object]] = {
    "if": compile_condition,
    "while": compile_condition,
    "in": compile_list,
}
_INNER = ("steps", "then", "else")


class Placed(NamedTuple):
    """One step of a journey: where it stands, and the loop variables that are known there."""

    path: Path
    step: Any
    loops: frozenset[str]


def placed_steps(data: dict[str, Any]) -> Iterator[Placed]:
    """All steps of all users, those inside others after them."""
    for name, user in _mapping(data.get("users")).items():
        for path, steps in _lists(user, ("users", name)):
            yield from _within(steps, path, frozenset())


def loops_around(data: dict[str, Any]) -> dict[str, frozenset[str]]:
    """The loop variables that each operation may name: those that are known wherever it is done."""
    known: dict[str, frozenset[str]] = {}
    for _, step, loops in placed_steps(data):
        if isinstance(step, str):
            known[step] = known.get(step, loops) & loops
    for user in _mapping(data.get("users")).values():
        for name, task in _tasks(user):
            if not isinstance(task, dict) or "steps" not in task:
                known[name] = frozenset()
    return known


def note_journeys(document: Document, known: Collection[str]) -> None:
    """Keep a mistake for each condition that cannot be compiled, or names what nothing saves or feeds."""
    for path, step, loops in placed_steps(document.data):
        if isinstance(step, dict):
            for key, compiler in _COMPILERS.items():
                _note(document, (*path, key), step.get(key), compiler=compiler, known={*known, *loops})
            if str(step.get("for", "")) in known:
                found = f'"{step["for"]}", which an operation saves or a feed gives'
                document.note((*path, "for"), found, allowed="a name of its own for the item")


def _note(
    document: Document, path: Path, text: Any, *, compiler: Callable[..., object], known: Collection[str]
) -> None:
    if not isinstance(text, str) or document.is_noted(path) or document.is_full:
        return
    try:
        compiler(text, known)
    except ConfigurationError as error:
        document.note(path, str(error)[:300])


def _lists(user: Any, path: Path) -> Iterator[tuple[Path, Any]]:
    user = _mapping(user)
    for key in ("start", "stop"):
        yield (*path, key), user.get(key)
    for name, task in _tasks(user):
        yield (*path, "tasks", name, "steps"), _mapping(task).get("steps")


def _tasks(user: Any) -> list[tuple[str, Any]]:
    tasks = _mapping(user).get("tasks")
    if isinstance(tasks, list):
        return [(each, 1) for each in tasks if isinstance(each, str)]
    return list(_mapping(tasks).items())


def _within(steps: Any, path: Path, loops: frozenset[str]) -> Iterator[Placed]:
    for index, step in enumerate(steps if isinstance(steps, list) else ()):
        here = (*path, index)
        yield Placed(here, step, loops)
        inside = loops | {str(step["for"])} if isinstance(step, dict) and "for" in step else loops
        for key in _INNER:
            yield from _within(_mapping(step).get(key), (*here, key), inside)


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
