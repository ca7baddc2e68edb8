"""Where our data folders are: in the package in a wheel, at the top of the tree in a checkout or zip."""

from __future__ import annotations

from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import cast


def folder(name: str) -> Traversable:
    """The folder `templates` or `configs`; read it with `joinpath`, `iterdir` and `read_text`."""
    inside = files("campaign") / name
    return inside if inside.is_dir() else _top() / name


def checkout_file(name: str) -> str:
    """The text of a file at the top of the checkout (or of a zip of it); "" where there is none."""
    try:
        return (_top() / name).read_text(encoding="utf-8")
    except (OSError, KeyError):  # a zip answers with KeyError
        return ""


def _top() -> Traversable:
    """The folder that holds the package: files on disk and in a zip both know their parent."""
    return cast("Traversable", cast("Path", files("campaign")).parent)
