"""Where a series has left its warm-up behind (MSER-5: White, Cobb and Spratt 2000)."""

from __future__ import annotations

import numpy as np

from campaign.stats.gaps import Gappy, Numbers, as_numbers

BATCH = 5
"""Neighbouring values whose mean counts as one, so that a single outlier moves nothing."""

FEWEST = 8
"""Batches below which nothing is said."""


def settled_from(values: Gappy) -> int | None:
    """The index from which the series is steady; None where it is not, or is too short (40 values) to tell.

    The cut is where the squared standard error of the mean of the rest is least. It is looked for in the
    first half; at the end of that half it means that the series never settles, so it is no cut.
    """
    numbers = as_numbers(values)
    places = np.flatnonzero(~np.isnan(numbers))
    batches = len(places) // BATCH
    if batches < FEWEST:
        return None
    means = numbers[places[: batches * BATCH]].reshape(batches, BATCH).mean(axis=1)
    limit = batches // 2
    cut = int(np.argmin(_errors(means)[: limit + 1]))
    return None if cut == limit else int(places[cut * BATCH])


def _errors(means: Numbers) -> Numbers:
    """The squared standard error of the mean of what follows each cut."""
    centred = means - means.mean()
    left = np.arange(len(means), 0, -1)
    sums, squares = (np.cumsum(each[::-1])[::-1] for each in (centred, centred**2))
    spread = squares - sums**2 / left
    rounding = 1e-12 * max(1.0, float(squares[0]))
    errors: Numbers = np.where(spread > rounding, spread, 0.0) / left**2
    return errors
