"""Which keys a model allows at a place inside it, so that an unknown one meets the known ones."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, get_args

from pydantic import BaseModel

from campaign.config.mistakes import Path


def known_keys(model: type[BaseModel], path: Path) -> list[str]:
    """The keys of the mapping at `path` inside `model`, as they are written; none where any key may stand.

    Keys of free mappings and numbers of list items in `path` leave the model as it is.
    """
    models = [model]
    for step in path:
        fields = [field for each in models for name, field in _fields(each) if name == step]
        if fields:
            models = [inner for field in fields for inner in _models_in(field)]
    return sorted({name for each in models for name, _ in _fields(each)})


def _fields(model: type[BaseModel]) -> Iterator[tuple[str, Any]]:
    for name, field in model.model_fields.items():
        yield field.alias or name, field.annotation


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _models_in(argument)
