"""What the ledger says, held against what is there: lost, phantom and unexpected writes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from campaign.ledger.book import Book, State

EXAMPLES = 10
"""Ids that are kept of each kind, to look at."""


@dataclass(frozen=True, slots=True)
class Ids:
    """How many, and the first few of them."""

    count: int
    first: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """Counts of writes. `lost`: acknowledged and not there. `phantom`: refused and there. `unexpected`: there
    and never tried. `doubled`: there more than once. Of `unknown` writes either is right; `unknown_found` of
    them are there.
    """

    acknowledged: int
    refused: int
    unknown: int
    found: int
    lost: Ids
    phantom: Ids
    unexpected: Ids
    doubled: Ids
    unknown_found: int

    @property
    def right(self) -> bool:
        """Whether everything that is known agrees with what is there."""
        return not (self.lost.count or self.phantom.count or self.unexpected.count or self.doubled.count)


def compare(book: Book, found: Iterable[int]) -> Comparison:
    """The book held against the ids that were found, each as often as it was found. Pure."""
    states = book.states()
    times = np.zeros(len(states), dtype=np.uint8)
    strange: dict[int, int] = {}
    for number in found:
        if 0 <= number < len(times):
            times[number] = min(2, int(times[number]) + 1)
        else:
            strange[number] = strange.get(number, 0) + 1
    there = times > 0
    untried = [*_ids(there & (states == State.UNTRIED)), *sorted(strange)]
    twice = [*_ids(times > 1), *sorted(each for each, count in strange.items() if count > 1)]
    unknown = states == State.UNKNOWN
    return Comparison(
        acknowledged=book.count(State.ACKNOWLEDGED),
        refused=book.count(State.REFUSED),
        unknown=int(np.count_nonzero(unknown)),
        found=int(np.count_nonzero(there)) + len(strange),
        lost=_some(_ids(~there & (states == State.ACKNOWLEDGED))),
        phantom=_some(_ids(there & (states == State.REFUSED))),
        unexpected=_some(untried),
        doubled=_some(twice),
        unknown_found=int(np.count_nonzero(there & unknown)),
    )


def _ids(chosen: npt.NDArray[np.bool_]) -> list[int]:
    return [int(each) for each in np.flatnonzero(chosen)]


def _some(ids: list[int]) -> Ids:
    return Ids(len(ids), tuple(ids[:EXAMPLES]))
