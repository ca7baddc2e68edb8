"""Conditions of a journey: expressions that may also compare, and be joined with and, or, not.

    story.safe and pages > 3        mood in ['sad', 'angry']        not defined(session_id)

A value that the user does not have is an error, as in a template; `defined(name)` asks for it first.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Collection, Sequence
from typing import Any

from campaign.target.expression import Compiler, Hole, TemplateError, constant, parse
from campaign.target.scope import RenderError, Scope, type_of

LONGEST = 500
"""Characters of one condition."""

LONGEST_LIST = 10_000
"""Items of a list that a loop goes through; a target that sends more must not keep a user for hours."""

ALLOWED = (
    "a value of the user (story.safe), compared (pages > 3, mood in ['sad', 'angry']), "
    "asked for with defined(name), joined with and, or, not"
)
"""What a condition may be, for messages."""

_COMPARISONS: dict[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.In: lambda one, among: one in among,
    ast.NotIn: lambda one, among: one not in among,
}

_WORDS = {"true": True, "false": False, "null": None}


def compile_condition(source: str, known: Collection[str] | None = None) -> Callable[[Scope], bool]:
    """What tells whether the condition holds for a user. Raises TemplateError.

    `known` are the saved variables, feeds and loop variables that it may name; None: any name. The closure
    raises RenderError where the user lacks a value, or where two values cannot be compared.
    """
    if len(source) > LONGEST:
        raise TemplateError(f"a condition of {len(source)} characters; at most {LONGEST}")
    hole = _compiled(source.strip(), known, what="a condition such as story.safe and pages > 3")
    return lambda scope: bool(hole(scope))


def compile_list(source: str, known: Collection[str] | None = None) -> Callable[[Scope], Sequence[Any]]:
    """What gives the list that a loop goes through. Raises TemplateError.

    The closure raises RenderError where the user has no such value, or one that is no list.
    """
    hole = _compiled(source.strip(), known, what="the name of a list such as story.pages")

    def items(scope: Scope) -> Sequence[Any]:
        value = hole(scope)
        if not isinstance(value, list | tuple):
            raise RenderError(f"{source!r} is no list but {type_of(value)}")
        if len(value) > LONGEST_LIST:
            raise RenderError(f"{source!r} has {len(value):,} items; at most {LONGEST_LIST:,}")
        return value

    return items


def _compiled(source: str, known: Collection[str] | None, *, what: str) -> Hole:
    try:
        tree, style = parse(source)
    except TemplateError as error:
        raise TemplateError(f"{source!r} is not {what}") from error
    if style:
        raise TemplateError(f"{source!r} is not {what}")
    try:
        return _ConditionCompiler(known).compile(tree)
    except TemplateError as error:
        raise TemplateError(f"{source}: {error}") from error


class _ConditionCompiler(Compiler):
    """The syntax of an expression, and what makes conditions of it."""

    def compile(self, node: ast.expr) -> Hole:
        """The closure of a node. Raises TemplateError."""
        match node:
            case ast.BoolOp(op, values):
                return _joined([self.compile(each) for each in values], every=isinstance(op, ast.And))
            case ast.UnaryOp(ast.Not(), inner):
                return _negated(self.compile(inner))
            case ast.UnaryOp(ast.USub(), ast.Constant()) | ast.List() | ast.Tuple():
                return _always(constant(node))
            case ast.Compare(left, signs, others):
                return _compared(
                    [self.compile(each) for each in (left, *others)], [_comparison(each) for each in signs]
                )
            case ast.Call(ast.Name("defined"), [asked], []):
                return _defined(self.compile(asked))
        return self._plain(node)

    def _plain(self, node: ast.expr) -> Hole:
        if isinstance(node, ast.Name) and node.id in _WORDS:
            return _always(_WORDS[node.id])
        try:
            return super().compile(node)
        except TemplateError as error:
            if str(error).startswith("an expression is"):
                raise TemplateError(f"a condition is {ALLOWED}") from error
            raise


def _joined(parts: Sequence[Hole], *, every: bool) -> Hole:
    if every:
        return lambda scope: all(part(scope) for part in parts)
    return lambda scope: any(part(scope) for part in parts)


def _negated(inner: Hole) -> Hole:
    return lambda scope: not inner(scope)


def _always(value: object) -> Hole:
    return lambda scope: value  # noqa: ARG005 - the shape of every hole


def _comparison(sign: ast.cmpop) -> Callable[[Any, Any], bool]:
    compare = _COMPARISONS.get(type(sign))
    if compare is None:
        raise TemplateError("'is' does not compare values; write == or !=")
    return compare


def _compared(values: Sequence[Hole], comparisons: Sequence[Callable[[Any, Any], bool]]) -> Hole:
    """As Python chains them: 1 < pages <= 10."""
    first, steps = values[0], list(zip(comparisons, values[1:], strict=True))

    def compared(scope: Scope) -> bool:
        left = first(scope)
        for compare, other in steps:
            right = other(scope)
            try:
                if not compare(left, right):
                    return False
            except TypeError as error:
                raise RenderError(f"{type_of(left)} and {type_of(right)} cannot be compared") from error
            left = right
        return True

    return compared


def _defined(asked: Hole) -> Hole:
    def defined(scope: Scope) -> bool:
        try:
            asked(scope)
        except RenderError:
            return False
        return True

    return defined
