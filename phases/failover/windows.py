"""Windows that slide over probes, one beginning with each of them, held against the steady state."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Self

from phases.failover.steady import FAILED_MORE, SLOW_MORE, Steady
from phases.failover.story import Ending, Probe


@dataclass(frozen=True, slots=True)
class Windows:
    """Where each window ends (an index, exclusive), the probes of a whole one, and the last that is whole.

    A window that the end cuts off is held against the probes of a whole one: one slow answer at the very end
    is no tenth of them.
    """

    ends: tuple[int, ...]
    whole: int
    last_whole: int

    @classmethod
    def over(cls, seen: Sequence[Probe], window: int) -> Self:
        """The windows, `window` nanoseconds long, over probes in the order in which they were due."""
        if not seen:
            return cls((), 0, -1)
        step = (seen[-1].due_ns - seen[0].due_ns) / max(1, len(seen) - 1)
        ends, end = [], 0
        for first in seen:
            while end < len(seen) and seen[end].due_ns < first.due_ns + window:
                end += 1
            ends.append(end)
        until = seen[-1].due_ns + step - window
        whole = [index for index, each in enumerate(seen) if each.due_ns <= until]
        return cls(tuple(ends), max(1, round(window / step) if step else 1), whole[-1] if whole else -1)

    def bad(self, seen: Sequence[Probe], steady: Steady) -> list[int]:
        """The windows beyond the steady state's tolerance, by the index of their first probe."""
        failed = self.beyond((each.ending is not Ending.OK for each in seen), steady.failed + FAILED_MORE)
        return sorted({*failed, *self.slow(seen, steady)})

    def slow(self, seen: Sequence[Probe], steady: Steady) -> list[int]:
        """The windows in which too many probes took too long, whatever came of them."""
        return self.beyond((steady.is_slow(each) for each in seen), SLOW_MORE)

    def beyond(self, marked: Iterable[bool], share: float) -> list[int]:
        """The windows of whose probes more than `share` are marked."""
        sums = [0, *accumulate(marked)]
        return [
            index
            for index, end in enumerate(self.ends)
            if sums[end] - sums[index] > share * max(end - index, self.whole)
        ]
