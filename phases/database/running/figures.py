"""A run of patterns as measurements with their 95 % limits, and as plain data for the page and the judge."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from campaign.load.outcome import LoadOutcome, Second
from campaign.load.pacer import ASKED
from campaign.load.spec import Model
from campaign.load.tally import UNSENT, ErrorKind, Stage, Tally
from campaign.records import Measurement
from campaign.stats.histogram import Histogram
from campaign.stats.intervals import clopper_pearson, mean_limits, percentile_limits
from phases.database.pattern import Pattern
from phases.database.running.limits import ALL
from phases.database.scene import Scene

MICRO = 1e-6
SHARES = {"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99}
METRICS = ("mean", *SHARES, "max", "error_rate", "rate")
"""What is measured of every pattern, and of all together."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What one pattern came to in the judged part; `statements` are those that went well, `each` of them in
    one piece.
    """

    name: str
    tally: Tally
    statements: int
    weight: float
    each: int = 1


def seen(outcome: LoadOutcome, patterns: Iterable[Pattern]) -> tuple[Seen, ...]:
    """Every pattern, and last all together with what failed to connect."""
    patterns = tuple(patterns)
    whole = sum(each.weight for each in patterns)
    each_one = tuple(_seen_one(outcome, each, share=each.weight / whole) for each in patterns)
    everything = _empty()
    for (_, stage), tally in outcome.tallies.items():
        if stage is Stage.HOLD:
            everything.merge(tally)
    return (*each_one, Seen(ALL, everything, sum(each.statements for each in each_one), 1.0))


def _seen_one(outcome: LoadOutcome, pattern: Pattern, *, share: float) -> Seen:
    tally = outcome.tallies.get((pattern.name, Stage.HOLD)) or _empty()
    each = max(1, len(pattern.statements))
    return Seen(pattern.name, tally, good(tally) * each, share, each)


def good(tally: Tally) -> int:
    """How many were sent and went well."""
    return tally.count - sum(count for kind, count in tally.errors.items() if kind not in UNSENT)


def _empty() -> Tally:
    return Tally(Histogram(), Histogram())


def measurements(outcome: LoadOutcome, part: str, patterns: Iterable[Pattern]) -> Iterator[Measurement]:
    """Every metric of every pattern and of all together: `workload.profile_lookup.mean`."""
    for each in seen(outcome, patterns):
        for metric in METRICS:
            yield _measure(each, metric, name=f"{part}.{each.name}.{metric}", seconds=outcome.hold_seconds)
    reached = outcome.load_reached
    yield Measurement.exact(f"{part}.load_reached", reached, unit="share", count=int(reached is not None))


def _measure(each: Seen, metric: str, *, name: str, seconds: float) -> Measurement:
    tally, times = each.tally, each.tally.response
    if metric == "rate":
        observed = bool(tally.asked and seconds)
        return Measurement.exact(
            name, each.statements / seconds if observed else None, unit="1/s", count=each.statements
        )
    if metric == "error_rate":
        if not tally.asked:
            return Measurement(name, None, "share", 0)
        low, high = clopper_pearson(tally.failed, tally.asked)
        return Measurement(name, tally.failed / tally.asked, "share", tally.asked, low, high)
    if not times.count:
        return Measurement(name, None, "s", 0)
    if metric == "max":
        return Measurement.exact(name, (times.maximum or 0) * MICRO, unit="s", count=times.count)
    value = times.mean if metric == "mean" else times.percentile(SHARES[metric])
    ends = mean_limits(times) if metric == "mean" else percentile_limits(times, SHARES[metric])
    low_end, high_end = (None if end is None else end * MICRO for end in ends)
    if tally.unfinished:  # who knows how long they would have taken
        high_end = None
    return Measurement(name, (value or 0) * MICRO, "s", times.count, low_end, high_end)


def plain(outcome: LoadOutcome, patterns: Iterable[Pattern]) -> dict[str, Any]:
    """The run as plain JSON: `patterns` are rows of a table, the last one all together."""
    patterns = tuple(patterns)
    spec, health = outcome.scenario, outcome.generator
    offered = _offered(outcome)
    return {
        "model": spec.model.value,
        "level": spec.profile.highest,
        "connections": spec.users,
        "hold_seconds": outcome.hold_seconds,
        "asked_seconds": spec.judged[1] - spec.judged[0],
        "warm_up": spec.warm_up,
        "offered": offered,
        "offered_statements": _offered_statements(patterns, outcome),
        "load_reached": outcome.load_reached,
        "waited": outcome.counts.get("arrivals.waited", 0),
        "reconnects": outcome.reconnects,
        "longest_stall": outcome.longest_stall,
        "patterns": [_row(each, outcome, offered) for each in seen(outcome, patterns)],
        "errors": [asdict(group) for group in outcome.errors],
        "generator": {**asdict(health), "saturation": health.saturation(), "delay": health.delay()},
    }


def _offered(outcome: LoadOutcome) -> float | None:
    """Patterns per second that were asked for; None in the closed model, which asks for users."""
    if outcome.scenario.model is not Model.OPEN:
        return None
    seconds = outcome.hold_seconds
    asked = outcome.counts.get(ASKED)
    return asked / seconds if asked and seconds else outcome.scenario.profile.highest


def _offered_statements(patterns: tuple[Pattern, ...], outcome: LoadOutcome) -> float | None:
    """Statements per second at the level that was asked for; None in the closed model."""
    if outcome.scenario.model is not Model.OPEN:
        return None
    whole = sum(each.weight for each in patterns)
    statements = sum(each.weight * max(1, len(each.statements)) for each in patterns)
    return outcome.scenario.profile.highest * statements / whole


def _row(each: Seen, outcome: LoadOutcome, offered: float | None) -> dict[str, Any]:
    tally, seconds, counts = each.tally, outcome.hold_seconds, outcome.counts
    return {
        "name": each.name,
        "offered": None if offered is None else offered * each.weight,
        "achieved": tally.answered / seconds if seconds else None,
        "statements": each.statements / seconds if seconds else None,
        "count": tally.count,
        "statements_each": each.each,
        "failed": tally.failed,
        "error_rate": tally.failed / tally.asked if tally.asked else None,
        "timeouts": tally.errors.get(ErrorKind.TIMEOUT, 0),
        "response": times_of(tally.response),
        "service": times_of(tally.service),
        "rows": _counted(counts, each.name, "rows"),
        "retries": _counted(counts, each.name, "retries"),
        "deadlocks": _counted(counts, each.name, "deadlocks"),
        "errors": _by_code(outcome, each.name),
    }


def _counted(counts: Mapping[str, int], name: str, what: str) -> int:
    if name != ALL:
        return counts.get(f"{name}.{what}", 0)
    return sum(count for key, count in counts.items() if key.endswith(f".{what}"))


def _by_code(outcome: LoadOutcome, name: str) -> dict[str, int]:
    """Failures by SQLSTATE with what it means, over the whole run."""
    codes: dict[str, int] = {}
    for group in outcome.errors:
        if name in {ALL, group.operation}:
            codes[group.detail] = codes.get(group.detail, 0) + group.count
    return codes


def times_of(histogram: Histogram) -> dict[str, float | None]:
    """The usual statistics in seconds, timeouts included."""
    values = {
        **{name: histogram.percentile(share) for name, share in SHARES.items()},
        "mean": histogram.mean,
        "max": histogram.maximum,
    }
    return {name: None if value is None else value * MICRO for name, value in values.items()}


def onlooker(
    scene: Scene, part: str, *, what: str, seconds: float, begins: float = 0.0, ends: float = 1.0,
    of: str = "query",
) -> Callable[[Second], None]:  # fmt: skip
    """What keeps each second of a run for the chart and shows it; the run takes `seconds`, and the part's
    progress from `begins` to `ends`. `of` is what is counted, in the names of the points.
    """
    record = scene.context.record
    began: list[float] = []

    def see(second: Second) -> None:
        if not began:
            began.append(record.elapsed() - second.at)
        record.points(round(began[0] + second.at, 3), points(part, second, of=of))
        share = begins + (ends - begins) * min(1.0, second.at / seconds)
        scene.tell(f"{part}: {what}", share, **shown(second))

    return see


def points(part: str, second: Second, *, of: str) -> dict[str, tuple[float | None, str]]:
    """One second for the chart: `cache.command_p95` of commands."""
    return {
        f"{part}.{of}_rate": (second.rate, "1/s"),
        f"{part}.{of}_p95": (second.p95, "s"),
        f"{part}.{of}_error_rate": (second.error_rate, "share"),
    }


def shown(second: Second) -> dict[str, float]:
    """One second for the live display."""
    figures = {"rate": second.rate, "p95": second.p95, "error_rate": second.error_rate}
    return {name: value for name, value in figures.items() if value is not None}
