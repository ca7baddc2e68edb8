"""report.json: the one form that everything else can be made from again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from campaign.errors import ReportError
from campaign.records import CampaignResult
from campaign.report.atomic import write_text
from campaign.report.document import document, read_document


def write(result: CampaignResult, path: Path) -> None:
    """Write the document, one top-level key a line. Raises ReportError."""
    lines = [f"{_dump(key)}: {_dump(value)}" for key, value in document(result).items()]
    write_text(path, "{\n" + ",\n".join(lines) + "\n}\n")


def _dump(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def read(path: Path) -> CampaignResult:
    """The result in an earlier report.json. Raises ReportError, which names the file."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ReportError(f"{path} cannot be read: {error.strerror or error}") from error
    except (ValueError, RecursionError) as error:
        raise ReportError(f"{path} is not a whole JSON file: {error}") from error
    try:
        return read_document(data)
    except ReportError as error:
        raise ReportError(f"{path}: {error}") from error
