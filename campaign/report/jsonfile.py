"""report.json: the one form that everything else can be made from again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from campaign.records import CampaignResult
from campaign.report.atomic import write_text
from campaign.report.document import document


def write(result: CampaignResult, path: Path) -> None:
    """Write the document, one top-level key a line. Raises ReportError."""
    lines = [f"{_dump(key)}: {_dump(value)}" for key, value in document(result).items()]
    write_text(path, "{\n" + ",\n".join(lines) + "\n}\n")


def _dump(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
