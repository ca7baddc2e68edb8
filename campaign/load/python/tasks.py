"""What of a class is a task: the methods that are marked, with their weights."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Coroutine
from dataclasses import dataclass
from typing import Any, TypeVar, overload

Method = Callable[[Any], Coroutine[Any, Any, object]]
M = TypeVar("M", bound=Method)

_MARK = "__campaign_task__"


@dataclass(frozen=True, slots=True)
class Mark:
    """What `@task` says of a method."""

    weight: float
    tags: frozenset[str]


@overload
def task(weight: M, /) -> M: ...


@overload
def task(weight: float = 1, *, tags: Collection[str] = ()) -> Callable[[M], M]: ...


def task(weight: Any = 1, *, tags: Collection[str] = ()) -> Any:
    """The mark of a task: `@task`, `@task(50)` or `@task(50, tags=["story"])` before an async method.

    A user does one task after another, each chosen by its share of all weights. Raises TypeError for what is
    no async method, and ValueError for a weight below 0.
    """
    if callable(weight):
        return _mark(weight, Mark(1.0, frozenset()))
    if isinstance(weight, bool) or not isinstance(weight, int | float) or not 0 <= weight <= 1e9:
        raise ValueError(f"@task({weight!r}): a weight is a number from 0")
    if isinstance(tags, str):
        raise TypeError(f"tags={tags!r}: tags are a list of texts")
    mark = Mark(float(weight), frozenset(tags))
    return lambda method: _mark(method, mark)


def tasks_of(cls: type) -> dict[str, Mark]:
    """The tasks of a class and of what it extends, by the names of their methods, in the order in which they
    were written.
    """
    names = dict.fromkeys(name for each in reversed(cls.__mro__) for name in vars(each))
    found = {name: getattr(inspect.getattr_static(cls, name), _MARK, None) for name in names}
    return {name: mark for name, mark in found.items() if mark is not None}


def _mark(method: M, mark: Mark) -> M:
    if not inspect.iscoroutinefunction(method):
        raise TypeError(
            f"the task {getattr(method, '__name__', method)!r} is no async method: write async def"
        )
    setattr(method, _MARK, mark)
    return method
