"""From what came of our commands to measurements and a table."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from campaign.load.outcome import LoadOutcome
from campaign.load.tally import Stage, Tally
from campaign.records import Measurement
from campaign.stats.histogram import Histogram
from campaign.stats.intervals import Limits, clopper_pearson, mean_limits, percentile_limits

SHARES = {"p50": 0.5, "p95": 0.95, "p99": 0.99}


def measurements(outcome: LoadOutcome) -> Iterator[Measurement]:
    """Mean, percentiles and error rate of each command and of all, and the rate that was reached."""
    tallies = _judged(outcome)
    for name, tally in {**tallies, "all": _together(tallies)}.items():
        times = tally.response
        yield _in_seconds(f"cache.{name}.mean", times.mean, mean_limits(times), count=times.count)
        for figure, share in SHARES.items():
            limits = percentile_limits(times, share)
            yield _in_seconds(f"cache.{name}.{figure}", times.percentile(share), limits, count=times.count)
        yield _error_rate(f"cache.{name}.error_rate", tally)
    yield Measurement.exact("cache.load_reached", outcome.load_reached, unit="share")


def table(outcome: LoadOutcome) -> dict[str, Any]:
    """Plain data for the page: a row per command, and how well our own generator kept time."""
    tallies = _judged(outcome)
    rows = [
        _row(name, tally, seconds=outcome.hold_seconds)
        for name, tally in {**tallies, "all": _together(tallies)}.items()
    ]
    return {
        "rows": rows,
        "seconds": outcome.hold_seconds,
        "load_reached": outcome.load_reached,
        "saturation": outcome.generator.saturation(),
        "delay": outcome.generator.delay(),
        "errors": [
            {"command": each.operation, "detail": each.detail, "count": each.count} for each in outcome.errors
        ],
    }


def _judged(outcome: LoadOutcome) -> dict[str, Tally]:
    found = {name: tally for (name, stage), tally in outcome.tallies.items() if stage is Stage.HOLD}
    return dict(sorted(found.items()))


def _together(tallies: dict[str, Tally]) -> Tally:
    whole = Tally(Histogram(), Histogram())
    for each in tallies.values():
        whole.merge(each)
    return whole


def _in_seconds(name: str, value_us: float | None, limits_us: Limits, *, count: int) -> Measurement:
    value, low, high = (None if each is None else each / 1e6 for each in (value_us, *limits_us))
    return Measurement(name, value, "s", count, low, high)


def _error_rate(name: str, tally: Tally) -> Measurement:
    if not tally.asked:
        return Measurement(name, None, "share")
    limits = clopper_pearson(tally.failed, tally.asked)
    return Measurement(name, tally.failed / tally.asked, "share", tally.asked, *limits)


def _row(name: str, tally: Tally, *, seconds: float) -> dict[str, Any]:
    times: Histogram = tally.response
    return {
        "name": name,
        "count": tally.count,
        "rate": tally.count / seconds if seconds else None,
        "mean": _seconds(times.mean),
        "p50": _seconds(times.percentile(0.5)),
        "p95": _seconds(times.percentile(0.95)),
        "p99": _seconds(times.percentile(0.99)),
        "max": _seconds(times.maximum),
        "failed": tally.failed,
    }


def _seconds(value_us: float | None) -> float | None:
    return None if value_us is None else value_us / 1e6
