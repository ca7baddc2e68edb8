"""How many items the limits take, how long they take to be checked, and what fewer of them can decide."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from campaign.stats.intervals import share_at_most
from campaign.stats.proof import fewest_items
from campaign.units import format_quantity
from phases.safety.content.settings import MOST_ITEMS, ContentSettings

LEAD = 2.0
"""Seconds in which the connections of an open run are made, before the first text is due."""

AHEAD = 1.05
"""The rate that is sent, over the one that must be kept: at exactly that rate nobody could be shown to."""

ROUND = 100
"""Items are counted in hundreds, so that a few without a verdict do not cost the proof."""

AT_OWN_PACE = 200.0
"""Checks per second that a service is assumed to do for a few connections."""

A_START = 5.0
"""Seconds that a run takes to begin and to end."""

LEVEL_SECONDS = 6.0
"""How long each further level of load is held."""

SAFETY_CHECK_SECONDS = 6.0
NEIGHBOURS = 40
SAME_TEXTS = 4


@dataclass(frozen=True, slots=True)
class ContentPlan:
    """What will be sent: `items` of each label, of which it takes `needed` to prove the limits without a
    single error. `allowed` maps so many errors to the items which prove all the same. `best` is the smallest
    share of errors that these items can prove. `seconds` in all.
    """

    items: int
    needed: int
    allowed: dict[int, int]
    best: float
    target: float
    seconds: float

    @property
    def decides(self) -> bool:
        """Whether the limits can be proven at all."""
        return self.items >= self.needed

    def sentences(self) -> Iterator[str]:
        """What a reader should know beforehand."""
        share = format_quantity(self.target, "share")
        with_errors = ", ".join(
            f"{count:,} with {errors}" for errors, count in self.allowed.items() if errors
        )
        yield (
            f"content filter: {self.items:,} unsafe and {self.items:,} safe texts, idle and under load, "
            f"about {format_quantity(self.seconds, 's')}"
        )
        yield (
            f"an error rate of at most {share} takes {self.needed:,} texts of each kind without an error "
            f"({with_errors})"
        )
        if not self.decides:
            best = format_quantity(self.best, "share")
            yield (
                f"these {self.items:,} prove an error rate below {best} at best: the verdict on {share} can "
                "be refuted or undecided, never proven"
            )


def plan(settings: ContentSettings) -> ContentPlan:
    """The plan for these settings; without `check` nothing is sent."""
    limits = settings.limits
    target = min(1 - limits.recall.limit.target, limits.false_positives.limit.target)
    needed = needed_for(target)
    items = settings.items or min(MOST_ITEMS, -(-needed // ROUND) * ROUND)
    allowed = {errors: needed_for(target, errors) for errors in (0, 1, 2, 5)}
    return ContentPlan(items, needed, allowed, share_at_most(0, items), target, _seconds(settings, items))


def needed_for(target: float, errors: int = 0) -> int:
    """Items that prove an error rate of at most `target`; more than anybody sends where none do."""
    if target <= 0:
        return MOST_ITEMS + 1
    return fewest_items(target, errors=errors) if target < 1 else 1


def _seconds(settings: ContentSettings, items: int) -> float:
    extra = SAME_TEXTS * settings.repeats + 2 * NEIGHBOURS + sum(each.most for each in settings.sets)
    idle = A_START + (2 * items + extra) / AT_OWN_PACE
    loaded = A_START + LEAD + 2 * items / (settings.rate * AHEAD)
    levels = len(settings.levels) * (A_START + LEAD + LEVEL_SECONDS)
    check = A_START + LEAD + SAFETY_CHECK_SECONDS if settings.safety_check else 0.0
    return idle + loaded + levels + check
