"""How long a user waits: think time in its four shapes, drawn from the user's own luck."""

from __future__ import annotations

import math
from collections.abc import Callable
from statistics import NormalDist
from typing import TypeAlias

from campaign.clock import SECOND
from campaign.load.luck import Luck
from campaign.target.journey import WaitShape, WaitSpec

Pausing: TypeAlias = Callable[[Luck], int]
"""Gives the next pause in nanoseconds."""

Rhythm: TypeAlias = Callable[[Luck, int, int], int]
"""Gives the moment when the next iteration is due, from when the last was due and when it was done (clock
ns).
"""


def pausing(wait: WaitSpec) -> Pausing:
    """Pauses as `wait` says; a pace is its period."""
    low, span = round(wait.low * SECOND), round((wait.high - wait.low) * SECOND)
    mean, deviation = wait.mean * SECOND, wait.deviation * SECOND
    match wait.shape:
        case WaitShape.NORMAL if deviation:
            quantile = NormalDist(mean, deviation).inv_cdf
            return lambda luck: max(0, round(quantile(luck.share() or 0.5)))
        case WaitShape.EXPONENTIAL:
            return lambda luck: round(-mean * math.log(1.0 - luck.share()))
        case WaitShape.UNIFORM if span:
            return lambda luck: low + int(luck.share() * span)
    constant = low if wait.shape is WaitShape.UNIFORM else round(mean)
    return lambda luck: constant  # noqa: ARG005 - the shape of every pausing


def rhythm(wait: WaitSpec) -> Rhythm:
    """When iterations are due: a pause after the last was done, or at a pace on a fixed grid.

    A paced user that is late goes on at once, and its response times count from the moments of the grid.
    """
    pause = pausing(wait)
    if wait.shape is WaitShape.PACE:
        return lambda luck, due, done: due + pause(luck)  # noqa: ARG005 - the shape of every rhythm
    return lambda luck, due, done: done + pause(luck)  # noqa: ARG005
