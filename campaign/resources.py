"""Where our data folders are: inside the package in a wheel or zip, at the top of the tree in a checkout."""

from __future__ import annotations

from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path


def folder(name: str) -> Traversable:
    """The folder `templates` or `configs`; read it with `joinpath`, `iterdir` and `read_text`."""
    inside = files("campaign") / name
    return inside if inside.is_dir() else Path(__file__).parent.parent / name


def checkout_file(name: str) -> str:
    """The text of a file at the top of the checkout (or of a zip of it); "" where there is none."""
    try:
        return (files("campaign") / ".." / name).read_text(encoding="utf-8")
    except (OSError, ValueError):
        return ""
