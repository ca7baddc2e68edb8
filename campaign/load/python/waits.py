"""How long a Python user waits between two tasks; all arguments are in seconds."""

from __future__ import annotations

import math

from campaign.target.journey import WaitShape, WaitSpec


def between(low: float, high: float) -> WaitSpec:
    """Think time drawn evenly from `low` to `high` seconds. Raises ValueError for a range that is none."""
    _demand(0 <= low <= high, f"between({low}, {high}): the first must be 0 or more, and not the greater one")
    return WaitSpec(float(low), float(high))


def constant(seconds: float) -> WaitSpec:
    """Think time that is always the same. Raises ValueError below 0."""
    return between(seconds, seconds)


def normal(mean: float, deviation: float) -> WaitSpec:
    """Think time around `mean` seconds with a standard deviation, never below 0. Raises ValueError below
    0.
    """
    _demand(mean >= 0 and deviation >= 0, f"normal({mean}, {deviation}): neither may be below 0")
    return WaitSpec(shape=WaitShape.NORMAL, mean=float(mean), deviation=float(deviation))


def exponential(mean: float) -> WaitSpec:
    """Think time with `mean` seconds on average, as of independent arrivals. Raises ValueError below 0."""
    _demand(mean >= 0, f"exponential({mean}): it may not be below 0")
    return WaitSpec(shape=WaitShape.EXPONENTIAL, mean=float(mean))


def pace(seconds: float) -> WaitSpec:
    """A task begins every `seconds`, however long each takes. Raises ValueError at 0 and below."""
    _demand(seconds > 0, f"pace({seconds}): it must be more than 0")
    return WaitSpec(shape=WaitShape.PACE, mean=float(seconds))


def _demand(holds: bool, otherwise: str) -> None:  # noqa: FBT001 - the condition itself
    if not holds or "nan" in otherwise or math.inf.__repr__() in otherwise:
        raise ValueError(otherwise)
