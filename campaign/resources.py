"""Where our data folders are: inside the package in a wheel or a zip, at the top of the tree in a checkout."""

from __future__ import annotations

from importlib.abc import Traversable
from importlib.resources import files
from pathlib import Path


def folder(name: str) -> Traversable:
    """The folder `templates` or `configs`; read it with `joinpath`, `iterdir` and `read_text`."""
    inside = files("campaign") / name
    return inside if inside.is_dir() else Path(__file__).parent.parent / name
