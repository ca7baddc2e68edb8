"""When clients saw it fail, and when all was well again: told from the probes alone.

Nothing counts as recovered before the first failure that a client saw: answers that were under way still
come in while something is stopped, and time to recover would read 0 s.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from phases.failover.episodes import Episode
from phases.failover.steady import Steady
from phases.failover.story import Ending, Probe
from phases.failover.windows import Windows


@dataclass(frozen=True, slots=True)
class Moments:
    """Moments of an episode in nanoseconds since the scenario began; None: it did not come to that.

    `first_bad_ns` is when the first request was made that failed or was slow, in the first window that does
    not meet the tolerance; `first_failure_ns` the first that failed, `seen_ns` when a client knew of one.
    `first_success_ns` comes after both the first failure and the moment that recovery counts from.
    `recovered_ns` begins the first window that meets the tolerance and holds to the end. `gap_ns` is the time
    between the last bad probe and the next of its like: so far off it may be.
    """

    first_bad_ns: int | None = None
    first_failure_ns: int | None = None
    seen_ns: int | None = None
    first_success_ns: int | None = None
    recovered_ns: int | None = None
    gap_ns: int = 0


def moments_of(episode: Episode, probes: Sequence[Probe], steady: Steady, *, window: int) -> Moments:
    """The moments of an episode among all probes that were sent, in their order. Pure."""
    seen = within(episode, probes)
    windows = Windows.over(seen, window)
    bad = windows.bad(seen, steady)
    if not bad:
        return Moments()
    failed = [each for each in seen[bad[0] :] if each.ending is not Ending.OK]
    wrong = [each for each in seen[bad[0] :] if not _good(each, steady)]
    first_failure = _made(failed, episode)
    since = max(episode.from_ns, first_failure or 0)
    answered = (each.due_ns for each in seen if each.ending is Ending.OK and each.due_ns >= since)
    well = _well(seen, steady, after=bad[-1], last=windows.last_whole)
    return Moments(
        first_bad_ns=_made(wrong, episode),
        first_failure_ns=first_failure,
        seen_ns=min((each.done_ns for each in failed), default=None),
        first_success_ns=next(answered, None),
        recovered_ns=None if well is None else seen[well].due_ns,
        gap_ns=0 if well is None else _gap(seen, well, steady),
    )


def within(episode: Episode, probes: Sequence[Probe]) -> list[Probe]:
    """Those that this episode decided: under way at its first command or later, and not the next one's."""
    return [
        each
        for each in probes
        if each.done_ns > episode.began_ns
        and each.due_ns < episode.ended_ns
        and (episode.last or each.done_ns <= episode.ended_ns)
    ]


def _good(probe: Probe, steady: Steady) -> bool:
    return probe.ending is Ending.OK and not steady.is_slow(probe)


def _well(seen: Sequence[Probe], steady: Steady, *, after: int, last: int) -> int | None:
    """The probe that begins the first window after all bad ones; None where no whole window is left."""
    rest = range(after + 1, last + 1)
    return next((index for index in rest if _good(seen[index], steady)), None)


def _gap(seen: Sequence[Probe], well: int, steady: Steady) -> int:
    """The time between the last bad probe and the next of its like, which may be rarer than others."""
    last = next(each for each in reversed(seen[:well]) if not _good(each, steady))
    alike = (each.due_ns for each in seen[well:] if each.operation == last.operation)
    return next(alike, seen[well].due_ns) - last.due_ns


def _made(probes: Sequence[Probe], episode: Episode) -> int | None:
    """When the first of these requests was made; one that was under way fails from the command on."""
    return max(probes[0].due_ns, episode.began_ns) if probes else None
