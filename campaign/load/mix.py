"""Which kind of user, in which region, an arrival is for, and how a worker's pool of users is shared out.

Both follow the weights, but not each other: an arrival's lot depends on its own number alone, so the mix is
that of the weights however few users serve it and however many workers send it.
"""

from __future__ import annotations

from bisect import bisect
from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import accumulate, count
from typing import TypeAlias

from campaign.load.timeline import assign_kinds
from campaign.target.spec import UserSpec

Lot: TypeAlias = tuple[str, str]
"""A kind of user, and its region; "" for none."""

GOLDEN = 0x9E3779B97F4A7C15
"""2^64 / golden ratio: its multiples spread most evenly over 0..2^64 (Knuth, TAOCP vol. 3, section 6.4)."""

RANGE = 2**64


def shares(weights: Mapping[str, float], users: Mapping[str, UserSpec], *, regions: bool) -> dict[Lot, float]:
    """How much of the load each kind is, parted among its `regions` where there are any; without those of
    weight 0.
    """
    lots: dict[Lot, float] = {}
    for kind, weight in weights.items():
        parts = {name: part for name, part in users[kind].regions.items() if part > 0} if regions else {}
        whole = sum(parts.values())
        lots |= {(kind, name): weight * part / whole for name, part in parts.items()} or {(kind, ""): weight}
    return {lot: share for lot, share in lots.items() if share > 0}


def lots_of_arrivals(lots: Mapping[Lot, float], *, first: int, step: int) -> Iterator[Lot]:
    """The lots of the arrivals first, first + step, first + 2 step ..., without end.

    Any run of arrivals is close to the shares, not only a long one.
    """
    names, bounds = list(lots), list(accumulate(lots.values()))
    for number in count(first + 1, step):
        place = number * GOLDEN % RANGE / RANGE
        yield names[bisect(bounds, place * bounds[-1], hi=len(names) - 1)]


def assign_pool(lots: Mapping[Lot, float], size: int) -> list[Lot]:
    """The lots of a worker's users: by share, but at least one each, so there may be more than `size`."""
    positions = {str(position): lot for position, lot in enumerate(lots)}
    by_share = dict(zip(positions, lots.values(), strict=True))
    pool = [positions[each] for each in assign_kinds(by_share, max(size, len(lots)))]
    given = Counter(pool)
    for missing in [each for each in lots if each not in given]:
        [(most, _)] = given.most_common(1)
        pool[len(pool) - 1 - pool[::-1].index(most)] = missing
        given.update({most: -1, missing: 1})
    return pool
