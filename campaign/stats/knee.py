"""Up to where more users mean proportionally more throughput."""

from __future__ import annotations

import numpy as np

from campaign.stats.gaps import Gappy, without_gaps

FEWEST = 4
REFERENCE = 3
"""Lowest levels whose median rate per user is taken for what one user brings."""


def find_knee(n: Gappy, x: Gappy, *, loss: float = 0.1) -> float | None:
    """The last level at which throughput `x` is within `loss` (a share) of proportional to `n`.

    Levels measured again count with their median. It is a level that was measured, nothing between two. None
    below four levels, and where the range does not end within what was measured.
    """
    users, rates = without_gaps(n, x)
    levels = np.unique(users[users > 0])
    if len(levels) < FEWEST:
        return None
    each = np.array([np.median(rates[users == level]) / level for level in levels])
    kept = each >= (1 - loss) * np.median(each[:REFERENCE])
    lost = np.flatnonzero(~kept & ~np.append(kept[1:], False))
    return None if not len(lost) or lost[0] == 0 else float(levels[lost[0] - 1])
