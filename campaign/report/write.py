"""Every form of the report, into one folder."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from campaign.errors import ReportError
from campaign.records import CampaignResult
from campaign.report import html, jsonfile, junit, markdown, tables
from campaign.report.partials import sources

Partials = Mapping[str, tuple[str, ...] | None]
"""By kind of phase: the package and file name of its template for the page, as its `info` says."""

NO_PARTIALS: Partials = MappingProxyType({})


def write_all(result: CampaignResult, folder: Path, *, partials: Partials = NO_PARTIALS) -> Path:
    """The path of report.html, with all other forms beside it. Raises ReportError.

    report.json comes first, as the rest can be made from it.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ReportError(f"{folder} cannot be made: {error.strerror or error}") from error
    jsonfile.write(result, folder / "report.json")
    junit.write(result, folder / "junit.xml")
    tables.write_stats(result, folder / "stats.csv")
    tables.write_failures(result, folder / "failures.csv")
    tables.write_series(result, folder / "series.csv")
    markdown.write(result, folder / "summary.md")
    html.write(result, folder / "report.html", partials=sources(partials))
    return folder / "report.html"
