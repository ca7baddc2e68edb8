"""From a scenario's outcome to measurements for the judge and plain tables for the page."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import asdict
from typing import Any

from campaign.load.spec import LoadOutcome, Stage, Tally
from campaign.records import Measurement
from campaign.stats.histogram import Histogram
from campaign.target.spec import Vocabulary
from phases.load.metrics import ALL, METRICS, MICRO, TALLIED, measure
from phases.load.settings import LoadSettings

SHOWN = ("p50", "p95", "p99", "mean", "max", "error_rate", "rate")
"""Metrics measured for every operation, whether or not a limit asks for them."""


Names = Collection[str]
"""Of operations that users do only when they start, and so mostly before the hold."""


def start_only(vocabulary: Vocabulary) -> Names:
    """The operations that are nobody's task."""
    users = vocabulary.users.values()
    tasks = {name for user in users for name in user.tasks}
    return frozenset(name for user in users for name in user.start) - tasks


def measurements(outcome: LoadOutcome, settings: LoadSettings, *, start_only: Names) -> Iterator[Measurement]:
    """Everything that a limit of this scenario asks for, and the usual figures of every operation."""
    name = outcome.scenario.name
    wanted = {(each.subject, each.metric.name) for each in settings.planned() if each.scenario == name}
    tallies = judged_tallies(outcome, start_only)
    wanted |= {(subject, metric) for subject in tallies for metric in SHOWN}
    for subject, metric in sorted(wanted):
        seconds = _seconds(outcome, subject, start_only)
        tally = tallies.get(subject) or _empty()
        yield _measurement(outcome, tally, seconds=seconds, subject=subject, metric=metric)


def _measurement(
    outcome: LoadOutcome, tally: Tally, *, seconds: float, subject: str, metric: str
) -> Measurement:
    name = f"{outcome.scenario.name}.{subject}.{metric}"
    if metric in TALLIED:
        return measure(tally, METRICS[metric], name=name, seconds=seconds)
    value = outcome.longest_stall if metric == "longest_stall" else outcome.users_reached
    return Measurement.exact(name, value, unit=METRICS[metric].unit)


def judged_tallies(outcome: LoadOutcome, start_only: Names) -> dict[str, Tally]:
    """Samples by operation, and of all together: those of the hold.

    An operation of `start_only` is judged on all its samples, as most of them come before the hold.
    """
    names = sorted({operation for operation, _ in outcome.tallies})
    by_name = {name: _judged(outcome, name, start_only) for name in names}
    hold = [tally for (_, stage), tally in outcome.tallies.items() if stage is Stage.HOLD]
    return {**by_name, ALL: _merged(hold)}


def _judged(outcome: LoadOutcome, operation: str, start_only: Names) -> Tally:
    if operation not in start_only:
        return outcome.tallies.get((operation, Stage.HOLD)) or _empty()
    return _merged(tally for (name, _), tally in outcome.tallies.items() if name == operation)


def _seconds(outcome: LoadOutcome, subject: str, start_only: Names) -> float:
    """The time that the judged samples came in; 0 where that was not the hold alone, so they have no rate."""
    return 0.0 if subject in start_only else outcome.hold_seconds


def _merged(tallies: Iterable[Tally]) -> Tally:
    whole = _empty()
    for tally in tallies:
        whole.merge(tally)
    return whole


def _empty() -> Tally:
    return Tally(Histogram(), Histogram())


def plain(outcome: LoadOutcome, start_only: Names) -> dict[str, Any]:
    """The scenario as plain data: what the page shows, and whether our own generator kept up."""
    return {
        "name": outcome.scenario.name,
        "users": outcome.scenario.users,
        "requests": sum(tally.count for tally in outcome.tallies.values()),
        "hold_seconds": outcome.hold_seconds,
        "users_reached": outcome.users_reached,
        "longest_stall": outcome.longest_stall,
        "reconnects": outcome.reconnects,
        "generator": {**asdict(outcome.generator), "saturation": outcome.generator.saturation()},
        "operations": [
            _row(name, tally, seconds=_seconds(outcome, name, start_only))
            for name, tally in judged_tallies(outcome, start_only).items()
        ],
        "errors": [asdict(group) for group in outcome.errors],
    }


def _row(name: str, tally: Tally, *, seconds: float) -> dict[str, Any]:
    return {
        "name": name,
        "count": tally.count,
        "rate": tally.answered / seconds if seconds else None,
        "error_rate": tally.failed / tally.asked if tally.asked else None,
        "response": _times(tally.response),
        "service": _times(tally.service),
    }


def _times(histogram: Histogram) -> dict[str, float | None]:
    figures = {
        "p50": histogram.percentile(0.50),
        "p95": histogram.percentile(0.95),
        "p99": histogram.percentile(0.99),
        "mean": histogram.mean,
        "max": histogram.maximum,
    }
    return {name: None if value is None else value * MICRO for name, value in figures.items()}
