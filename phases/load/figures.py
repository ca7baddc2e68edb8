"""From a scenario's outcome to measurements for the judge and plain tables for the page."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict
from typing import Any

from campaign.load.spec import LoadOutcome, Stage, Tally
from campaign.records import Measurement
from campaign.stats.histogram import Histogram
from phases.load.metrics import ALL, METRICS, MICRO, TALLIED, measure
from phases.load.settings import LoadSettings

SHOWN = ("p50", "p95", "p99", "mean", "max", "error_rate", "rate")
"""Metrics measured for every operation, whether or not a limit asks for them."""


def measurements(outcome: LoadOutcome, settings: LoadSettings) -> Iterator[Measurement]:
    """Everything that a limit of this scenario asks for, and the usual figures of every operation."""
    name = outcome.scenario.name
    wanted = {(each.subject, each.metric.name) for each in settings.planned() if each.scenario == name}
    tallies = judged_tallies(outcome)
    wanted |= {(subject, metric) for subject in tallies for metric in SHOWN}
    for subject, metric in sorted(wanted):
        yield _measurement(outcome, tallies.get(subject), subject=subject, metric=metric)


def _measurement(outcome: LoadOutcome, tally: Tally | None, *, subject: str, metric: str) -> Measurement:
    name = f"{outcome.scenario.name}.{subject}.{metric}"
    if metric in TALLIED:
        return measure(tally or _empty(), METRICS[metric], name=name, seconds=outcome.hold_seconds)
    value = outcome.longest_stall if metric == "longest_stall" else outcome.users_reached
    return Measurement.exact(name, value, unit=METRICS[metric].unit)


def judged_tallies(outcome: LoadOutcome) -> dict[str, Tally]:
    """Samples by operation, and of all together: those of the hold.

    An operation that has none there, as it only runs when a user starts, is judged on all its samples.
    """
    names = sorted({operation for operation, _ in outcome.tallies})
    by_name = {name: _judged(outcome, name) for name in names}
    hold = [tally for (_, stage), tally in outcome.tallies.items() if stage is Stage.HOLD]
    return {**by_name, ALL: _merged(hold)}


def _judged(outcome: LoadOutcome, operation: str) -> Tally:
    hold = outcome.tallies.get((operation, Stage.HOLD))
    if hold is not None and hold.count:
        return hold
    return _merged(tally for (name, _), tally in outcome.tallies.items() if name == operation)


def _merged(tallies: Iterable[Tally]) -> Tally:
    whole = _empty()
    for tally in tallies:
        whole.response.merge(tally.response)
        whole.service.merge(tally.service)
        whole.received_bytes += tally.received_bytes
        for kind, count in tally.errors.items():
            whole.errors[kind] = whole.errors.get(kind, 0) + count
    return whole


def _empty() -> Tally:
    return Tally(Histogram(), Histogram())


def plain(outcome: LoadOutcome) -> dict[str, Any]:
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
            _row(name, tally, seconds=outcome.hold_seconds) for name, tally in judged_tallies(outcome).items()
        ],
        "errors": [asdict(group) for group in outcome.errors],
    }


def _row(name: str, tally: Tally, *, seconds: float) -> dict[str, Any]:
    return {
        "name": name,
        "count": tally.count,
        "rate": tally.count / seconds if seconds else None,
        "error_rate": tally.failed / tally.count if tally.count else None,
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
