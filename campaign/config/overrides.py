"""Values from the environment and the command line, laid over the file; each remembers where it came from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from campaign.config.document import Document
from campaign.config.mistakes import Path, Place, dotted
from campaign.config.scalars import plain_value

PREFIX = "CAMPAIGN_"
_LEVELS = "__"

NO_KEYS = frozenset({"CAMPAIGN_STATE_HOME"})
"""Variables with our prefix that say something else: where undo records are kept."""


def apply_environment(document: Document, environ: Mapping[str, str]) -> None:
    """Lay every CAMPAIGN_<PATH> variable over the document: CAMPAIGN_TARGET__URL sets target.url.

    A name is matched with the keys of the file without regard to case, `-` and `_`. Its value is read as a
    YAML scalar.
    """
    for name in sorted(environ):
        if name.startswith(PREFIX) and name not in NO_KEYS:
            path = _path_of(document.data, name.removeprefix(PREFIX))
            _set(document, path, value=_scalar(environ[name]), place=Place(name))


def apply_options(document: Document, options: Mapping[Path, tuple[Any, str]]) -> None:
    """Lay command-line values over the document: {("target", "url"): ("http://...", "--target")}."""
    for path, (value, option) in options.items():
        _set(document, path, value=value, place=Place(option))


def _scalar(text: str) -> Any:
    return plain_value(text) if text else ""


def _path_of(data: Any, name: str) -> Path:
    path: list[str | int] = []
    for part in name.split(_LEVELS):
        key = _key_of(data, part)
        data = _inside(data, key)
        path.append(key)
    return tuple(path)


def _key_of(data: Any, part: str) -> str | int:
    if isinstance(data, list) and part.isdecimal():
        return int(part[:9])
    wanted = part.lower()
    keys = data if isinstance(data, dict) else ()
    return next((key for key in keys if key.lower().replace("-", "_") == wanted), wanted)


def _inside(data: Any, key: str | int) -> Any:
    if isinstance(data, dict):
        return data.get(str(key))
    return data[key] if isinstance(data, list) and isinstance(key, int) and key < len(data) else None


def _set(document: Document, path: Path, *, value: Any, place: Place) -> None:
    parent: Any = document.data
    for depth in range(1, len(path)):
        parent = _descend(document, parent, path=path[:depth], place=place)
    key = path[-1]
    if isinstance(parent, dict):
        parent[str(key)] = value
    elif isinstance(parent, list) and isinstance(key, int) and key < len(parent):
        parent[key] = value
    else:
        document.note(
            (), f"{dotted(path)}, which cannot be set: {dotted(path[:-1])} has no such item", at=place
        )
        return
    document.replace(path, place)


def _descend(document: Document, parent: Any, *, path: Path, place: Place) -> Any:
    """The value at `path`; a missing collection is made. A plain value in the way is given back as it is."""
    child = _inside(parent, path[-1])
    if child is None and isinstance(parent, dict):
        child = parent[str(path[-1])] = {}
        document.replace(path, place)
    return child
