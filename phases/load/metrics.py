"""What a limit of the load phase can be put on, and how each figure is taken from a tally."""

from __future__ import annotations

from dataclasses import dataclass

from campaign.load.spec import Tally
from campaign.records import Direction, Measurement
from campaign.stats.intervals import clopper_pearson, mean_limits, percentile_limits

ALL = "all"
"""The name under which limits on all operations together are written."""

MICRO = 1e-6
"""Histograms count microseconds; measurements are in seconds."""


@dataclass(frozen=True, slots=True)
class Metric:
    """One figure: its unit, which side is good, the share of a percentile, and what to do when it is
    missed.
    """

    name: str
    unit: str
    direction: Direction
    title: str
    remedy: str
    share: float | None = None


_SLOW = "Compare its response time with its service time, and with the target's CPU in the same seconds."
_ERRORS = "Read the failed requests and answers in the report, the most frequent kind first."


def _percentile(name: str, share: float) -> Metric:
    return Metric(name, "s", Direction.AT_MOST, name, _SLOW, share)


METRICS = {
    metric.name: metric
    for metric in (
        _percentile("p50", 0.50),
        _percentile("p75", 0.75),
        _percentile("p90", 0.90),
        _percentile("p95", 0.95),
        _percentile("p99", 0.99),
        _percentile("p999", 0.999),
        Metric("mean", "s", Direction.AT_MOST, "mean", _SLOW),
        Metric("max", "s", Direction.AT_MOST, "maximum", _SLOW),
        Metric("error_rate", "share", Direction.AT_MOST, "error rate", _ERRORS),
        Metric("rate", "1/s", Direction.AT_LEAST, "rate", "Find what saturates first on the target."),
        Metric(
            "longest_stall", "s", Direction.AT_MOST, "longest stall",
            "Look for what blocks the whole service: a lock, a collection pause, a job on its event loop.",
        ),
        Metric(
            "load_reached", "share", Direction.AT_LEAST, "load reached",
            "See why users did not get through their start operations.",
        ),
    )
}  # fmt: skip
"""Every metric by name, as it is written in the campaign file."""

WHOLE_SCENARIO = ("longest_stall", "load_reached")
"""Metrics that belong to a scenario as a whole, so they stand under `all` only."""

TALLIED = tuple(name for name in METRICS if name not in WHOLE_SCENARIO)
"""Metrics that are taken from one operation's samples."""


def measure(tally: Tally, metric: Metric, *, name: str, seconds: float) -> Measurement:
    """The figure with its 95 % limits; value None when there were no samples. `seconds`: the time they came
    in.
    """
    if not (tally.asked if metric.name == "error_rate" else tally.count):
        return Measurement(name, None, metric.unit)
    if metric.share is not None:
        low, high = percentile_limits(tally.response, metric.share)
        return _timed(name, tally.response.percentile(metric.share), tally.count, limits=(low, high))
    if metric.name == "mean":
        return _timed(name, tally.response.mean, tally.count, limits=mean_limits(tally.response))
    if metric.name == "max":
        return _timed(name, tally.response.maximum, tally.count, limits=(tally.response.maximum,) * 2)
    if metric.name == "error_rate":
        low_share, high_share = clopper_pearson(tally.failed, tally.asked)
        return Measurement(name, tally.failed / tally.asked, "share", tally.asked, low_share, high_share)
    value = tally.answered / seconds if seconds else None
    return Measurement.exact(name, value, unit="1/s", count=tally.answered)


def _timed(
    name: str, value: float | None, count: int, *, limits: tuple[float | None, float | None]
) -> Measurement:
    value, low, high = (None if each is None else each * MICRO for each in (value, *limits))
    return Measurement(name, value, "s", count, low, high)
