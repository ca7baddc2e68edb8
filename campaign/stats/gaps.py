"""Series with gaps as arrays of numbers: a gap (None or NaN) stays a gap, nothing is put in its place."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Numbers: TypeAlias = NDArray[np.float64]
Gappy: TypeAlias = Iterable[float | None]


def as_numbers(values: Gappy) -> Numbers:
    """The values with NaN for every gap and for what is infinite."""
    numbers = np.array(values if isinstance(values, np.ndarray) else list(values), dtype=np.float64)
    numbers[~np.isfinite(numbers)] = np.nan
    return numbers


def without_gaps(at: Gappy, values: Gappy) -> tuple[Numbers, Numbers]:
    """The times and values where both are known."""
    times, numbers = as_numbers(at), as_numbers(values)
    known = ~(np.isnan(times) | np.isnan(numbers))
    return times[known], numbers[known]
