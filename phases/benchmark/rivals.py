"""What an entry is held against besides its limit: a second target in the same run, or an earlier run."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from campaign import checks
from campaign.records import Finding, Limit, Severity
from campaign.stats.compare import Difference
from phases.benchmark.comparison import comparison_of
from phases.benchmark.settings import Entry
from phases.benchmark.timed import COMMAND, OPERATION, STATEMENT

MORE = "More iterations settle it."
MOST = 100_000
"""Iterations that a campaign file may ask for."""

BEYOND = frozenset({Difference.SLOWER, Difference.UNCLEAR})


@dataclass(frozen=True, slots=True)
class Rival:
    """One way to compare. `key` is where the figures are and how the check's name ends. Times that moved by
    less than `steps` seconds, by kind of entry, are not told apart. `gates`: whether it is as critical as
    the entry; `due`: whether a comparison that could not be made is missed.
    """

    key: str
    unit: str
    remedy: str
    gates: bool
    due: bool
    steps: Mapping[str, float]

    def not_compared(self, check: str, title: str, why: str, *, entry: Entry) -> Finding:
        """The finding where there are no figures."""
        name, why = f"{check}.{self.key}", f"{title} was not compared: {why}"
        if self.due:
            return checks.inconclusive(name, why, severity=self._severity(entry))
        return checks.not_applicable(name, why)

    def judge(
        self, check: str, title: str, told: Mapping[str, Any], *, entry: Entry, threshold: float, doubt: str
    ) -> Finding:
        """The finding from the entry's figures; `doubt` is why a good one proves nothing."""
        figures = told.get(self.key) or {"why": "it was never reached"}
        found = comparison_of(figures)
        if found is None:
            return self.not_compared(check, title, figures["why"], entry=entry)
        difference, limit = found.difference(threshold), Limit(1 + threshold, 1 + threshold, self.unit)
        message = _sentence(title, figures, difference=difference, limit=limit)
        if difference in BEYOND and _moved(figures) < self.steps.get(told["kind"], -math.inf):
            said = f"{message}, but by less than two runs can tell apart"
            return checks.informational(f"{check}.{self.key}", said)
        if difference is Difference.UNCLEAR:
            return self._unclear(check, message, enough=found.enough(threshold), limit=limit, entry=entry)
        return self._found(check, message, difference=difference, limit=limit, entry=entry, doubt=doubt)

    def _unclear(
        self, check: str, message: str, *, enough: int | None, limit: Limit, entry: Entry
    ) -> Finding:
        remedy = MORE if enough is None else f"About {enough:,} iterations settle it."
        if enough is not None and enough > MOST:
            remedy = f"Its ratio lies so near the limit that {MOST:,} iterations would not settle it."
        name, severity = f"{check}.{self.key}", self._severity(entry)
        return checks.inconclusive(name, message, severity=severity, limit=limit, remedy=remedy)

    def _found(
        self, check: str, message: str, *, difference: Difference, limit: Limit, entry: Entry, doubt: str
    ) -> Finding:
        name, severity = f"{check}.{self.key}", self._severity(entry)
        slower = difference is Difference.SLOWER
        if doubt and not slower:
            why = f"{message}, but {doubt}"
            return checks.inconclusive(name, why, severity=severity, limit=limit, remedy=checks.AGAIN)
        return checks.holds(name, not slower, message=message, severity=severity, remedy=self.remedy)

    def _severity(self, entry: Entry) -> Severity:
        critical = entry.severity is Severity.CRITICAL
        return Severity.IMPORTANT if critical and not self.gates else entry.severity


SECOND = Rival(
    key="against",
    unit="x the second target's",
    remedy="See what differs between the two: a query, an index, a library, a setting.",
    gates=True,
    due=True,
    steps={},
)
"""A second target, measured in turn with the first: whatever the machine does, it does to both."""

EARLIER = Rival(
    key="baseline",
    unit="x the earlier run's",
    remedy="Run both again on a quiet machine, or in turn in one run with --against.",
    gates=False,
    due=False,
    steps={OPERATION: 0.001, STATEMENT: 0.0005, COMMAND: 0.0005},
)
"""An earlier run. Two runs differ by more than the target, so it stops no release alone, and what moved by
very little may be the machine, however surely it moved.
"""


def _moved(figures: Mapping[str, Any]) -> float:
    """By how many seconds it is longer than elsewhere."""
    moved: float = figures["value"] * (figures["ratio"] - 1)
    return moved


def _sentence(title: str, figures: Mapping[str, Any], *, difference: Difference, limit: Limit) -> str:
    ends = f"95 % interval {figures['low']:.2f} to {figures['high']:.2f}"
    ratio = f"{figures['ratio']:.2f} {limit.unit} ({ends}; {checks.describe(limit)})"
    where = f", on another target ({there})" if (there := figures.get("elsewhere")) else ""
    return f"{title} was {ratio}{where}: {difference.value}"
