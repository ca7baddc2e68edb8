"""Faults that belong together: those that were there at the same time are one episode of a story."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from phases.failover.story import Story, Strike


@dataclass(frozen=True, slots=True)
class Episode:
    """Faults that overlap, from the first command (`began_ns`) to the next episode or the end of the story.

    `over_ns` is when the faults themselves were over: put back, or gone where they heal themselves. `from_ns`
    is where time to recover counts from: the start command where we restore, the confirmed stop where it
    heals itself, the latest of all faults. `back_ns` is when all of it was seen to run again (to be healthy,
    where that is known); None: it was not. `last`: no further fault came.
    """

    strikes: tuple[Strike, ...]
    began_ns: int
    ended_ns: int
    over_ns: int
    from_ns: int
    back_ns: int | None
    last: bool


def episodes_of(story: Story) -> tuple[Episode, ...]:
    """The episodes of a story in their order; faults whose command was never sent are in none."""
    struck = sorted((each for each in story.strikes if each.sent_ns is not None), key=_sent)
    groups: list[list[Strike]] = []
    for each in struck:
        if groups and _sent(each) < max(_over(other, story.ended_ns) for other in groups[-1]):
            groups[-1].append(each)
        else:
            groups.append([each])
    if not groups:
        return ()
    ends = [*(_sent(group[0]) for group in groups[1:]), story.ended_ns]
    return tuple(
        _episode(group, end, last=group is groups[-1]) for group, end in zip(groups, ends, strict=True)
    )


def _episode(strikes: list[Strike], ended_ns: int, *, last: bool) -> Episode:
    return Episode(
        strikes=tuple(strikes),
        began_ns=_sent(strikes[0]),
        ended_ns=ended_ns,
        over_ns=min(ended_ns, max(_over(each, ended_ns) for each in strikes)),
        from_ns=max(_from(each) for each in strikes),
        back_ns=_latest(_back(each) for each in strikes),
        last=last,
    )


def _sent(strike: Strike) -> int:
    return strike.sent_ns or 0


def _from(strike: Strike) -> int:
    """The start command where we restore, else the confirmed stop."""
    begun = None if strike.heals_itself else strike.start_ns
    return next(each for each in (begun, strike.confirmed_ns, _sent(strike)) if each is not None)


def _over(strike: Strike, ended_ns: int) -> int:
    """When the fault itself was over; one that nobody put back lasts to the end."""
    begun = strike.confirmed_ns if strike.heals_itself else strike.start_ns
    return next((each for each in (strike.running_ns, begun) if each is not None), ended_ns)


def _back(strike: Strike) -> int | None:
    return strike.running_ns if strike.healthy_ns is None else strike.healthy_ns


def _latest(moments: Iterable[int | None]) -> int | None:
    """The latest, or None where one is not known."""
    latest = 0
    for each in moments:
        if each is None:
            return None
        latest = max(latest, each)
    return latest
