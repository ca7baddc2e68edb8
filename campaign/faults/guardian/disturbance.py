"""What is done to what flows through a route, and when a piece of it may go on. Pure: times are handed in."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

UP, DOWN = 0, 1
"""Directions: from the one who connected to the other end, and back."""

PIECE = 65536
"""Bytes that are read at once."""

SLICES = 20
"""With a bandwidth, pieces are so small that about this many go in a second."""


@dataclass(frozen=True, slots=True)
class Disturbance:
    """`latency` and `jitter` (either way) in seconds on the way back; `bandwidth` in bytes per second, of the
    route as a whole in each direction (0: as it is). `cut`: connections are closed and new ones refused.
    `reset`: both are reset. `blackhole`: nothing comes through, and nothing is refused.
    """

    latency: float = 0.0
    jitter: float = 0.0
    bandwidth: float = 0.0
    cut: bool = False
    reset: bool = False
    blackhole: bool = False

    @classmethod
    def read(cls, asked: Mapping[str, Any]) -> Self:
        """The disturbance in a message. Raises ValueError for numbers below 0."""
        numbers = {name: float(asked.get(name) or 0) for name in ("latency", "jitter", "bandwidth")}
        for name, value in numbers.items():
            if not 0 <= value < float("inf"):
                raise ValueError(f"{name} {value}: not a number from 0 on")
        cut, reset, blackhole = (bool(asked.get(name)) for name in ("cut", "reset", "blackhole"))
        return cls(**numbers, cut=cut, reset=reset, blackhole=blackhole)

    @property
    def piece(self) -> int:
        """How many bytes to read at once."""
        return max(1, min(PIECE, int(self.bandwidth / SLICES))) if self.bandwidth else PIECE


CALM = Disturbance()


class Link:
    """A route's line: it carries one piece after the other in each direction, and takes its time."""

    def __init__(self) -> None:
        self._free = [0.0, 0.0]

    def due(self, size: int, direction: int, *, now: float, by: Disturbance) -> float:
        """When a piece of so many bytes that came just now has come through."""
        arrived = now
        if by.bandwidth:
            arrived = max(now, self._free[direction]) + size / by.bandwidth
            self._free[direction] = arrived
        if direction == DOWN and (by.latency or by.jitter):
            arrived += max(0.0, by.latency + by.jitter * _either_way())
        return arrived

    def calm(self) -> None:
        """Forget what is still on the line."""
        self._free = [0.0, 0.0]


def _either_way() -> float:
    """A random number from -1 to 1; the module `random` would cost the guardian megabytes."""
    return int.from_bytes(os.urandom(4), "big") / 2**31 - 1
