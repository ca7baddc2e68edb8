"""What a limit of the load phase can be put on, and how each figure is taken from samples."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from campaign.load.tally import Tally
from campaign.records import Direction, Measurement
from campaign.stats.histogram import Histogram
from campaign.stats.intervals import clopper_pearson, mean_limits, percentile_limits
from phases.load.samples import Samples

MICRO = 1e-6
"""Histograms count microseconds; measurements are in seconds."""

RESPONSE, SERVICE = "response", "service"
"""The times of every request: from when it was due, and from when it was sent."""


@dataclass(frozen=True, slots=True)
class Metric:
    """One figure: its unit, which side is good, and what to do when it is missed.

    `times` are what a figure of time is taken from: RESPONSE, SERVICE or a further measure. `share` is that
    of a percentile.
    """

    name: str
    unit: str
    direction: Direction
    title: str
    remedy: str
    share: float | None = None
    times: str = ""

    @property
    def is_lengthened(self) -> bool:
        """Whether it becomes worse where we are late ourselves."""
        return bool(self.times) or self.name == "event_rate"

    @property
    def is_largest(self) -> bool:
        """Whether it is the largest of its times."""
        return bool(self.times) and self.name.endswith("max")


_SLOW = "Compare its response time with its service time, and with the target's CPU in the same seconds."
_ERRORS = "Read the failed requests and answers in the report, the most frequent kind first."
_LATE = "Find out why requests are not sent when they are due: the limit on connections, or our own machine."

STATISTICS = (
    ("p50", "p50", 0.50),
    ("p75", "p75", 0.75),
    ("p90", "p90", 0.90),
    ("p95", "p95", 0.95),
    ("p99", "p99", 0.99),
    ("p999", "p999", 0.999),
    ("mean", "mean", None),
    ("max", "maximum", None),
)
"""What can be taken of times: name, title and the share of a percentile."""

FURTHER_TIMES = {
    "first_byte": ("time to the first byte", _SLOW),
    "first_event": ("time to the first event", _SLOW),
    "event_gap": (
        "gap between events",
        "Look for what stops the stream: a buffer in between, a busy worker.",
    ),
    "stream": ("time of the whole stream", _SLOW),
    "connect": ("time to connect", "Look at its backlog of new connections, and at its TLS."),
    "round_trip": ("round trip", _SLOW),
    "queue": ("time in the queue", _LATE),
}
"""Times that only some operations have, by the name that they are recorded under: title and remedy."""


def _times(kind: str, title: str, remedy: str, *, prefix: str) -> list[Metric]:
    return [
        Metric(prefix + name, "s", Direction.AT_MOST, f"{title}{word}", remedy, share, kind)
        for name, word, share in STATISTICS
    ]


_OTHERS = (
    Metric("error_rate", "share", Direction.AT_MOST, "error rate", _ERRORS),
    Metric("rate", "1/s", Direction.AT_LEAST, "rate", "Find what saturates first on the target."),
    Metric(
        "event_rate", "1/s", Direction.AT_LEAST, "event rate of its streams",
        "Compare it with the gaps between events: is it slow all the time, or does it stop?",
    ),
    Metric(
        "longest_stall", "s", Direction.AT_MOST, "longest stall",
        "Look for what blocks the whole service: a lock, a collection pause, a job on its event loop.",
    ),
    Metric(
        "load_reached", "share", Direction.AT_LEAST, "load reached",
        "See why users did not get through their start operations.",
    ),
    Metric(
        "error_spike", "share", Direction.AT_MOST, "error rate within a spike",
        "Look at what the target did in these seconds: a restart, a full pool, a job, a failed dependency.",
    ),
)  # fmt: skip

METRICS = {
    metric.name: metric
    for metric in (
        *_times(RESPONSE, "", _SLOW, prefix=""),
        *_OTHERS,
        *_times(SERVICE, "service time ", _SLOW, prefix="service_"),
        *(
            metric
            for kind, (title, remedy) in FURTHER_TIMES.items()
            for metric in _times(kind, f"{title} ", remedy, prefix=f"{kind}_")
        ),
    )
}
"""Every metric by name, as it is written in the campaign file."""

WHOLE_SCENARIO = ("longest_stall", "load_reached", "error_spike")
"""Metrics that belong to a scenario as a whole, so they stand under `all` only."""

TALLIED = tuple(name for name in METRICS if name not in WHOLE_SCENARIO)
"""Metrics that are taken from samples: of an operation, a tag, a kind of user ..."""

SHOWN = ("p50", "p95", "p99", "mean", "max", "error_rate", "rate")
"""Metrics measured for every operation, whether or not a limit asks for them."""

TIMES_SHOWN = ("p50", "p95", "p99", "max")
"""Statistics measured of every further time that was recorded."""


def times_of(samples: Samples, metric: Metric) -> Histogram:
    """The times in µs that the metric is taken from; empty where there were none."""
    if metric.times in {RESPONSE, SERVICE}:
        return samples.tally.response if metric.times == RESPONSE else samples.tally.service
    return samples.times.get(metric.times) or Histogram()


def value_of(samples: Samples, metric: Metric) -> float | None:
    """The figure alone in the metric's unit; None where there was nothing to take it from."""
    if metric.times:
        value = _of_times(times_of(samples, metric), metric)
        return None if value is None else value * MICRO
    if metric.name == "event_rate":
        return event_rate(samples.times)
    tally = samples.tally
    if metric.name == "rate":
        return tally.answered / samples.seconds if samples.seconds else None
    return tally.failed / tally.asked if tally.asked else None


def event_rate(times: Mapping[str, Histogram]) -> float | None:
    """Events per second while a stream ran, of all streams that came to their end together."""
    events, streams = times.get("events"), times.get("stream")
    if not events or not streams or not streams.mean or events.mean is None:
        return None
    return events.mean * events.count / (streams.mean * streams.count * MICRO)


def _of_times(times: Histogram, metric: Metric) -> float | None:
    if metric.share is not None:
        return times.percentile(metric.share)
    return times.maximum if metric.is_largest else times.mean


def measure(samples: Samples, metric: Metric, *, name: str) -> Measurement:
    """The figure with its 95 % limits; value None when there were no samples.

    Requests that were cut unanswered may each have been a failure, and would have taken who knows how long.
    """
    value = value_of(samples, metric)
    if metric.times:
        timed = _timed(name, value, metric, times=times_of(samples, metric))
        return replace(timed, high=None) if _is_open(samples.tally, metric) else timed
    tally: Tally = samples.tally
    if metric.name == "rate":
        return Measurement.exact(name, value if tally.count else None, unit="1/s", count=tally.answered)
    if metric.name == "event_rate":
        streams = (samples.times.get("stream") or Histogram()).count
        return Measurement.exact(name, value, unit="1/s", count=streams)
    if not tally.asked:
        return Measurement(name, value, "share", 0)
    low, _ = clopper_pearson(tally.failed, tally.asked)
    _, high = clopper_pearson(tally.failed + tally.unfinished, tally.asked + tally.unfinished)
    return Measurement(name, value, "share", tally.asked, low, high)


def _is_open(tally: Tally, metric: Metric) -> bool:
    """Whether the requests that were cut may decide the figure: all in the mean, half of what lies beyond a
    percentile.
    """
    if metric.times not in {RESPONSE, SERVICE} or not tally.unfinished:
        return False
    return metric.share is None or tally.unfinished > tally.count * (1 - metric.share) / 2


def _timed(name: str, value: float | None, metric: Metric, *, times: Histogram) -> Measurement:
    if value is None or metric.is_largest:
        return Measurement.exact(name, value, unit="s", count=times.count)
    limits = mean_limits(times) if metric.share is None else percentile_limits(times, metric.share)
    low, high = (None if each is None else each * MICRO for each in limits)
    return Measurement(name, value, "s", times.count, low, high)
