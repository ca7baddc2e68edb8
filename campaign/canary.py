"""Canaries: random words that only one owner's data holds, so that whoever else sees one has seen too much.

A canary is a fixed prefix, a tag of the run and 96 random bits, all of it lower-case letters and digits:
what encodes URLs or folds case leaves it as it is. Base64 does not, so it is looked for in that as well.
Canaries of another run are none of ours: an account that is used again still holds the old ones.
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from collections.abc import Iterator
from functools import cached_property, lru_cache
from hashlib import blake2s

PREFIX = "zq7k"
"""How every canary begins; no word does."""

TAG, RANDOM = 8, 24
"""Hex digits of the run's tag, and of the random part (96 bits)."""

LENGTH = len(PREFIX) + TAG + RANDOM

MOST_BASE64 = 4 * (LENGTH + 4) // 3 + 4
"""Characters within which base64 holds a whole canary, whatever its alignment."""


class Mint:
    """Makes the canaries of one run and finds them; the same `seed` and owner give the same canary."""

    def __init__(self, seed: int | str) -> None:
        self._seed = str(seed)
        self._known = f"{PREFIX}{blake2s(self._seed.encode(), digest_size=TAG // 2).hexdigest()}"

    def canary(self, owner: str) -> str:
        """The canary of this owner (a user's number, a child's name in the cast, ...)."""
        word = blake2s(f"{self._seed}/{owner}".encode(), digest_size=RANDOM // 2).hexdigest()
        return f"{self._known}{word}"

    def found(self, data: bytes) -> frozenset[str]:
        """The canaries of this run in the data, as they are or in base64."""
        if self._plain not in data and not any(each in data for _, each in self._packed):
            return frozenset()
        seen = {each.decode() for each in self._pattern.findall(data)}
        return frozenset(seen.union(self._unpacked(data)))

    @cached_property
    def _plain(self) -> bytes:
        return self._known.encode()

    @cached_property
    def _pattern(self) -> re.Pattern[bytes]:
        return re.compile(re.escape(self._plain) + rb"[0-9a-f]{%d}" % RANDOM)

    @cached_property
    def _packed(self) -> tuple[tuple[int, bytes], ...]:
        """What base64 makes of the known beginning, for each number of bytes (0, 1, 2) that stand before it
        in a group of three.
        """
        return tuple((before, _fixed_part(before, self._plain)) for before in range(3))

    def _unpacked(self, data: bytes) -> Iterator[str]:
        for before, fixed in self._packed:
            at = data.find(fixed)
            while at >= 0:
                start = at - (0, 2, 3)[before]
                yield from self._in_base64(data[max(start, 0) : start + MOST_BASE64])
                at = data.find(fixed, at + 1)

    def _in_base64(self, text: bytes) -> Iterator[str]:
        letters = _LETTERS.match(text)
        run = letters.group() if letters else b""
        usable = run[: len(run) - (len(run) % 4 == 1)]  # one letter alone is no byte
        plain = b64decode(usable + b"=" * (-len(usable) % 4))
        yield from (each.decode() for each in self._pattern.findall(plain))


_LETTERS = re.compile(rb"[A-Za-z0-9+/]*")


def _fixed_part(before: int, known: bytes) -> bytes:
    """The characters of base64 that depend on `known` alone, with so many unknown bytes before it."""
    packed = b64encode(b"\0" * before + known)
    first = (0, 2, 3)[before]
    whole = (before + len(known)) * 8 // 6  # what lies after it is shared with what follows
    return packed[first:whole]


@lru_cache(maxsize=16)
def mint_of(seed: str) -> Mint:
    """The mint of the run with this seed; parts of a run that add to it after a slash share one."""
    return Mint(seed.partition("/")[0])
