"""The routes of a run's TCP fault proxy, by name."""

from __future__ import annotations

import selectors
from collections.abc import Callable, Mapping
from typing import Any


class Routes:
    """All routes; they live in the loop of `selector`."""

    def __init__(self, selector: selectors.BaseSelector, now: Callable[[], float]) -> None:
        self._selector, self._now = selector, now
        self._routes: dict[str, Any] = {}

    def act(self, do: str, asked: Mapping[str, Any]) -> dict[str, Any]:
        """What came of `open`, `set` or `clear`. Raises ValueError, KeyError and OSError."""
        raise ValueError(f"cannot {do}: {sorted(asked)}")

    def clear(self, name: str) -> bool:
        """Make that route undisturbed; False where there is none of that name."""
        return name in self._routes

    def wait(self) -> float:
        """Seconds until something is due."""
        return 1.0

    def tick(self) -> None:
        """Do what is due."""

    def needed(self, idle: float) -> bool:
        """Whether something flowed through a route within so many seconds."""
        return bool(self._routes) and idle > 0

    def close(self) -> None:
        """Close all of them."""
