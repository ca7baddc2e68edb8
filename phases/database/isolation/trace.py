"""What the steps of a schedule came to, and what that proves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from campaign.database.failure import Failure, FailureKind

REFUSALS = frozenset({FailureKind.SERIALIZATION, FailureKind.DEADLOCK})
"""Failures by which a database keeps transactions apart; a lock timeout counts on SQLite alone."""


class Verdict(StrEnum):
    """What became of an anomaly."""

    HAPPENED = "happened"
    PREVENTED = "prevented"
    NOT_EXERCISED = "not exercised"


@dataclass(frozen=True, slots=True)
class Outcome:
    """A step that ran: the `rows` that it read, how many it changed, why it failed, whether it was seen
    waiting for another session of the schedule.
    """

    rows: tuple[tuple[Any, ...], ...] = ()
    count: int = 0
    failure: Failure | None = None
    blocked: bool = False


@dataclass(frozen=True, slots=True)
class Trace:
    """The outcomes by the steps' labels; a step that never ran is not in it. `final` is what was committed
    in rows 1 to 4 at the end; `trouble` is why it could not be played to its end.
    """

    outcomes: Mapping[str, Outcome]
    final: Mapping[int, int]
    trouble: str = ""

    def ran(self, *labels: str) -> bool:
        """Whether all of these steps ran and succeeded."""
        return all(each in self.outcomes and self.outcomes[each].failure is None for each in labels)

    def value(self, label: str) -> Any:
        """The first value that a step read; None where it read none."""
        rows = self.outcomes[label].rows if self.ran(label) else ()
        return rows[0][0] if rows else None

    def empty(self, label: str) -> bool:
        """Whether a search ran and found nothing."""
        return self.ran(label) and not self.outcomes[label].rows

    def changed(self, *labels: str) -> bool:
        """Whether each of these writes changed one row."""
        return self.ran(*labels) and all(self.outcomes[each].count == 1 for each in labels)


@dataclass(frozen=True, slots=True)
class Ruling:
    """A verdict, and how it was prevented or why it says nothing."""

    verdict: Verdict
    how: str = ""


def rule(trace: Trace, *, happened: bool, needs: tuple[str, ...], steps: int) -> Ruling:
    """What a trace proves: `needs` are the steps without which the conflict did not come about, `steps` how
    many the whole schedule has.
    """
    if trace.trouble:
        return Ruling(Verdict.NOT_EXERCISED, trace.trouble)
    failures = [each.failure for each in trace.outcomes.values() if each.failure is not None]
    foreign = next((each for each in failures if not _refusal(each)), None)
    if foreign is not None:
        return Ruling(Verdict.NOT_EXERCISED, str(foreign))
    if happened:
        return Ruling(Verdict.HAPPENED)
    missing = next((each for each in needs if not trace.ran(each)), "")
    if missing and (missing not in trace.outcomes or missing == needs[0]):
        return Ruling(Verdict.NOT_EXERCISED, f"step {missing} never ran")
    return _prevented(trace, failures, whole=len(trace.outcomes) == steps)


def _prevented(trace: Trace, failures: list[Failure], *, whole: bool) -> Ruling:
    if failures:
        return Ruling(Verdict.PREVENTED, f"aborted {failures[0].code}")
    if not whole:
        return Ruling(Verdict.NOT_EXERCISED, "not all steps ran")
    blocked = any(each.blocked for each in trace.outcomes.values())
    return Ruling(Verdict.PREVENTED, "blocked" if blocked else "snapshot")


def _refusal(failure: Failure) -> bool:
    return failure.kind in REFUSALS or (
        failure.kind is FailureKind.LOCK_TIMEOUT and failure.code.startswith("SQLITE_")
    )
