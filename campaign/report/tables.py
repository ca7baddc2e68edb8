"""The numbers for a spreadsheet: stats.csv (measurements), failures.csv (groups of errors), series.csv."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from campaign.records import CampaignResult, Series
from campaign.report.atomic import write_text
from campaign.report.text import visible

STATS = ("phase", "name", "value", "unit", "observations", "low", "high")
FAILURES = ("phase", "scenario", "operation", "kind", "detail", "count", "first_s", "last_s")
SERIES = ("phase", "name", "unit", "seconds", "value")

FORMULA = ("=", "+", "-", "@")
"""A text that begins so would be run as a formula by a spreadsheet."""

Row = Sequence[object]


def write_stats(result: CampaignResult, path: Path) -> None:
    """Write one line per measurement. Raises ReportError."""
    write_text(path, table(STATS, _stats(result)))


def write_failures(result: CampaignResult, path: Path) -> None:
    """Write one line per group of like errors. Raises ReportError."""
    write_text(path, table(FAILURES, _failures(result)))


def write_series(result: CampaignResult, path: Path) -> None:
    """Write one line per point of every series; an empty value is a gap. Raises ReportError."""
    write_text(path, table(SERIES, _series(result)))


def table(head: Row, rows: Iterable[Row]) -> str:
    """The CSV text (RFC 4180); texts are on one line and never a formula, numbers are as they are."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(head)
    writer.writerows([_harmless(cell) for cell in row] for row in rows)
    return text.getvalue()


def _harmless(cell: object) -> object:
    if not isinstance(cell, str):
        return cell
    shown = visible(cell)
    return f"'{shown}" if shown.lstrip().startswith(FORMULA) else shown


def _stats(result: CampaignResult) -> Iterator[Row]:
    for phase in result.results:
        for each in phase.evidence.measurements:
            yield phase.phase, each.name, each.value, each.unit, each.count, each.low, each.high


def _failures(result: CampaignResult) -> Iterator[Row]:
    for phase in result.results:
        for scenario in _records(phase.evidence.facts.get("scenarios")):
            for group in _records(scenario.get("errors")):
                named = (group.get(key) for key in ("operation", "kind", "detail", "count", "first", "last"))
                yield phase.phase, scenario.get("name"), *named


def _records(value: Any) -> Iterator[Mapping[str, Any]]:
    """The objects of a list in plain facts; nothing where a phase keeps something else under that name."""
    yield from (
        (each for each in value if isinstance(each, Mapping)) if isinstance(value, (list, tuple)) else ()
    )


def _series(result: CampaignResult) -> Iterator[Row]:
    for phase in result.results:
        for series in phase.evidence.series:
            yield from _points(phase.phase, series)
    for series in result.monitoring.series:
        yield from _points("", series)


def _points(phase: str, series: Series) -> Iterator[Row]:
    for at, value in zip(series.times, series.values, strict=True):
        yield phase, series.name, series.unit, at, value
