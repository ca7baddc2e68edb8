"""The templates that phases bring for their own part of the page."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files

UNREADABLE = '{% import "macros.html.j2" as page %}{{ page.broken_part("its template cannot be read") }}'
"""What stands in for a partial that is named and not there."""


def sources(partials: Mapping[str, tuple[str, ...] | None]) -> dict[str, str]:
    """The template text by kind of phase, from (package, file name, ...); phases without one are left out."""
    return {kind: _read(*partial) for kind, partial in partials.items() if partial}


def _read(package: str, *names: str) -> str:
    try:
        return "\n".join(files(package).joinpath(name).read_text(encoding="utf-8") for name in names)
    except (OSError, ImportError, TypeError, ValueError):  # TypeError: a module that is no package
        return UNREADABLE
