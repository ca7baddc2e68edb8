"""A story as lines to draw: response times and failures in short steps, faults shaded, moments marked."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from campaign.clock import SECOND
from phases.failover.episodes import Episode
from phases.failover.moments import Moments
from phases.failover.requests import rounded
from phases.failover.steady import seconds
from phases.failover.story import Ending, Probe, Strike

NAMED = ("first failure", "recovered")
"""Moments that clients saw and that say how long it took."""

SHORTEST_STEP = 0.25
MOST_STEPS = 360
FEWEST_IN_STEP = 5
"""Probes that a step holds on average, so that its percentiles mean something."""


def lines(probes: Sequence[Probe], *, length: float, rate: float) -> dict[str, Any]:
    """For each step of so many seconds: p50 and p95 of what was answered, the slowest of what was not, and
    the shares that failed and that hung. A step without probes is a gap (None).
    """
    step = max(SHORTEST_STEP, length / MOST_STEPS, FEWEST_IN_STEP / rate)
    steps: list[list[Probe]] = [[] for _ in range(max(1, math.ceil(length / step)))]
    for each in probes:
        index = int(each.due_ns / SECOND / step)
        if 0 <= index < len(steps):
            steps[index].append(each)
    drawn = [_point(each) for each in steps]
    names = ("p50", "p95", "failure", "failed", "hung")
    return {
        "step": round(step, 4),
        "times": [round((index + 0.5) * step, 3) for index in range(len(steps))],
        **{name: [point.get(name) for point in drawn] for name in names},
    }


def _point(probes: Sequence[Probe]) -> dict[str, float | None]:
    if not probes:
        return {}
    good = [seconds(each) for each in probes if each.ending is Ending.OK]
    bad = [seconds(each) for each in probes if each.ending is not Ending.OK]
    p50, p95 = (float(each) for each in np.percentile(good, (50, 95))) if good else (None, None)
    return {
        "p50": rounded(p50),
        "p95": rounded(p95),
        "failure": rounded(max(bad, default=None)),
        "failed": rounded(len(bad) / len(probes)),
        "hung": rounded(sum(each.ending is Ending.HUNG for each in probes) / len(probes)),
    }


def shades(episodes: Sequence[Episode]) -> list[dict[str, Any]]:
    """When each fault was there: from its command until it was put back, or had gone by itself."""
    return [
        {
            "name": each.subject,
            "began": at(each.sent_ns),
            "ended": at(_gone(each, episode)),
        }
        for episode in episodes
        for each in episode.strikes
    ]


def _gone(strike: Strike, episode: Episode) -> int:
    begun = None if strike.heals_itself else strike.start_ns
    return next((each for each in (strike.running_ns, begun) if each is not None), episode.over_ns)


def marks(episodes: Sequence[Episode], moments: Sequence[Moments]) -> list[dict[str, Any]]:
    """The moments in words, in their order; `kind` says whose: ours, the engine's, a client's. `named` are
    those that a chart has room for.
    """
    found = [
        (moment, kind, what)
        for episode, seen in zip(episodes, moments, strict=True)
        for moment, kind, what in (*_struck(episode), *_seen(seen))
        if moment is not None
    ]
    return [
        {"at": at(moment), "kind": kind, "what": what, "named": kind == "ours" or what in NAMED}
        for moment, kind, what in sorted(found)
    ]


def _struck(episode: Episode) -> Iterator[tuple[int | None, str, str]]:
    for each in episode.strikes:
        yield each.sent_ns, "ours", f"{each.subject}: command sent"
        yield each.confirmed_ns, "engine", f"{each.subject}: confirmed"
        yield None if each.heals_itself else each.start_ns, "ours", f"{each.subject}: start command"
        yield each.running_ns, "engine", f"{each.subject}: running"
        yield each.healthy_ns, "engine", f"{each.subject}: healthy"


def _seen(seen: Moments) -> Iterator[tuple[int | None, str, str]]:
    yield seen.first_failure_ns, "client", "first failure"
    yield seen.first_success_ns, "client", "first success"
    yield seen.recovered_ns, "client", "recovered"


def at(moment: int | None) -> float | None:
    """Seconds since the scenario began."""
    return None if moment is None else round(moment / SECOND, 4)
