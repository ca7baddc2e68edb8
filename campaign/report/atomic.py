"""Files that are there whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

from campaign.errors import ReportError


def write_text(path: Path, text: str) -> None:
    """Put `text` (UTF-8) at `path` in one step, so that nobody ever reads a part. Raises ReportError."""
    draft = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        try:
            _write_through(draft, text)
            draft.replace(path)
        finally:
            draft.unlink(missing_ok=True)
    except OSError as error:
        raise ReportError(f"{path} cannot be written: {error.strerror or error}") from error


def _write_through(path: Path, text: str) -> None:
    with path.open("w", encoding="utf-8", errors="backslashreplace", newline="") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
