"""What a run leaves out on request, so that settings which speak of it can do without."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Names of the vocabulary that nobody does anything with in this run, and the `option` that says so."""

    option: str
    operations: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()
    users: frozenset[str] = frozenset()
    tags: frozenset[str] = frozenset()
    regions: frozenset[str] = frozenset()
