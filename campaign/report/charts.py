"""What the page draws over time: which series belong together, and the spans behind them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from campaign.records import CampaignResult, PhaseResult, Series
from campaign.report.thinning import Point, thin

MOST_POINTS = 1000
"""Points per line on the page; series.csv has all."""

MOST_LINES = 6
"""Lines in a chart of a phase's own series; more could not be told apart."""


@dataclass(frozen=True, slots=True)
class Chart:
    """A title and the lines under it: (end of the series' names, label)."""

    title: str
    unit: str
    lines: tuple[tuple[str, str], ...]


TIMELINE = (
    Chart(
        "Response time",
        "s",
        (
            ("p95", "requests, p95"),
            ("p50", "requests, p50"),
            ("query_p95", "database queries, p95"),
            ("command_p95", "cache commands, p95"),
        ),
    ),
    Chart(
        "Throughput",
        "1/s",
        (("rate", "requests"), ("query_rate", "database queries"), ("command_rate", "cache commands")),
    ),
    Chart("Arrivals", "1/s", (("arrivals_asked", "asked"), ("arrivals_begun", "begun"))),
    Chart(
        "Errors",
        "share",
        (
            ("error_rate", "requests"),
            ("query_error_rate", "database queries"),
            ("command_error_rate", "cache commands"),
        ),
    ),
    Chart("Users", "users", (("users", "users"),)),
)
"""What phases record of what they send: `<scenario>.p95` of HTTP requests, `<name>.query_p95` of
database queries, `<name>.command_p95` of a cache's commands, and so on.
"""

MACHINES = (
    Chart("Host CPU, share of all cores", "share", (("host.cpu", "host"),)),
    Chart("CPU, share of one core", "share", (("target.cpu", "target"), ("campaign.cpu", "load generator"))),
    Chart("Host memory in use", "B", (("host.memory", "host"),)),
    Chart("Memory", "B", (("target.memory", "target"), ("campaign.memory", "load generator"))),
)


def charts(result: CampaignResult) -> dict[str, Any]:
    """Plain data for the page's script: when it began, spans, and charts with their thinned lines."""
    recorded = [each for phase in result.results for each in phase.evidence.series]
    monitored = result.monitoring.series
    return {
        "began": result.run.started_at,
        "length": max((each.times[-1] for each in (*recorded, *monitored) if each.times), default=0.0),
        "spans": list(spans(result)),
        "timeline": list(_drawn(TIMELINE, recorded)),
        "machines": [*_drawn(MACHINES, monitored), *_others(recorded)],
    }


def spans(result: CampaignResult) -> Iterator[dict[str, Any]]:
    """Every phase that ran, then what each named within it, in seconds since the campaign began."""
    for phase in result.results:
        if phase.ended > phase.began:
            start, end = (each - result.run.started_at for each in (phase.began, phase.ended))
            yield {"name": phase.phase, "began": start, "ended": end, "level": 0}
        yield from _inner_spans(phase)


def _inner_spans(phase: PhaseResult) -> Iterator[dict[str, Any]]:
    listed = phase.evidence.facts.get("spans")
    for each in listed if isinstance(listed, (list, tuple)) else ():
        if isinstance(each, Mapping) and all(_is_number(each.get(key)) for key in ("began", "ended")):
            yield {
                "name": str(each.get("name", "")),
                "began": each["began"],
                "ended": each["ended"],
                "level": 1,
            }


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float))


def _drawn(wanted: Iterable[Chart], recorded: Iterable[Series]) -> Iterator[dict[str, Any]]:
    everything = tuple(recorded)
    for chart in wanted:
        lines = [_line(label, _named(everything, ending)) for ending, label in chart.lines]
        if any(line["times"] for line in lines):
            yield {
                "title": chart.title,
                "unit": chart.unit,
                "lines": [line for line in lines if line["times"]],
            }


def _named(recorded: Iterable[Series], ending: str) -> list[Series]:
    return [each for each in recorded if each.name == ending or each.name.endswith(f".{ending}")]


def _others(recorded: Iterable[Series]) -> Iterator[dict[str, Any]]:
    """A chart per unit for the series that no other chart shows."""
    known = tuple(ending for chart in TIMELINE for ending, _ in chart.lines)
    rest = [
        each
        for each in recorded
        if each.name not in known and not each.name.endswith(tuple(f".{name}" for name in known))
    ]
    for unit in dict.fromkeys(each.unit for each in rest):
        lines = [_line(each.name, [each]) for each in rest if each.unit == unit][:MOST_LINES]
        yield {"title": ", ".join(line["label"] for line in lines[:2]), "unit": unit, "lines": lines}


def _line(label: str, parts: list[Series]) -> dict[str, Any]:
    """One line through all parts in the order of time, with a gap between two of them."""
    points = _joined(sorted((each for each in parts if each.times), key=lambda each: each.times[0]))
    return {
        "label": label,
        "times": [round(at, 2) for at, _ in points],
        "values": [None if value is None else float(f"{value:.4g}") for _, value in points],
    }


def _joined(parts: list[Series]) -> list[Point]:
    points: list[Point] = []
    for part in parts:
        if points:
            points.append(((points[-1][0] + part.times[0]) / 2, None))
        points += thin(part.times, part.values, most=MOST_POINTS // len(parts))
    return points
