"""Is it well, before and after a fault: told from the probes while they still come in."""

from __future__ import annotations

from collections.abc import Sequence

from campaign.clock import SECOND
from phases.failover.episodes import episodes_of
from phases.failover.moments import moments_of
from phases.failover.steady import FAILED_MORE, FEWEST, sent, steady_of, window_ns
from phases.failover.story import Ending, Probe, Story


def unsteady(probes: Sequence[Probe], *, since_ns: int, seconds: float) -> str:
    """Why what was seen since then is no steady state, as a phrase; "" where it is one."""
    seen = [each for each in probes if each.due_ns >= since_ns and each.kind != "volley"]
    bad = [each for each in seen if each.ending is not Ending.OK]
    if bad and len(bad) > FAILED_MORE * len(seen):
        first = bad[0]
        said = f"status {first.status}" if first.ending is Ending.STATUS else first.ending.value
        words = f": {first.said}" if first.said else ""
        return f"{len(bad)} of {len(seen)} probes failed ({first.operation}, {said}{words})"
    if len(seen) < FEWEST:
        return f"only {len(seen)} probes were answered in {seconds:g} s"
    return ""


def well_since(story: Story) -> int | None:
    """Since when all is well again after the last fault, in nanoseconds since the scenario began; None: it is
    not. A fault that nobody felt was over when its part was back.
    """
    episodes = episodes_of(story)
    if not episodes:
        return story.steady_ns
    last, probes = episodes[-1], sent(story.probes)
    seen = moments_of(last, probes, steady_of(story), window=window_ns(story.rate))
    if seen.first_bad_ns is None:
        return last.over_ns
    return seen.recovered_ns


def limit_ns(story: Story, within: float) -> int:
    """Until when it is waited for recovery: the limit, and what it takes to see that it was met."""
    episodes = episodes_of(story)
    since = episodes[-1].from_ns if episodes else story.steady_ns
    return since + round(within * SECOND) + window_ns(story.rate) + round(story.timeout * SECOND)
