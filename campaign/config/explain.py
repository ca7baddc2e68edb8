"""Pydantic's errors in the words of the campaign file: where, what was found, what is allowed."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from campaign.config.document import Document
from campaign.config.mistakes import Path, closest, written
from campaign.config.modelkeys import known_keys
from campaign.settings import list_names

_KEY = "[key]"
_MAPPING = "a mapping of keys to values"
_PHRASES = {
    "bool": "true or false",
    "dict": _MAPPING,
    "mapping": _MAPPING,
    "model": _MAPPING,
    "list": "a list",
    "tuple": "a list",
    "set": "a list",
    "int": "a whole number",
    "float": "a number",
    "finite": "a number, neither infinity nor NaN",
    "string": "text (in quotes where it looks like a number)",
}
_BOUNDS: dict[str, Callable[[Mapping[str, Any]], str]] = {
    "greater_than": lambda context: f"more than {context['gt']:g}",
    "greater_than_equal": lambda context: f"at least {context['ge']:g}",
    "less_than": lambda context: f"less than {context['lt']:g}",
    "less_than_equal": lambda context: f"at most {context['le']:g}",
    "too_short": lambda context: f"at least {context['min_length']} of them",
    "too_long": lambda context: f"at most {context['max_length']} of them",
    "string_too_short": lambda context: f"at least {context['min_length']} characters",
    "string_too_long": lambda context: f"at most {context['max_length']} characters",
}
_QUOTED = re.compile(r"'([^']*)'")


class _Spot(NamedTuple):
    """Where in the document an error lies, and whether it is about the key."""

    path: Path
    of_key: bool
    value: Any


def note_errors(
    document: Document, errors: Sequence[ErrorDetails], *, model: type[BaseModel], at: Path = ()
) -> None:
    """Keep what is wrong with the value at `at`, from the `errors` of validating it with `model`.

    Several errors at one spot are the branches of a union: any of them would do.
    """
    spots: dict[tuple[Path, bool], list[tuple[_Spot, ErrorDetails]]] = {}
    for error in map(_at_its_key, errors):
        spot = _locate(document.data, (*at, *error["loc"]), missing=error["type"] == "missing")
        spots.setdefault((spot.path, spot.of_key), []).append((spot, error))
    for (path, _), pairs in spots.items():
        if document.is_full:
            return
        if not document.is_noted(path):
            keys = known_keys(model, path[len(at) : -1])
            _note(document, pairs[0][0], [error for _, error in pairs], keys=keys)


def _at_its_key(error: ErrorDetails) -> ErrorDetails:
    """The error of a mapping that is one of several kinds, told by a key, as one of that key."""
    if error["type"] not in ("union_tag_invalid", "union_tag_not_found"):
        return error
    context = error.get("ctx", {})
    path = (*error["loc"], str(context["discriminator"]).strip("'"))
    kind = "missing" if error["type"] == "union_tag_not_found" else "literal_error"
    return {**error, "loc": path, "type": kind, "ctx": {"expected": context.get("expected_tags", "")}}


def _locate(data: Any, location: Path, *, missing: bool) -> _Spot:
    """Follow an error's location as far as the document goes; what is not there is a part of the model."""
    path: list[str | int] = []
    for step in location[:-1] if missing else location:
        known, inner = _step(data, step)
        if known is not None:
            path.append(known)
            data = inner
    if missing:
        return _Spot((*path, location[-1]), of_key=False, value=None)
    return _Spot(tuple(path), of_key=location[-1:] == (_KEY,), value=data)


def _step(data: Any, step: str | int) -> tuple[str | int | None, Any]:
    if isinstance(data, dict) and step in data:
        return step, data[str(step)]
    if isinstance(data, list) and isinstance(step, int) and step < len(data):
        return step, data[step]
    if isinstance(data, list) and step in data:
        return data.index(step), step
    return None, None


def _note(document: Document, spot: _Spot, errors: Sequence[ErrorDetails], *, keys: Sequence[str]) -> None:
    error = errors[0]
    context = error.get("ctx", {})
    of_key = spot.of_key and bool(spot.path) and isinstance(spot.path[-1], str)  # a list's item is no key
    name = context.get("name", spot.path[-1] if of_key else spot.value)
    found = context.get("found") or written(name)
    names = context.get("names") or _QUOTED.findall(str(context.get("expected", "")))
    allowed = " or ".join(dict.fromkeys(map(_allowed, errors)))
    if error["type"] == "extra_forbidden":
        name, found, names, allowed = spot.path[-1], "an unknown key", keys, list_names(keys)
    elif error["type"] == "missing":
        name, found, names, allowed = "", "nothing; this key is needed", (), ""
    elif error["type"] == "unknown_name":
        unknown = f"{context['kind']} that is not defined"
        found = unknown if of_key else f"{written(name)}, {unknown}"
    suggestion = closest(name, names) if names else ""
    if suggestion and error["type"] == "unknown_name":
        allowed = ""
    about_key = of_key or error["type"] == "extra_forbidden"
    place = document.place(spot.path, of_key=about_key)
    document.note(spot.path, found, allowed=allowed, suggestion=suggestion, at=place)


def _allowed(error: ErrorDetails) -> str:
    kind, context = error["type"], error.get("ctx", {})
    if "allowed" in context:
        return str(context["allowed"])
    if kind in _BOUNDS:
        return _BOUNDS[kind](context)
    if "expected" in context:
        return str(context["expected"])
    phrase = _PHRASES.get(kind.split("_")[0])
    return phrase or re.sub(r"^(Input should be|Value error,|Assertion failed,) ", "", error["msg"])
