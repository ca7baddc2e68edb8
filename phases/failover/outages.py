"""What an episode did to those who use the service, as plain data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from campaign.clock import SECOND
from phases.failover.episodes import Episode
from phases.failover.moments import Moments, within
from phases.failover.requests import failing, rounded
from phases.failover.steady import Steady, p95, window_ns
from phases.failover.story import Probe
from phases.failover.timeline import at
from phases.failover.windows import Windows


def outage(
    episode: Episode, seen: Moments, probes: Sequence[Probe], *, steady: Steady, rate: float
) -> dict[str, Any]:
    """The figures of an episode.

    `detected`: from the first command to the first failure that a client knew of. `unavailable`: from the
    first failure to the recovery. `to_recover`: from where it counts (see `Episode`), 0 where it was well
    before or nothing was felt; None: it was never well again, in the `watched` seconds.
    """
    made, window = within(episode, probes), window_ns(rate)
    felt = seen.first_bad_ns is not None
    watched = made[-1].due_ns - episode.from_ns if made else 0
    known = watched >= window  # else nobody looked for long enough to say
    recovered = seen.recovered_ns is not None if felt else known
    return {
        "subjects": [each.subject for each in episode.strikes],
        "what": [each.what for each in episode.strikes],
        "heals_itself": any(each.heals_itself for each in episode.strikes),
        "last": episode.last,
        "began": at(episode.began_ns),
        "over": at(episode.over_ns),
        "counts_from": at(episode.from_ns),
        "back": at(episode.back_ns),
        "felt": felt,
        "first_bad": at(seen.first_bad_ns),
        "first_failure": at(seen.first_failure_ns),
        "first_success": at(seen.first_success_ns),
        "recovered_at": at(seen.recovered_ns),
        "recovered": recovered,
        "watched": round(max(0, watched) / SECOND, 4),
        "known": known,
        "detected": _between(episode.began_ns, seen.seen_ns),
        "unavailable": _unavailable(seen, known=known),
        "to_recover": _to_recover(episode, seen, recovered=recovered),
        "resolution": round(max(seen.gap_ns / SECOND, 1 / rate), 4),
        "requests": failing([each for each in made if _before(each, seen.recovered_ns)]),
        "overshoot": _overshoot(episode, made, steady, window=window),
    }


def _unavailable(seen: Moments, *, known: bool) -> float | None:
    if seen.first_failure_ns is None:
        return 0.0 if known else None
    return _between(seen.first_failure_ns, seen.recovered_ns)


def _to_recover(episode: Episode, seen: Moments, *, recovered: bool) -> float | None:
    if not recovered:
        return None
    return 0.0 if seen.recovered_ns is None else _between(episode.from_ns, seen.recovered_ns)


def _between(since: int, until: int | None) -> float | None:
    """Seconds; 0 where the later one came first."""
    return None if until is None else round(max(0, until - since) / SECOND, 4)


def _before(probe: Probe, recovered_ns: int | None) -> bool:
    return recovered_ns is None or probe.due_ns < recovered_ns


def _overshoot(
    episode: Episode, made: Sequence[Probe], steady: Steady, *, window: int
) -> dict[str, Any] | None:
    """How long requests took more time than in the steady state although what had failed ran again, whatever
    came of them: a backlog that is worked off, clients that all come at once. None: it never ran again.
    """
    if episode.back_ns is None:
        return None
    back = episode.back_ns
    after = [each for each in made if each.due_ns >= back]
    windows = Windows.over(after, window)
    slow = windows.slow(after, steady)
    worst = after[slow[-1] : windows.ends[slow[-1]]] if slow else []
    last = [each.due_ns for each in worst if steady.is_slow(each)]
    return {
        "seconds": round((last[-1] - back) / SECOND, 4) if last else 0.0,
        "lasting": bool(last) and last[-1] > after[-1].due_ns - window,
        "p95": rounded(p95(each for each in after if last and each.due_ns <= last[-1])),
        "count": len(after),
    }
