"""Evidence as it grows: each call is a line on disk before it returns, so a crash or Ctrl-C loses nothing."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, TextIO

from campaign.records import Evidence, Measurement, Series
from campaign.redact import masked
from campaign.stats.downsample import SeriesBuilder

SERIES_CAPACITY = 3600
"""Points kept per series in memory; past that adjacent ones are merged. The file keeps every point."""


class EvidenceLog:
    """A phase's evidence, in memory and as JSON lines in `path`; `redact` masks secrets in every text.

    `elapsed` gives seconds since the campaign began.
    """

    def __init__(self, path: Path, elapsed: Callable[[], float], *, redact: Callable[[str], str]) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file: TextIO = path.open("a", encoding="utf-8")
        self._elapsed = elapsed
        self._redact = redact
        self._measurements: dict[str, Measurement] = {}
        self._series: dict[str, tuple[str, SeriesBuilder]] = {}
        self._facts: dict[str, Any] = {}
        self._notes: list[str] = []

    def elapsed(self) -> float:
        """Seconds since the campaign began."""
        return self._elapsed()

    def measurement(self, measurement: Measurement) -> None:
        """Keep a number; a later one of the same name replaces it."""
        self._measurements[measurement.name] = measurement
        self._write("measurement", asdict(measurement))

    def points(self, at: float, values: Mapping[str, tuple[float | None, str]]) -> None:
        """Add one point (value, unit) to each named series, at seconds since the campaign began."""
        for name, (value, unit) in values.items():
            if name not in self._series:
                self._series[name] = (unit, SeriesBuilder(SERIES_CAPACITY))
            self._series[name][1].add(at, value)
        self._write("points", {"at": at, "values": values})

    def fact(self, name: str, value: Any) -> None:
        """Keep plain JSON data under `name`, secrets masked; a later one replaces it."""
        self._facts[name] = masked(value, self._redact)
        self._write("fact", {"name": name, "value": self._facts[name]})

    def note(self, text: str) -> None:
        """Keep a sentence for the reader, secrets masked."""
        self._notes.append(self._redact(text))
        self._write("note", self._notes[-1])

    def evidence(self) -> Evidence:
        """All of it so far, frozen."""
        series = tuple(
            Series(name, unit, *builder.columns()) for name, (unit, builder) in self._series.items()
        )
        return Evidence(tuple(self._measurements.values()), series, dict(self._facts), tuple(self._notes))

    def close(self) -> None:
        """Close the file; what was recorded stays readable."""
        self._file.close()

    def _write(self, kind: str, value: Any) -> None:
        self._file.write(json.dumps({kind: value}, default=str) + "\n")
        self._file.flush()
