"""Every form of the report, into one folder."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from campaign.errors import ReportError
from campaign.records import CampaignResult
from campaign.report import html, jsonfile, junit, markdown, tables


def write_all(
    result: CampaignResult, folder: Path, *, partials: Mapping[str, str] = html.NO_PARTIALS
) -> Path:
    """The path of report.html, written last, with all others beside it. Raises ReportError.

    `partials` maps a kind of phase to the source of its own template. report.json comes first, as the rest can
    be made from it.
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
    html.write(result, folder / "report.html", partials=partials)
    return folder / "report.html"
