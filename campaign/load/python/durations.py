"""Durations as a user's code gives them: numbers of seconds, or their texts, as feeds have them."""

from __future__ import annotations

from typing import Any

LONGEST = 1e9
"""Seconds."""


def seconds_of(value: Any, name: str) -> float:
    """`value` in seconds: a number, or a text such as "1.5". `name` says in the error what it was given to.

    Raises TypeError or ValueError for what is no number, and ValueError for none from 0 to `LONGEST`.
    """
    if isinstance(value, bool):
        raise TypeError(f"{name}={value}: seconds are a number")
    try:
        seconds = float(value)
    except (TypeError, ValueError, OverflowError) as error:
        kind = TypeError if isinstance(error, TypeError) else ValueError
        raise kind(f"{name}={value!r:.40}: seconds are a number from 0 to {LONGEST:g}") from None
    if not 0 <= seconds <= LONGEST:
        raise ValueError(f"{name}={seconds:g}: seconds are a number from 0 to {LONGEST:g}")
    return seconds


def limit_of(value: Any, name: str) -> float:
    """A time limit in seconds, as `seconds_of` gives it. Raises ValueError for one of 0 s, too."""
    seconds = seconds_of(value, name)
    if not seconds:
        raise ValueError(f"{name}=0: a time limit is more than 0 s")
    return seconds
