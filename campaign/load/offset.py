"""How another machine's monotonic clock reads compared with ours, found from round trips of messages.

Each trip says: between our `sent` and our `back` the other clock read `theirs`. The shortest trip says it
best, as in NTP (RFC 5905, section 8): the offset is wrong by half of that trip at most.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple


class Trip(NamedTuple):
    """One round trip: our clock before and after it, their clock in the middle; all in ns."""

    sent: int
    theirs: int
    back: int


class Offset(NamedTuple):
    """Their clock is `ahead` ns ahead of ours, give or take `error` ns."""

    ahead: int
    error: int


def best_offset(trips: Iterable[Trip]) -> Offset:
    """The offset that the shortest of `trips` (at least one) gives."""
    best = min(trips, key=lambda trip: trip.back - trip.sent)
    return Offset(best.theirs - (best.sent + best.back) // 2, (best.back - best.sent + 1) // 2)
