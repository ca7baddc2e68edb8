"""Every `{{ expression }}` is compiled once here, so that a wrong one is found before anything runs."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from campaign.config.document import Document
from campaign.config.journeys import loops_around, note_journeys
from campaign.config.mistakes import Path
from campaign.config.texts import TEMPLATE
from campaign.errors import ConfigurationError
from campaign.target.template import compile_text

LONGEST = 500
"""Characters of one expression."""

_TEMPLATED = ("request", "query", "headers", "auth", "json", "form", "multipart", "body", "websocket")


def note_templates(document: Document, *, given: Collection[str] | None = ()) -> None:
    """Keep a mistake for each template that cannot be compiled, or names what nothing saves or feeds.

    `given` are further names, which Python users give; None: any.
    """
    operations = _mapping(document.data.get("operations"))
    known = {*_mapping(document.data.get("data")), *_saved(operations)}
    loops = loops_around(document.data)
    for path, text in _templates(document.data):
        if document.is_full:
            return
        own = loops.get(str(path[1]), ()) if path[0] == "operations" else ()
        _check(document, path, text, known=None if given is None else {*known, *given, *own})
    note_journeys(document, known)


def _saved(operations: dict[str, Any]) -> Iterator[str]:
    for operation in operations.values():
        yield from _mapping(_mapping(operation).get("save"))


def _templates(data: dict[str, Any]) -> Iterator[tuple[Path, str]]:
    target = _mapping(data.get("target"))
    yield from _texts(target.get("headers"), ("target", "headers"))
    for name, service in _mapping(target.get("services")).items():
        yield from _texts(_mapping(service).get("auth"), ("target", "services", name, "auth"))
    for name, device in _mapping(data.get("devices")).items():
        yield from _texts(_mapping(device).get("headers"), ("devices", name, "headers"))
    for name, operation in _mapping(data.get("operations")).items():
        for key in _TEMPLATED:
            yield from _texts(_mapping(operation).get(key), ("operations", name, key))


def _texts(value: Any, path: Path) -> Iterator[tuple[Path, str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for key, each in value.items():
            yield from _texts(key, (*path, key))
            yield from _texts(each, (*path, key))
    elif isinstance(value, list):
        for index, each in enumerate(value):
            yield from _texts(each, (*path, index))


def _check(document: Document, path: Path, text: str, *, known: Collection[str] | None) -> None:
    if "{{" not in text or document.is_noted(path):
        return
    if any(len(each) > LONGEST for each in TEMPLATE.findall(text)):
        document.note(
            path, "a very long expression", allowed=f"at most {LONGEST} characters between {{{{ and }}}}"
        )
        return
    try:
        compile_text(text, known)
    except ConfigurationError as error:
        document.note(path, str(error)[:300])


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
