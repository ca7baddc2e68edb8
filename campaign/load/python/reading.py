"""What a class says of itself, and what its source tells: its tasks, and the operations that they send."""

from __future__ import annotations

import ast
import contextlib
import inspect
import math
import textwrap
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from campaign.load.python.foreign import PythonUserError, class_in, visiting
from campaign.load.python.probe import obstacle
from campaign.load.python.tasks import tasks_of
from campaign.load.python.user import User
from campaign.target.journey import Do, Node, TaskSpec, WaitSpec

_SENDING = ("send", "try_send")
_FILLING = ("update", "setdefault")
_HOOKS = ("on_start", "on_stop")


@dataclass(frozen=True, slots=True)
class Sending:
    """One `send("operation", name=...)` in a source: the method it is in, its file and line."""

    method: str
    operation: str
    place: str


@dataclass(frozen=True, slots=True)
class Portrait:
    """A class as the campaign file needs to know it.

    `folder` is where its module was looked for, `given` are the names of values that its code gives to
    templates; None: not to be known beforehand.
    """

    folder: str
    weight: float
    wait: WaitSpec
    iterations: int
    measures: tuple[str, ...]
    start: tuple[Node, ...]
    stop: tuple[Node, ...]
    tasks: dict[str, TaskSpec]
    sendings: tuple[Sending, ...]
    given: frozenset[str] | None


def look_at(path: str, folder: str) -> Portrait:
    """The portrait of `module.Class` as it is now, beside the campaign file. Raises PythonUserError."""
    module = path.rpartition(".")[0]
    if why := obstacle(module, folder):
        raise PythonUserError(f"the module {module!r}, {why}", "a module that Python can import")
    with visiting(folder):
        return portray(class_in(path, folder), folder)


def portray(cls: type[User], folder: str = "") -> Portrait:
    """The portrait of a class. Raises PythonUserError for one that cannot be a kind of user."""
    _check_attributes(cls)
    marks = tasks_of(cls)
    if not any(mark.weight for mark in marks.values()):
        raise PythonUserError(f"{cls.__name__!r}, which has no task", "an async method with @task before it")
    sources = [_Source(each) for each in cls.__mro__ if each not in (User, object)]
    sendings = tuple(sending for source in sources for sending in source.sendings())

    def sent_in(method: str) -> tuple[Node, ...]:
        return tuple(dict.fromkeys(Do(each.operation) for each in sendings if each.method == method))

    return Portrait(
        folder=folder,
        weight=float(cls.weight),
        wait=cls.wait,
        iterations=cls.iterations,
        measures=tuple(cls.measures),
        start=sent_in("on_start"),
        stop=sent_in("on_stop"),
        tasks={name: TaskSpec(mark.weight, sent_in(name), mark.tags) for name, mark in marks.items()},
        sendings=sendings,
        given=_united(source.given() for source in sources),
    )


def _check_attributes(cls: type[User]) -> None:
    """Raise PythonUserError for the first attribute of a wrong kind."""
    name, said = cls.__name__, _said(cls)
    if not _is_number(said["weight"]) or not 0 <= said["weight"] <= 1e9:
        raise PythonUserError(f"{name}.weight = {said['weight']!r:.60}", "a number from 0")
    if not isinstance(said["wait"], WaitSpec):
        allowed = "between(1, 3), constant(2), normal(2, 0.5), exponential(2) or pace(10) of campaign"
        raise PythonUserError(f"{name}.wait = {said['wait']!r:.60}", allowed)
    if not isinstance(said["iterations"], int) or not 0 <= said["iterations"] <= 1e9:
        raise PythonUserError(f"{name}.iterations = {said['iterations']!r:.60}", "a whole number from 0")
    if not _is_names(said["measures"]):
        raise PythonUserError(f"{name}.measures = {said['measures']!r:.60}", 'names, such as ("query",)')
    for hook in _HOOKS:
        if not inspect.iscoroutinefunction(getattr(cls, hook)):
            raise PythonUserError(f"{name}.{hook}, which is no async method", f"async def {hook}(self)")


def _said(cls: type[User]) -> dict[str, Any]:
    """The attributes as they are, which may be anything."""
    return {name: getattr(cls, name) for name in ("weight", "wait", "iterations", "measures")}


def _is_names(value: object) -> bool:
    return isinstance(value, tuple | list | set | frozenset) and all(isinstance(each, str) for each in value)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _united(parts: Iterable[frozenset[str] | None]) -> frozenset[str] | None:
    whole: frozenset[str] = frozenset()
    for part in parts:
        if part is None:
            return None
        whole |= part
    return whole


class _Source:
    """The text of one class, as far as it can be had; what is not found there may still be sent."""

    def __init__(self, cls: type) -> None:
        self._tree: ast.AST | None = None
        self._file, self._first = "", 0
        with contextlib.suppress(OSError, TypeError, SyntaxError):
            lines, self._first = inspect.getsourcelines(cls)
            self._tree = ast.parse(textwrap.dedent("".join(lines)))
            self._file = Path(inspect.getsourcefile(cls) or "").name

    def sendings(self) -> Iterator[Sending]:
        """Each `self.send("name")` whose name stands there."""
        for method in self._nodes():
            if isinstance(method, ast.AsyncFunctionDef | ast.FunctionDef):
                for call in filter(_is_send, ast.walk(method)):
                    if isinstance(operation := _first_argument(call), str):
                        place = f"{self._file}:{self._first + getattr(call, 'lineno', 1) - 1}"
                        yield Sending(method.name, operation, place)

    def given(self) -> frozenset[str] | None:
        """The names of values that templates are given: those of calls, and those put into `self.values`."""
        if self._tree is None:
            return None
        names = [name for node in self._nodes() for name in _given_by(node)]
        return None if None in names else frozenset(name for name in names if name)

    def _nodes(self) -> Iterator[ast.AST]:
        return ast.walk(self._tree) if self._tree else iter(())


def _given_by(node: ast.AST) -> Iterator[str | None]:
    """Names that this piece of code gives to templates; None for some that cannot be told."""
    if isinstance(node, ast.Call) and _is_send(node):
        yield from (keyword.arg for keyword in node.keywords)
    elif isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store) and _is_values(node.value):
        yield str(node.slice.value) if isinstance(node.slice, ast.Constant) else None
    elif _fills_values(node) or _hands_out_values(node):
        yield None


def _fills_values(node: ast.AST) -> bool:
    return isinstance(node, ast.Attribute) and node.attr in _FILLING and _is_values(node.value)


def _is_send(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _SENDING


def _first_argument(call: ast.AST) -> object:
    arguments = call.args if isinstance(call, ast.Call) else []
    return arguments[0].value if arguments and isinstance(arguments[0], ast.Constant) else None


def _is_values(node: ast.AST) -> bool:
    return isinstance(node, ast.Attribute) and node.attr == "values"


def _hands_out_values(node: ast.AST) -> bool:
    """Whether the mapping itself is given to somebody, who may put anything into it."""
    if isinstance(node, ast.Call):
        return any(map(_is_values, node.args))
    return isinstance(node, ast.Assign) and _is_values(node.value)
