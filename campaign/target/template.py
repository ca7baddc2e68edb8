"""Texts and JSON with `{{ expressions }}`, compiled once into closures that only fill in the holes.

An expression is read by Python's own parser and then held to a short list: names, members, items, calls with
constant arguments, and a format (`{{ user.number:04d }}`). Members are keys of saved values or fields of the
known namespaces, never attributes of Python objects, so an expression can reach nothing but data.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterable, Sequence
from json.encoder import encode_basestring
from typing import Any, TypeAlias

from campaign.target.expression import Hole, TemplateError, compile_expression
from campaign.target.scope import RenderError, Scope, type_of

Piece: TypeAlias = str | Hole
"""A literal part of a text, or a hole in it."""

_EXPRESSION = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)


class Text:
    """A compiled text: `render(scope)` fills it in; `constant` is the text where nothing is to fill."""

    __slots__ = ("constant", "render")

    def __init__(self, pieces: Iterable[Piece]) -> None:
        merged = _merged(pieces)
        self.constant = "".join(map(str, merged)) if all(isinstance(piece, str) for piece in merged) else None
        self.render: Callable[[Scope], str] = _weave(merged)


class JsonText:
    """A compiled JSON value: `render(scope)` gives UTF-8 bytes; `constant` has them if nothing is to fill."""

    __slots__ = ("_text", "constant")

    def __init__(self, pieces: Iterable[Piece]) -> None:
        self._text = Text(pieces)
        constant = self._text.constant
        self.constant = None if constant is None else _utf8(constant)

    def render(self, scope: Scope) -> bytes:
        """The JSON for this user, each hole encoded by the type of its value."""
        return self.constant or _utf8(self._text.render(scope))


def compile_text(text: str, known: Collection[str] | None = None) -> Text:
    """`text` ready to be filled in; `known` are the saved variables and feeds it may name (None: any name).

    Raises TemplateError.
    """
    return Text(map_pieces(split_text(text, known), literal=str, hole=as_text))


def compile_json(value: Any, known: Collection[str] | None = None) -> JsonText:
    """`value` (plain JSON data) ready to be filled in; a text that is one expression keeps the value's type.

    Raises TemplateError.
    """
    return JsonText(_json_pieces(value, known))


def split_text(text: str, known: Collection[str] | None = None) -> list[Piece]:
    """The literal parts and holes of `text` in order; holes give values of any type. Raises TemplateError."""
    # re.split with one group gives literal, expression, literal, ... in turn.
    parts = _EXPRESSION.split(text)
    if any("{{" in literal for literal in parts[::2]):
        raise TemplateError(f"{text!r} opens {{{{ and does not close it")
    pieces = [compile_expression(part, known) if index % 2 else part for index, part in enumerate(parts)]
    return [piece for piece in pieces if piece != ""]


def map_pieces(
    pieces: Iterable[Piece], *, literal: Callable[[str], str], hole: Callable[[Any], str]
) -> list[Piece]:
    """`pieces` with `literal` applied to the fixed parts now, and `hole` to values as they are filled in."""
    return [literal(piece) if isinstance(piece, str) else _then(piece, hole) for piece in pieces]


def as_text(value: Any) -> str:
    """How a value reads inside a text: texts as they are, all else as JSON writes it (`true`, `1.5`)."""
    return value if type(value) is str else as_json(value)


def as_json(value: Any) -> str:
    """`value` as compact JSON; the two common types take a short way. Raises RenderError for other data."""
    kind = type(value)
    if kind is str:
        return encode_basestring(value)
    if kind is int:
        return int.__repr__(value)
    try:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    except (TypeError, ValueError, RecursionError) as error:
        raise RenderError(f"{type_of(value)} cannot be written as JSON: {type(error).__name__}") from error


def _json_pieces(value: Any, known: Collection[str] | None) -> list[Piece]:
    if isinstance(value, str):
        return _json_value(split_text(value, known))
    if isinstance(value, dict):
        members = [
            [*_json_string(split_text(str(key), known)), ":", *_json_pieces(item, known)]
            for key, item in value.items()
        ]
        return ["{", *_with_commas(members), "}"]
    if isinstance(value, list | tuple):
        return ["[", *_with_commas([_json_pieces(item, known) for item in value]), "]"]
    try:
        return [as_json(value)]
    except RenderError as error:
        raise TemplateError(str(error)) from error


def _json_value(pieces: list[Piece]) -> list[Piece]:
    match pieces:
        case [only] if not isinstance(only, str):
            return map_pieces(pieces, literal=str, hole=as_json)
    return _json_string(pieces)


def _json_string(pieces: list[Piece]) -> list[Piece]:
    return ['"', *map_pieces(pieces, literal=_inside_quotes, hole=_inside_quotes), '"']


def _with_commas(groups: Sequence[Sequence[Piece]]) -> list[Piece]:
    return [piece for index, group in enumerate(groups) for piece in ([",", *group] if index else group)]


def _inside_quotes(value: Any) -> str:
    return encode_basestring(as_text(value))[1:-1]


def _utf8(text: str) -> bytes:
    # Half a surrogate pair (a target may send one) becomes \udXXX, which is how JSON writes it.
    return text.encode("utf-8", "backslashreplace")


def _then(hole: Hole, change: Callable[[Any], str]) -> Hole:
    return lambda scope: change(hole(scope))


def _merged(pieces: Iterable[Piece]) -> list[Piece]:
    merged: list[Piece] = []
    for piece in pieces:
        if merged and isinstance(piece, str) and isinstance(merged[-1], str):
            merged[-1] += piece
        else:
            merged.append(piece)
    return merged


def _weave(pieces: Sequence[Piece]) -> Callable[[Scope], str]:
    form = "".join(piece.replace("%", "%%") if isinstance(piece, str) else "%s" for piece in pieces)
    holes = [piece for piece in pieces if not isinstance(piece, str)]
    match holes:
        case []:
            constant = form % ()
            return lambda scope: constant  # noqa: ARG005 - the shape of every render
        case [only]:
            return lambda scope: form % only(scope)
        case [first, second]:
            return lambda scope: form % (first(scope), second(scope))
        case [first, second, third]:
            return lambda scope: form % (first(scope), second(scope), third(scope))
    return lambda scope: form % tuple([hole(scope) for hole in holes])
