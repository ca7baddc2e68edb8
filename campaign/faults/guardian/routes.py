"""The routes of a run's TCP fault proxy, by name."""

from __future__ import annotations

import selectors
from collections.abc import Callable, Mapping
from typing import Any

from campaign.faults.guardian.disturbance import CALM, Disturbance
from campaign.faults.guardian.proxy import Route


class Routes:
    """All routes; they live in the loop of `selector`, which `wake` makes turn."""

    def __init__(
        self, selector: selectors.BaseSelector, now: Callable[[], float], wake: Callable[[], None]
    ) -> None:
        self._selector, self._now, self._wake = selector, now, wake
        self._routes: dict[str, Route] = {}
        self._to_calm: set[str] = set()

    def act(self, do: str, asked: Mapping[str, Any]) -> dict[str, Any]:
        """What came of `open`, `set` or `clear`. Raises ValueError, KeyError and OSError."""
        name = str(asked["name"])
        if do == "open":
            return self._open(name, _address(asked["listen"]), _address(asked["to"]))
        if do == "set":
            self._routes[name].disturb(Disturbance.read(asked))
            return {}
        if do == "clear":
            self._routes[name].disturb(CALM)
            return {}
        raise ValueError(f"{do!r} is not known")

    def _open(self, name: str, listen: tuple[str, int], to: tuple[str, int]) -> dict[str, Any]:
        if name in self._routes:
            raise ValueError(f"the route {name} is open already")
        self._routes[name] = Route(self._selector, self._now, listen=listen, to=to)
        return {"listen": list(self._routes[name].address)}

    def clear(self, name: str) -> bool:
        """Make that route undisturbed, from any thread; False where there is none of that name."""
        if name not in self._routes:
            return False
        self._to_calm.add(name)
        self._wake()
        return True

    def calm(self) -> None:
        """Make all of them undisturbed."""
        for route in self._routes.values():
            route.disturb(CALM)

    def wait(self) -> float:
        """Seconds until something is due."""
        due = min((each.due() for each in self._routes.values()), default=float("inf"))
        return max(0.0, min(1.0, due - self._now()))

    def tick(self) -> None:
        """Do what is due."""
        while self._to_calm:
            self._routes[self._to_calm.pop()].disturb(CALM)
        for route in self._routes.values():
            route.tick()

    def needed(self, idle: float) -> bool:
        """Whether a connection was open through one of them within so many seconds."""
        latest = max((each.moved_at for each in self._routes.values()), default=float("-inf"))
        return self._now() - latest < idle

    @property
    def addresses(self) -> tuple[tuple[str, int], ...]:
        """Where they take connections."""
        return tuple(each.address for each in self._routes.values())

    def close(self) -> None:
        """Close all of them."""
        for route in self._routes.values():
            route.close()
        self._routes.clear()


def _address(value: Any) -> tuple[str, int]:
    host, port = value
    return str(host), int(port)
