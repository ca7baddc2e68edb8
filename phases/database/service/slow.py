"""When an answer is so much later than before that something must be waited for."""

SLOWER = 10
"""Times as long as before: less may be a busy machine."""

LATER = 0.5
"""Seconds more than before, so that the tenfold of next to nothing is no accusation."""


def is_slow(seconds: float, before: float) -> bool:
    """Whether an answer after `seconds` is slow, measured by one that took `before`."""
    return seconds > SLOWER * before and seconds > before + LATER
