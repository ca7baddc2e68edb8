"""A scenario as plain data: what the page shows, and what the judge must know of it beside measurements."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

from campaign.load.generator import GeneratorHealth
from campaign.load.outcome import LoadOutcome
from campaign.load.spec import Model
from campaign.load.tally import OURS, Person, Stage
from campaign.stats.histogram import Histogram
from phases.load.metrics import FURTHER_TIMES, MICRO, event_rate
from phases.load.samples import EVENTS, GROUP, Samples, Seen, judged
from phases.load.shape import model, shape
from phases.load.subjects import ALL, Subjects

EXTREMES = 3
"""Users that are told one by one: the slowest."""

RECEIVED = ("events", "messages", "pushes")
"""What is counted of streams and WebSockets, by operation."""


def plain(outcome: LoadOutcome, subjects: Subjects) -> dict[str, Any]:
    """The scenario as plain JSON; sections that have no data are empty."""
    seen = judged(outcome, subjects)
    return {
        **_asked(outcome),
        "requests": sum(tally.count for tally in outcome.tallies.values()),
        "unbuilt": _unbuilt(outcome),
        "longest_stall": outcome.longest_stall,
        "reconnects": outcome.reconnects,
        "generator": _generator(outcome.generator),
        "operations": [_row(name, seen.of(name, subjects)) for name in (*seen.operations, ALL)],
        "views": [_row(label, seen.of(label.replace(" ", ":", 1), subjects)) for label in sorted(seen.views)],
        "groups": list(_groups(outcome, seen)),
        "times": list(_times(seen)),
        "received": list(_received(outcome.counts)),
        "counts": dict(sorted(outcome.counts.items())),
        "accounts": _accounts(outcome.counts),
        "people": _people(outcome.people),
        "errors": [asdict(group) for group in outcome.errors],
    }


def _asked(outcome: LoadOutcome) -> dict[str, Any]:
    """What load was asked for, and how much of it was there."""
    spec, counts = outcome.scenario, outcome.counts
    begins, ends = spec.judged
    until = min(ends, begins + outcome.hold_seconds)
    asked = spec.asked_between(begins, until)
    if spec.model is Model.OPEN:
        asked = float(counts.get("arrivals.asked", round(asked)))
    reached = outcome.load_reached
    return {
        "name": spec.name,
        "model": spec.model.value,
        "model_title": model(spec),
        "shape": shape(spec),
        "users": spec.users,
        "level": spec.profile.highest,
        "seconds": spec.seconds,
        "judged": [begins, ends],
        "warm_up": spec.warm_up,
        "cut_before": sum(
            tally.count for (_, stage), tally in outcome.tallies.items() if stage is Stage.RAMP
        ),
        "cut_after": sum(tally.count for (_, stage), tally in outcome.tallies.items() if stage is Stage.DOWN),
        "hold_seconds": outcome.hold_seconds,
        "asked": asked,
        "reached": None if reached is None else asked * reached,
        "load_reached": reached,
    }


def _generator(health: GeneratorHealth) -> dict[str, Any]:
    return {**asdict(health), "saturation": health.saturation(), "delay": health.delay()}


def _unbuilt(outcome: LoadOutcome) -> int:
    """Requests that we could not send for reasons of our own."""
    kinds = (tally.errors for tally in outcome.tallies.values())
    return sum(count for errors in kinds for kind, count in errors.items() if kind in OURS)


def _row(name: str, samples: Samples) -> dict[str, Any]:
    tally, queue = samples.tally, samples.times.get("queue")
    return {
        "name": name,
        "count": tally.count,
        "rate": tally.answered / samples.seconds if samples.seconds else None,
        "error_rate": tally.failed / tally.asked if tally.asked else None,
        "asked": tally.asked,
        "failed": tally.failed,
        "unfinished": tally.unfinished,
        "response": figures(tally.response),
        "service": figures(tally.service),
        "queue": figures(queue) if queue else None,
    }


def figures(histogram: Histogram) -> dict[str, float | None]:
    """The usual statistics of times in seconds."""
    values = {
        "p50": histogram.percentile(0.50),
        "p95": histogram.percentile(0.95),
        "p99": histogram.percentile(0.99),
        "mean": histogram.mean,
        "max": histogram.maximum,
    }
    return {name: None if value is None else value * MICRO for name, value in values.items()}


def _groups(outcome: LoadOutcome, seen: Seen) -> Iterator[dict[str, Any]]:
    for (subject, name), histogram in seen.times.items():
        if name == GROUP:
            failed = outcome.counts.get(f"{subject}.failed", 0)
            yield {"name": subject, "count": histogram.count, "failed": failed, "times": figures(histogram)}


def _times(seen: Seen) -> Iterator[dict[str, Any]]:
    """Streams, WebSockets: every further time but the queue's, which stands with its operation."""
    for (subject, name), histogram in seen.times.items():
        if name not in {GROUP, EVENTS, "queue"}:
            title, _ = FURTHER_TIMES.get(name, (name.replace("_", " "), ""))
            yield {
                "operation": subject,
                "name": name,
                "title": title,
                "count": histogram.count,
                "times": figures(histogram),
                "event_rate": event_rate(
                    {what: each for (who, what), each in seen.times.items() if who == subject}
                )
                if name == "stream"
                else None,
            }


def _received(counts: Mapping[str, int]) -> Iterator[dict[str, Any]]:
    """What came over streams and WebSockets."""
    for name, count in sorted(counts.items()):
        operation, _, what = name.rpartition(".")
        if operation and what in RECEIVED:
            yield {"operation": operation, "what": what, "count": count}


def _accounts(counts: Mapping[str, int]) -> dict[str, int] | None:
    made, deleted, unknown = (counts.get(f"accounts.{each}", 0) for each in ("made", "deleted", "unknown"))
    if not made and not unknown:
        return None
    return {"made": made, "deleted": deleted, "left": made - deleted, "unknown": unknown}


def _people(people: Mapping[int, Person]) -> dict[str, Any] | None:
    """How far single users are apart: the means of the fastest, the middle and the slowest, and who that
    is.
    """
    means = sorted((person.mean, number) for number, person in people.items() if person.mean is not None)
    if not means:
        return None
    return {
        "count": len(people),
        "fastest": means[0][0],
        "middle": means[len(means) // 2][0],
        "slowest": means[-1][0],
        "with_errors": sum(1 for person in people.values() if person.failed),
        "extremes": [_person(number, people[number]) for _, number in reversed(means[-EXTREMES:])],
    }


def _person(number: int, person: Person) -> dict[str, Any]:
    return {
        "user": number,
        "count": person.count,
        "failed": person.failed,
        "mean": person.mean,
        "longest": person.longest_us * MICRO,
    }
