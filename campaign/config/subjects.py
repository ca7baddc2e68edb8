"""Names that limits may refer to and that stand inside other parts of the file: tags and groups."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

GROUP_KEY = "group"


def tags_in(data: dict[str, Any]) -> tuple[str, ...]:
    """All tags of operations, each once; what has another shape than it should is passed over."""
    operations = data.get("operations")
    bodies = operations.values() if isinstance(operations, dict) else ()
    listed = (body.get("tags") for body in bodies if isinstance(body, dict))
    tags = (tag for tags in listed for tag in (tags if isinstance(tags, list) else [tags]))
    return tuple(dict.fromkeys(tag for tag in tags if isinstance(tag, str)))


def groups_in(data: dict[str, Any]) -> tuple[str, ...]:
    """All names of groups in the journeys of users, each once."""
    return tuple(dict.fromkeys(_groups(data.get("users"))))


def _groups(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        name = value.get(GROUP_KEY)
        if isinstance(name, str):
            yield name
        for each in value.values():
            yield from _groups(each)
    elif isinstance(value, list):
        for each in value:
            yield from _groups(each)
