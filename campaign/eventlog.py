"""events.jsonl: one line per event, on disk before the next thing happens."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from campaign.clock import Clock
from campaign.events import CampaignEnded, Event, PhaseEnded
from campaign.redact import masked


class EventLog:
    """A listener that appends each event with its wall time; secrets are masked by `redact`."""

    def __init__(self, path: Path, clock: Clock, *, redact: Callable[[str], str]) -> None:
        self._file = path.open("a", encoding="utf-8")
        self._clock = clock
        self._redact = redact

    def __call__(self, event: Event) -> None:
        """Write one line."""
        line = {"at": round(self._clock.wall(), 3), "event": type(event).__name__, **_plain(event)}
        # Masked before it is JSON: a secret such as "1234" may stand in a number, which must stay one.
        self._file.write(json.dumps(masked(line, self._redact), default=str) + "\n")
        self._file.flush()

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def _plain(event: Event) -> dict[str, Any]:
    """The event as plain data; results only in short, as the report holds them whole."""
    if isinstance(event, PhaseEnded):
        reason = event.result.reason
        return {
            "label": event.result.phase,
            "status": event.result.status,
            "reason": reason and asdict(reason),
            "findings": [asdict(finding) for finding in event.result.findings],
            "score": event.score,
        }
    if isinstance(event, CampaignEnded):
        return {"gate": asdict(event.result.gate), "bounds": asdict(event.result.score.bounds)}
    return asdict(event)
