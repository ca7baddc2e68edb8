"""Evidence as it grows: each call is a line on disk before it returns, so a crash or Ctrl-C loses nothing."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, TextIO

from campaign.records import Evidence, Measurement, Series
from campaign.redact import masked
from campaign.stats.downsample import SeriesBuilder

SERIES_CAPACITY = 3600
"""Points kept per series in memory; past that adjacent ones are merged. The file keeps every point."""

GAP_POINTS = 100
"""Points without a value that stand for a gap, so that it is still one where neighbours are merged."""


def whole_lines(path: Path) -> Iterator[dict[str, Any]]:
    """Each JSON object of the file, one a line. One that was torn, as the machine ended, is left out."""
    with path.open(encoding="utf-8", errors="replace") as lines:
        for line in lines:
            try:
                value = json.loads(line)
            except ValueError:
                continue
            if isinstance(value, dict):
                yield value


def copy_lines(source: Path, into: Path) -> None:
    """Write all whole lines of `source` to `into`. Raises OSError."""
    into.parent.mkdir(parents=True, exist_ok=True)
    with into.open("w", encoding="utf-8") as file:
        file.writelines(json.dumps(line) + "\n" for line in whole_lines(source))


class EvidenceLog:
    """A phase's evidence, in memory and as JSON lines in `path`; `redact` masks secrets in every text.

    `elapsed` gives seconds since the campaign began. What is in the file already, of a run that was broken
    off, is taken in.
    """

    def __init__(self, path: Path, elapsed: Callable[[], float], *, redact: Callable[[str], str]) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._elapsed = elapsed
        self._redact = redact
        self._measurements: dict[str, Measurement] = {}
        self._series: dict[str, tuple[str, SeriesBuilder]] = {}
        self._facts: dict[str, Any] = {}
        self._notes: list[str] = []
        self._last = 0.0
        if path.exists():
            for line in whole_lines(path):
                self._take_in(line)
        self._file: TextIO = path.open("a", encoding="utf-8")

    def elapsed(self) -> float:
        """Seconds since the campaign began."""
        return self._elapsed()

    def measurement(self, measurement: Measurement) -> None:
        """Keep a number; a later one of the same name replaces it."""
        self._measurements[measurement.name] = measurement
        self._write("measurement", asdict(measurement))

    def points(self, at: float, values: Mapping[str, tuple[float | None, str]]) -> None:
        """Add one point (value, unit) to each named series, at seconds since the campaign began."""
        self._add(at, values)
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

    def gap(self) -> tuple[float, float]:
        """Say in every series that nothing is known from its last point until now; gives both times."""
        began, ended = self._last, self.elapsed()
        nothing = {name: (None, unit) for name, (unit, _) in self._series.items()}
        for number in range(1, GAP_POINTS + 1):
            self.points(began + (ended - began) * number / (GAP_POINTS + 1), nothing)
        return began, ended

    def close(self) -> None:
        """Close the file; what was recorded stays readable."""
        self._file.close()

    def _add(self, at: float, values: Mapping[str, tuple[float | None, str]]) -> None:
        self._last = max(self._last, at)
        for name, (value, unit) in values.items():
            if name not in self._series:
                self._series[name] = (unit, SeriesBuilder(SERIES_CAPACITY))
            self._series[name][1].add(at, value)

    def _take_in(self, line: dict[str, Any]) -> None:
        """A line of the file, as `_write` wrote it."""
        for kind, value in line.items():
            if kind == "points":
                self._add(value["at"], {name: (each[0], each[1]) for name, each in value["values"].items()})
            elif kind == "measurement":
                self._measurements[value["name"]] = Measurement(**value)
            elif kind == "fact":
                self._facts[value["name"]] = value["value"]
            elif kind == "note":
                self._notes.append(value)

    def _write(self, kind: str, value: Any) -> None:
        self._file.write(json.dumps({kind: value}, default=str) + "\n")
        self._file.flush()
