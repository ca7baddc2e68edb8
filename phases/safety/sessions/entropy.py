"""How many bits of an id nobody can foresee, as far as a few of them show.

An upper bound: what looks random here may still be made from a counter (a hash of one does). So few bits are
a fault, and many are no proof.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

ALPHABETS = (
    (re.compile(r"[0-9]*"), 10),
    (re.compile(r"[0-9a-f]*"), 16),
    (re.compile(r"[0-9A-F]*"), 16),
    (re.compile(r"[0-9A-Z]*"), 32),
    (re.compile(r"[0-9a-z]*"), 36),
    (re.compile(r"[0-9A-Za-z]*"), 62),
)
MOST = 64
"""Letters of the largest alphabet that is used for ids (base64url)."""

ENOUGH = 0.6
"""A place counts as drawn from its whole alphabet where it shows this share of what chance would show."""

STEP = 1_000
"""Numbers that grow by less than this each time are counted, not drawn."""


def bits_of(ids: Sequence[str]) -> float:
    """The bits of one id, summed over its places. A place that never changes has none."""
    shortest = min(map(len, ids), default=0)
    size = _alphabet(ids)
    places = zip(*(each[:shortest] for each in ids), strict=True) if shortest else ()
    return sum(_bits(place, size) for place in places)


def is_counted(ids: Sequence[str]) -> bool:
    """Whether they are numbers that grow a little each time: in decimal, after the same letters, or in
    hexadecimal of one length.
    """
    numbers = _decimal(ids) or _hexadecimal(ids)
    steps = [after - before for before, after in pairwise(numbers)]
    return bool(steps) and all(0 < step <= STEP for step in steps)


def _decimal(ids: Sequence[str]) -> list[int]:
    found = [re.fullmatch(r"(\D*)(\d+)", each) for each in ids]
    if not all(found) or len({each[1] for each in found if each}) > 1:
        return []
    return [int(each[2]) for each in found if each]


def _hexadecimal(ids: Sequence[str]) -> list[int]:
    if len({*map(len, ids)}) > 1 or not all(re.fullmatch(r"[0-9a-fA-F]+", each) for each in ids):
        return []
    return [int(each, 16) for each in ids]


def repeated(ids: Sequence[str]) -> int:
    """How many of them came before."""
    return len(ids) - len(set(ids))


def _alphabet(ids: Sequence[str]) -> int:
    letters = "".join(ids).replace("-", "")
    if any("_" in each for each in ids):
        return MOST
    return next((size for shape, size in ALPHABETS if shape.fullmatch(letters)), MOST)


def _bits(place: Sequence[str], size: int) -> float:
    seen = len(Counter(place))
    if seen == 1:
        return 0.0
    by_chance = size * (1 - (1 - 1 / size) ** len(place))
    return math.log2(size if seen >= ENOUGH * by_chance else seen)
