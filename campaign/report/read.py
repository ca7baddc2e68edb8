"""An earlier run, read back from its report.json."""

from __future__ import annotations

import json
from pathlib import Path

from campaign.errors import ReportError
from campaign.records import CampaignResult
from campaign.report.document import read_document


def read_report(path: Path) -> CampaignResult:
    """The result that was written to `path`. Raises ReportError, which names the file and what is wrong."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ReportError(f"{path}: cannot be read ({error.strerror or error})") from error
    except (ValueError, RecursionError) as error:
        raise ReportError(f"{path}: is not JSON, so not a report of ours ({error})") from error
    try:
        return read_document(data)
    except ReportError as error:
        raise ReportError(f"{path}: {error}") from error
