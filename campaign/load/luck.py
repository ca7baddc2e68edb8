"""Random numbers for a user's own decisions (which task, how long to think), a few bytes per user.

SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014). Python's own
generator keeps 2.5 KB of state for each user, and it is the one that made-up data is drawn from: the two must
not disturb each other.
"""

from __future__ import annotations

from hashlib import blake2s

_MASK = 2**64 - 1
_STEP = 0x9E3779B97F4A7C15


class Luck:
    """A stream of numbers that depends on the seed and the user alone."""

    __slots__ = ("_state",)

    def __init__(self, seed: int | str, user: int) -> None:
        digest = blake2s(f"{seed}/{user}".encode(), digest_size=8).digest()
        self._state = int.from_bytes(digest, "big")

    def share(self) -> float:
        """The next number, uniform in 0 <= x < 1."""
        self._state = mixed = (self._state + _STEP) & _MASK
        mixed = ((mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
        mixed = ((mixed ^ (mixed >> 27)) * 0x94D049BB133111EB) & _MASK
        return ((mixed ^ (mixed >> 31)) >> 11) / 2**53
