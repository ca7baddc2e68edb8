"""A run that was broken off, read from its folder, so that another goes on where it ended.

What it wrote as it went is enough: events.jsonl says when it began and which phases came to their end,
evidence/ holds what each of them recorded. Times of the run that goes on count from the first beginning.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from campaign.errors import ConfigurationError, ReportError
from campaign.evidence import copy_lines, whole_lines
from campaign.records import Status

LEAST_GAP = 1.0
"""Seconds that lie between the runs at least, whatever the machine's clock says after it began anew."""


@dataclass(frozen=True, slots=True)
class Earlier:
    """`began` and `ended` are seconds since 1970; `completed` has the times of each phase that came to its
    end, by label.
    """

    folder: Path
    name: str
    seed: int
    began: float
    ended: float
    completed: Mapping[str, tuple[float, float]]

    @classmethod
    def read(cls, folder: Path) -> Earlier:
        """The run in `folder`. Raises ConfigurationError where there is none to go on with."""
        began: dict[str, Any] | None = None
        starts: dict[str, float] = {}
        completed: dict[str, tuple[float, float]] = {}
        at = 0.0
        try:
            for line in whole_lines(folder / "events.jsonl"):
                at, event, label = max(at, line["at"]), line["event"], line.get("label", "")
                if event == "CampaignBegan" and began is None:
                    began = line
                elif event == "PhaseBegan":
                    starts[label] = line["at"]
                elif event == "PhaseEnded" and line["status"] == Status.COMPLETED:
                    completed[label] = (starts.get(label, line["at"]), line["at"])
            if began is None:
                raise ConfigurationError(f"--resume {folder}: its events.jsonl does not say what was begun")
            return cls(folder, began["name"], began["seed"], began["at"], at, completed)
        except OSError as error:
            raise ConfigurationError(
                f"--resume {folder}: is not the folder of a run ({error.strerror or error})\n"
                "  allowed  a folder with events.jsonl and evidence/, such as reports/<name>-<time>"
            ) from error
        except (KeyError, TypeError) as error:
            raise ConfigurationError(f"--resume {folder}: its events.jsonl is none of ours") from error

    def check(self, name: str) -> None:
        """Raise ConfigurationError where this was another campaign."""
        if name != self.name:
            raise ConfigurationError(
                f"--resume {self.folder}: is a run of {self.name!r}, and this is {name!r}\n"
                "  allowed  the same campaign file and options as before"
            )

    def elapsed_until(self, now: float) -> float:
        """Seconds from the first beginning to `now`, and never before the end of what is there."""
        return max(now, self.ended + LEAST_GAP) - self.began

    def hand_over(self, folder: Path) -> None:
        """Put what happened until then into `folder`, where a run goes on. Raises ReportError."""
        self._copy("events.jsonl", folder)
        self._copy("evidence/monitoring.jsonl", folder)

    def hand_over_phase(self, label: str, folder: Path) -> None:
        """Put there what this phase recorded, if anything. Raises ReportError."""
        self._copy(f"evidence/{label}.jsonl", folder)

    def _copy(self, name: str, folder: Path) -> None:
        source = self.folder / name
        try:
            if source.exists():
                copy_lines(source, folder / name)
        except OSError as error:
            raise ReportError(f"--resume {self.folder}: cannot take over {name}: {error.strerror}") from error
