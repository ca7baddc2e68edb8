"""What a story comes to: figures as plain JSON data, from which `judge.py` makes findings. Pure.

Times are seconds; moments (`began`, `recovered_at`, ...) count from the beginning of the scenario. A time
that rests on probes is known to `resolution` seconds: what lies between two of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from campaign.clock import SECOND
from campaign.records import Measurement
from phases.failover.episodes import Episode, episodes_of
from phases.failover.moments import moments_of
from phases.failover.outages import outage
from phases.failover.requests import budget, failing, in_flight, served, told, under_fault
from phases.failover.steady import sent, steady_of, window_ns
from phases.failover.story import Ending, Probe, Readback, Story, Strike
from phases.failover.timeline import at, lines, marks, shades

PLAN = "plan"
"""The fact that lists the scenarios of the file: `name`, `title`, and `why` it was left out, or ""."""

SCENARIOS = "scenarios"
"""The fact under which the figures of all scenarios lie, in the order in which they ran."""

NEAR_NS = 5 * SECOND
"""So long before a fault an acknowledged write is still in danger."""

KINDS = {"reads": ("read",), "writes": ("write",), "sessions": ("session",), "all": ()}


def measure(story: Story) -> dict[str, Any]:
    """The figures of a story."""
    probes, steady, episodes = sent(story.probes), steady_of(story), episodes_of(story)
    window = window_ns(story.rate)
    moments = [moments_of(each, probes, steady, window=window) for each in episodes]
    paired = list(zip(episodes, moments, strict=True))
    affected = [each for each in probes if episodes and each.done_ns > episodes[0].began_ns]
    return {
        "name": story.name,
        "title": story.title,
        "declared": story.during,
        "why": story.why,
        "rate": story.rate,
        "timeout": story.timeout,
        "resolution": round(1 / story.rate, 4),
        "window": window / SECOND,
        "length": at(story.ended_ns),
        "unsent": sum(each.ending is Ending.UNSENT for each in story.probes),
        "steady": steady.plain(),
        "strikes": [_strike(each, story.probes) for each in story.strikes],
        "episodes": [outage(each, seen, probes, steady=steady, rate=story.rate) for each, seen in paired],
        "requests": failing(affected),
        "under_fault": _under_fault(episodes, probes),
        "told": told(affected),
        "budget": _budget(affected, story, episodes),
        **_afterwards(story, episodes),
        "timeline": lines(probes, length=story.ended_ns / SECOND, rate=story.rate),
        "shades": shades(episodes),
        "marks": marks(episodes, moments),
        "notes": list(story.notes),
    }


def measurements(figures: dict[str, Any]) -> Iterator[Measurement]:
    """The numbers of a scenario that are worth following from run to run."""
    name = figures["name"]
    for number, each in enumerate(figures["episodes"]):
        ending = f".{number + 1}" if len(figures["episodes"]) > 1 else ""
        for kind in ("to_recover", "unavailable", "detected"):
            if each[kind] is not None:
                yield time_of(f"{name}.{kind}{ending}", each[kind], each)
    for kind in ("failed", "hung"):
        counted = figures["requests"]
        full = f"{name}.{kind}"
        yield Measurement.exact(full, float(counted[kind]), unit="requests", count=counted["count"])
    for each in figures["ledger"]:
        if each["lost"] is not None:
            full = f"{name}.lost.{each['place']}"
            yield Measurement.exact(full, each["lost"]["count"], unit="writes", count=each["acknowledged"])


def time_of(name: str, seconds: float, episode: dict[str, Any]) -> Measurement:
    """A time of an episode, with one interval between probes either way as its limits."""
    off = episode["resolution"]
    return Measurement(
        name, seconds, "s", episode["requests"]["count"], max(0.0, seconds - off), seconds + off
    )


def _strike(strike: Strike, probes: tuple[Probe, ...]) -> dict[str, Any]:
    return {
        "subject": strike.subject,
        "what": strike.what,
        "proved": strike.proved,
        "proof": strike.proof,
        "trouble": strike.trouble,
        "heals_itself": strike.heals_itself,
        "restored": strike.restored,
        "restored_detail": strike.restored_detail,
        "by_hand": list(strike.by_hand),
        "sent": at(strike.sent_ns),
        "confirmed": at(strike.confirmed_ns),
        "start": at(strike.start_ns),
        "running": at(strike.running_ns),
        "healthy": at(strike.healthy_ns),
        "in_flight": in_flight(strike, probes),
    }


def _under_fault(episodes: tuple[Episode, ...], probes: list[Probe]) -> dict[str, Any]:
    """What was served, by kind, and what failed while the faults were there."""
    made = [each for episode in episodes for each in under_fault(episode, probes)]
    return {**{name: served(made, kinds) for name, kinds in KINDS.items()}, "failing": failing(made)}


def _budget(affected: list[Probe], story: Story, episodes: tuple[Episode, ...]) -> dict[str, float]:
    seconds = (story.ended_ns - episodes[0].began_ns) / SECOND if episodes else 0.0
    return budget(sum(each.ending is not Ending.OK for each in affected), len(affected), seconds=seconds)


def _afterwards(story: Story, episodes: tuple[Episode, ...]) -> dict[str, Any]:
    return {
        "ledger": [_readback(each) for each in story.readbacks],
        "acknowledged_near": _near(story, episodes),
        "consistent": [asdict(each) for each in story.consistent],
        "sessions": {"before": story.sessions_before, "after": story.sessions_after},
        "pool": {"before": story.pool_sessions_before, "after": story.pool_sessions_after},
        "load": {"before": story.load_p95_before, "after": story.load_p95_after},
    }


def _readback(readback: Readback) -> dict[str, Any]:
    found = readback.comparison
    if found is None:
        return {"place": readback.place, "why": readback.why, "lost": None}
    return {"place": readback.place, "why": readback.why, **asdict(found)}


def _near(story: Story, episodes: tuple[Episode, ...]) -> int | None:
    """Writes acknowledged shortly before the first fault or after it; None where no write was a probe."""
    writes = [each for each in story.probes if each.kind == "write"]
    if not writes or not episodes:
        return None
    since = episodes[0].began_ns - NEAR_NS
    return sum(each.ending is Ending.OK and each.done_ns >= since for each in writes)
