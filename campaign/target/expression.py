"""One expression of a template, from its text to a closure that gives its value for a user."""

from __future__ import annotations

import ast
import difflib
from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime
from typing import Any, TypeAlias

from campaign.errors import ConfigurationError
from campaign.target.fake import FAKES, Fake
from campaign.target.scope import RenderError, Scope, type_of

Hole: TypeAlias = Callable[[Scope], Any]
"""Gives the value of an expression for one user. Raises RenderError where the user has no such value."""


class TemplateError(ConfigurationError):
    """A `{{ expression }}` that cannot be understood; the message quotes it and says what is allowed."""

    slug = "template"


def compile_expression(source: str, known: Collection[str] | None = None) -> Hole:
    """The closure for `source`, the text between `{{` and `}}`. Raises TemplateError.

    `known` are the saved variables and feeds that it may name besides the namespaces; None: any name.
    """
    tree, style = parse(source.strip())
    try:
        hole = Compiler(known).compile(tree)
    except TemplateError as error:
        raise TemplateError(f"{{{{ {source.strip()} }}}}: {error}") from error
    return _formatted(hole, style) if style else hole


def _fake(method: Callable[[Fake], object]) -> Hole:
    return lambda scope: method(scope.fake)


_FIELDS: Mapping[str, Mapping[str, Hole]] = {
    "user": {
        "number": lambda scope: scope.number,
        "kind": lambda scope: scope.kind,
        "id": lambda scope: scope.id,
    },
    "fake": {name: _fake(method) for name, method in FAKES.items()},
    "now": {
        "iso": lambda scope: datetime.fromtimestamp(scope.wall(), UTC).isoformat(timespec="milliseconds"),
        "unix": lambda scope: int(scope.wall()),
    },
    "random": {},
}


def _random_int(low: int, high: int) -> Hole:
    return lambda scope: scope.random.randint(low, high)


def _random_float(low: float, high: float) -> Hole:
    return lambda scope: scope.random.uniform(low, high)


def _random_choice(*choices: object) -> Hole:
    return lambda scope: scope.random.choice(choices)


_FUNCTIONS: Mapping[str, tuple[Callable[..., Hole], Callable[[Any], bool], str]] = {
    "int": (
        _random_int,
        lambda args: len(args) == 2 and all(type(each) is int for each in args) and args[0] <= args[1],
        "random.int(1, 6)",
    ),
    "float": (
        _random_float,
        lambda args: len(args) == 2 and all(type(each) in (int, float) for each in args),
        "random.float(0.5, 2)",
    ),
    "choice": (_random_choice, bool, "random.choice('red', 'blue')"),
}

ALLOWED = "a name, a member (account.email), an item (rows[0]) or a random.int(1, 6)"
"""What an expression may be, for messages."""

RESERVED = frozenset({*_FIELDS, "iteration", "canary"})
"""Names that a saved variable or a feed cannot have."""


class Compiler:
    """Turns the few kinds of syntax tree that are allowed into closures."""

    def __init__(self, known: Collection[str] | None) -> None:
        self._known = known

    def compile(self, node: ast.expr) -> Hole:
        """The closure of a node. Raises TemplateError."""
        match node:
            case ast.Constant(value):
                return lambda scope: value  # noqa: ARG005 - the shape of every hole
            case ast.Name(name):
                return self._variable(name)
            case ast.Attribute(ast.Name(space), name) if space in _FIELDS:
                return _field(space, name)
            case ast.Attribute(whole, name):
                return _member(self.compile(whole), name, ast.unparse(whole))
            case ast.Subscript(whole, key):
                return _member(self.compile(whole), constant(key), ast.unparse(whole))
            case ast.Call(ast.Attribute(ast.Name("random"), name), arguments, []):
                return _call(name, [constant(each) for each in arguments])
        raise TemplateError(f"an expression is {ALLOWED}")

    def _variable(self, name: str) -> Hole:
        if name == "iteration":
            return lambda scope: scope.iteration
        if name == "canary":
            return lambda scope: scope.canary
        if name in _FIELDS:
            raise TemplateError(
                f"{name} needs a field: {', '.join(f'{name}.{each}' for each in _members(name))}"
            )
        if self._known is not None and name not in self._known:
            raise TemplateError(_unknown(name, {*self._known, *RESERVED}))
        return _read(name)


def parse(source: str) -> tuple[ast.expr, str]:
    """The syntax tree and the format after it; the first colon after a whole expression divides them.

    Raises TemplateError.
    """
    for end in [len(source), *(at for at, sign in enumerate(source) if sign == ":")]:
        try:
            return ast.parse(source[:end].strip(), mode="eval").body, source[end + 1 :].strip()
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            continue
    raise TemplateError(f"{{{{ {source} }}}} is not an expression")


def constant(node: ast.expr) -> Any:
    """The value of a literal. Raises TemplateError."""
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError) as error:
        raise TemplateError(f"{ast.unparse(node)} is not a constant") from error


def _read(name: str) -> Hole:
    def read(scope: Scope) -> Any:
        try:
            return scope.values[name]
        except KeyError:
            return scope.draw(name)

    return read


def _field(space: str, name: str) -> Hole:
    if name in _FIELDS[space]:
        return _FIELDS[space][name]
    if space == "random" and name in _FUNCTIONS:
        raise TemplateError(f"write it as in {_FUNCTIONS[name][2]}")
    raise TemplateError(_unknown(f"{space}.{name}", {f"{space}.{each}" for each in _members(space)}))


def _members(space: str) -> list[str]:
    return sorted(_FUNCTIONS if space == "random" else _FIELDS[space])


def _call(name: str, arguments: list[Any]) -> Hole:
    if name not in _FUNCTIONS:
        raise TemplateError(_unknown(f"random.{name}", {f"random.{each}" for each in _FUNCTIONS}))
    make, fits, example = _FUNCTIONS[name]
    if not fits(arguments):
        raise TemplateError(f"write it as in {example}")
    return make(*arguments)


def _member(whole: Hole, key: object, name: str) -> Hole:
    def member(scope: Scope) -> Any:
        value = whole(scope)
        # Only plain data is looked into, so a key can never reach a Python attribute.
        if isinstance(value, dict) or (isinstance(value, list | tuple) and type(key) is int):
            try:
                return value[key]  # type: ignore[call-overload]
            except (KeyError, IndexError):
                pass
        raise RenderError(f"{name!r} has no {key!r}")

    return member


def _formatted(hole: Hole, style: str) -> Hole:
    def formatted(scope: Scope) -> str:
        value = hole(scope)
        try:
            return format(value, style)
        except (ValueError, TypeError) as error:
            raise RenderError(f"{type_of(value)} does not fit the format {style!r}") from error

    return formatted


def _unknown(name: str, names: Collection[str]) -> str:
    close = difflib.get_close_matches(name, names, n=1)
    hint = f"; did you mean {close[0]}?" if close else f"; there are {', '.join(sorted(names))}"
    return f"there is no {name}{hint}"
