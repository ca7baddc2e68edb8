"""Changes to numbers, of which some may have happened and some may not: between what and what they leave."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from phases.database.invariants.history import Status


@dataclass(slots=True)
class Changes:
    """What was added to each number: `sure` what was confirmed; `less` and `more` what transactions without
    an answer to their commit would take from it and add to it, each of which may have happened or not.
    """

    sure: Counter[int] = field(default_factory=Counter)
    less: Counter[int] = field(default_factory=Counter)
    more: Counter[int] = field(default_factory=Counter)

    def note(self, status: Status, changes: Mapping[int, int]) -> None:
        """Take a transaction into account that ended so and would change these numbers by so much."""
        for number, change in changes.items():
            if status is Status.OK:
                self.sure[number] += change
            elif status is Status.UNKNOWN:
                (self.less if change < 0 else self.more)[number] += change

    def around(self, number: int, start: int) -> tuple[int, int]:
        """The least and the most that this number can be now."""
        sure = start + self.sure[number]
        return sure + self.less[number], sure + self.more[number]

    def wrong(self, found: Mapping[int, int], start: int) -> dict[int, str]:
        """The numbers that cannot be what was found, each with what it should be, in words."""
        bounds = {number: self.around(number, start) for number in found}
        return {
            number: _shown(*bounds[number])
            for number, value in found.items()
            if not bounds[number][0] <= value <= bounds[number][1]
        }


def _shown(low: int, high: int) -> str:
    return f"{low}" if low == high else f"{low} to {high}"


def together(parts: Iterable[Changes]) -> Changes:
    """The changes of several workers as one."""
    whole = Changes()
    for each in parts:
        for name in ("sure", "less", "more"):
            _add(getattr(whole, name), getattr(each, name))
    return whole


def _add(whole: Counter[int], part: Counter[int]) -> None:
    """Add what is below 0 as well, which `Counter.__add__` leaves out."""
    for number, change in part.items():
        whole[number] += change
