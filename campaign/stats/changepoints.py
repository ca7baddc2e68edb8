"""Where in a history of runs the level changed.

E-divisive with means (Matteson and James 2014) finds the place, a t-test judges it, as Hunter does (Fleming
and others 2023). The place was chosen for its difference, so a plain t-test would see changes in stable
histories; its p-value is therefore the share of shuffled histories whose best place has as large a t.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from campaign.stats.gaps import Gappy, Numbers, as_numbers

FEWEST = 10
"""Values below which no change is looked for."""

SIDE = 3
"""Values on each side of a change at least; one or two slow runs are no level."""

SHUFFLES = 999


@dataclass(frozen=True, slots=True)
class ChangePoint:
    """`index` is the first value of the new level, `before` and `after` are the means on either side of it,
    up to the next change. `p` is how often chance would show as much.
    """

    index: int
    before: float
    after: float
    p: float


def change_points(values: Gappy, *, p: float = 0.01, seed: int = 0) -> tuple[ChangePoint, ...]:
    """The changes that chance shows less often than `p`, in order; one value per run, ten at least."""
    numbers = as_numbers(values)
    places = np.flatnonzero(~np.isnan(numbers))
    known = numbers[places]
    if len(known) < FEWEST:
        return ()
    found = sorted(_changes(known, 0, p=p, random=np.random.default_rng(seed)))
    ends = [0, *(index for index, _ in found), len(known)]
    return tuple(
        ChangePoint(
            int(places[index]),
            float(known[ends[k] : index].mean()),
            float(known[index : ends[k + 2]].mean()),
            chance,
        )
        for k, (index, chance) in enumerate(found)
    )


def _changes(
    values: Numbers, offset: int, *, p: float, random: np.random.Generator
) -> Iterator[tuple[int, float]]:
    if len(values) < 2 * SIDE or np.ptp(values) == 0:
        return
    place = _place(values)
    chance = _chance(values, place, random=random)
    if chance >= p:
        return
    yield offset + place, chance
    yield from _changes(values[:place], offset, p=p, random=random)
    yield from _changes(values[place:], offset + place, p=p, random=random)


def _place(values: Numbers) -> int:
    """Where the two sides are farthest apart: the energy distance, weighted by their lengths."""
    apart = np.abs(values[:, None] - values[None, :])
    count = len(values)
    best, found = -np.inf, SIDE
    for place in range(SIDE, count - SIDE + 1):
        left, right = place, count - place
        between = apart[:place, place:].mean()
        within = apart[:place, :place].sum() / (left * (left - 1)) + apart[place:, place:].sum() / (
            right * (right - 1)
        )
        divergence = left * right / count * (2 * between - within)
        if divergence > best:
            best, found = divergence, place
    return found


def _chance(values: Numbers, place: int, *, random: np.random.Generator) -> float:
    seen = _t(values[None])[0, place - SIDE]
    shuffled = random.permuted(np.tile(values, (SHUFFLES, 1)), axis=1)
    largest = _t(shuffled).max(axis=1)
    return float(1 + (largest >= seen * (1 - 1e-12)).sum()) / (1 + SHUFFLES)


def _t(rows: Numbers) -> Numbers:
    """|t| of each possible place in each row (Student's, equal variances)."""
    count = rows.shape[1]
    rows = rows - rows.mean(axis=1, keepdims=True)
    left = np.arange(SIDE, count - SIDE + 1, dtype=np.float64)
    sums = np.cumsum(rows, axis=1)[:, SIDE - 1 : count - SIDE]
    explained = sums**2 * count / (left * (count - left))
    rest = np.maximum((rows**2).sum(axis=1, keepdims=True) - explained, 1e-300)
    t: Numbers = np.sqrt(explained / rest * (count - 2))
    return t
