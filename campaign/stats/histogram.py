"""How often each duration occurred, to 3 significant digits, in memory that does not grow with the count.

The buckets are those of an HDR histogram (Gil Tene) from 1 µs to 1 h at 3 digits, but sparse. An HDR bucket
is what a binary floating-point number keeps when only the exponent and the first 10 bits of its mantissa are
left, so a whole second of samples is put into buckets by reading the bits of an array of doubles: several
times faster than computing bucket indices one by one.
"""

from __future__ import annotations

import math
from array import array
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

LOWEST = 1
"""µs; anything smaller counts as this."""

HIGHEST = 3_600_000_000
"""µs, one hour; anything larger counts as this."""

_KEPT_BITS = 10  # 2**10 buckets for every doubling: a bucket is never wider than 0.1 % of its value
_CUT_BITS = 52 - _KEPT_BITS  # of the 52 mantissa bits of an IEEE 754 double
_EXPONENT_BIAS = 1023


class Histogram:
    """Counts of whole microseconds by bucket, and their running sum; all else is computed from these."""

    __slots__ = ("_buckets", "count", "total")

    def __init__(self) -> None:
        self._buckets: dict[int, int] = {}
        self.count = 0
        self.total = 0

    def record(self, value_us: int) -> None:
        """Add one value in µs, clamped to 1 µs .. 1 h."""
        value = min(max(value_us, LOWEST), HIGHEST)
        self._add({_bucket(value): 1})
        self.count += 1
        self.total += value

    def record_many(self, values_us: Sequence[int]) -> None:
        """Add many values in µs, clamped to 1 µs .. 1 h; about ten times as fast as one by one."""
        if not values_us:
            return
        if min(values_us) < LOWEST or max(values_us) > HIGHEST:
            values_us = [min(max(value, LOWEST), HIGHEST) for value in values_us]
        bits = memoryview(array("d", values_us)).cast("B").cast("q")
        self._add(Counter([each >> _CUT_BITS for each in bits]))
        self.count += len(values_us)
        self.total += sum(values_us)

    def merge(self, other: Histogram) -> None:
        """Add all that `other` holds; the result is that of one histogram that saw both."""
        self._add(other._buckets)
        self.count += other.count
        self.total += other.total

    def _add(self, counts: Mapping[int, int]) -> None:
        # A plain dictionary and a loop are twice as fast as Counter.update, which is a loop in Python too.
        buckets, get = self._buckets, self._buckets.get
        for bucket, count in counts.items():
            buckets[bucket] = get(bucket, 0) + count

    def percentile(self, share: float) -> int | None:
        """The µs that `share` (0..1) of the values do not exceed (a bucket's upper end); None when empty."""
        # The same arithmetic in the same order as HdrHistogram, so that ranks that fall on a half agree.
        ends = self.ends_at(int(share * 100 * self.count / 100 + 0.5))
        return ends and ends[1]

    def ends_at(self, rank: int) -> tuple[int, int] | None:
        """Both ends in µs of the bucket that holds the `rank`-th smallest value, from 1; None when empty."""
        seen, last = 0, None
        for bucket, count in sorted(self._buckets.items()):
            seen, last = seen + count, bucket
            if seen >= rank:
                break
        return None if last is None else (_lower(last), _upper(last))

    def variance(self) -> float | None:
        """The sample variance in µs², every value taken at its bucket's middle; None below two values."""
        return None if self.count < 2 else self._powers(2) / (self.count - 1)

    def skewness(self) -> float | None:
        """How lopsided the values are (G1 of Joanes and Gill 1998, corrected for small samples): 0 where they
        are symmetric, above 0 where the long tail is that of long times; None below three values.
        """
        count = self.count
        if count < 3:
            return None
        squares = self._powers(2)
        if squares <= 0:
            return 0.0
        plain = self._powers(3) / count / (squares / count) ** 1.5
        corrected: float = plain * math.sqrt(count * (count - 1)) / (count - 2)
        return corrected

    def _powers(self, power: int) -> float:
        """The sum of the deviations from the mean, each to this power; not for an empty one."""
        mean = self.total / self.count
        return math.fsum(count * (_middle(bucket) - mean) ** power for bucket, count in self._buckets.items())

    @property
    def mean(self) -> float | None:
        """The exact mean in µs; None when empty."""
        return self.total / self.count if self.count else None

    @property
    def minimum(self) -> int | None:
        """The lower end in µs of the lowest bucket in use; None when empty."""
        return _lower(min(self._buckets)) if self._buckets else None

    @property
    def maximum(self) -> int | None:
        """The upper end in µs of the highest bucket in use; None when empty."""
        return _upper(max(self._buckets)) if self._buckets else None

    def count_above(self, value_us: int) -> int:
        """How many values lie in buckets above that of `value_us`."""
        limit = _bucket(min(max(value_us, LOWEST), HIGHEST))
        return sum(count for bucket, count in self._buckets.items() if bucket > limit)

    def pairs(self) -> list[tuple[int, int]]:
        """(lower end of the bucket in µs, count), ascending: compact plain data for JSON."""
        return [(_lower(bucket), count) for bucket, count in sorted(self._buckets.items())]

    @classmethod
    def from_pairs(cls, pairs: Iterable[Sequence[int]], *, total: int | None = None) -> Histogram:
        """The histogram that `pairs()` came from; without its `total` in µs the mean is of the lower ends."""
        histogram = cls()
        for value, count in pairs:
            histogram._add({_bucket(value): count})
            histogram.count += count
            histogram.total += value * count
        if total is not None:
            histogram.total = total
        return histogram

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Histogram):
            return NotImplemented
        return (self.total, self._buckets) == (other.total, other._buckets)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"<Histogram of {self.count} values, {self.minimum} to {self.maximum} µs>"


def _bucket(value: int) -> int:
    exponent = value.bit_length() - 1
    return ((exponent + _EXPONENT_BIAS - 1) << _KEPT_BITS) + ((value << _KEPT_BITS) >> exponent)


def _lower(bucket: int) -> int:
    kept = (bucket & ((1 << _KEPT_BITS) - 1)) | 1 << _KEPT_BITS
    return (kept << _exponent(bucket)) >> _KEPT_BITS


def _upper(bucket: int) -> int:
    width = 1 << _exponent(bucket) >> _KEPT_BITS
    return _lower(bucket) + max(width, 1) - 1


def _middle(bucket: int) -> float:
    return (_lower(bucket) + _upper(bucket)) / 2


def _exponent(bucket: int) -> int:
    return (bucket >> _KEPT_BITS) - _EXPONENT_BIAS
