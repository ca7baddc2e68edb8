"""What a schedule that was run has shown: the anomaly happened, was prevented, or was not exercised. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias

from campaign.database.failure import Failure, FailureKind
from phases.database.isolation.anomalies import Anomaly

Rows: TypeAlias = tuple[tuple[int, int], ...]


class Result(StrEnum):
    """What became of an anomaly."""

    HAPPENED = "happened"
    PREVENTED = "prevented"
    NOT_EXERCISED = "not exercised"


@dataclass(frozen=True, slots=True)
class Verdict:
    """`how` it was prevented ("blocked", "aborted (40001)", "snapshot"), what was seen, or why it was not
    exercised.
    """

    result: Result
    how: str


@dataclass(slots=True)
class Run:
    """What was seen of a schedule: reads by name, who committed, how sessions failed, and who had to wait for
    another, as the database itself says.

    `slow` took long without its saying so: the steps may have come in another order. `final` are the two
    rows afterwards.
    """

    reads: dict[str, Rows] = field(default_factory=dict)
    committed: set[int] = field(default_factory=set)
    failures: dict[int, Failure] = field(default_factory=dict)
    blocked: set[int] = field(default_factory=set)
    slow: set[int] = field(default_factory=set)
    final: Rows = ()


def verdict(anomaly: Anomaly, run: Run) -> Verdict:
    """What the run shows of the anomaly."""
    seen = _SEEN[anomaly](run)
    if seen:
        return Verdict(Result.HAPPENED, seen)
    if refused := _refused(run):
        return Verdict(Result.PREVENTED, refused)
    if unknown := _unfit(run) or _unmet(anomaly, run):
        return Verdict(Result.NOT_EXERCISED, unknown)
    return Verdict(Result.PREVENTED, "blocked" if run.blocked else "snapshot")


def together(verdicts: Iterable[Verdict]) -> Verdict:
    """One verdict over repeated runs: what happened once, happens."""
    found = list(verdicts)
    for result in (Result.HAPPENED, Result.PREVENTED):
        if chosen := [each for each in found if each.result is result]:
            ways = dict.fromkeys(each.how for each in chosen)
            return Verdict(result, ", ".join(ways))
    return found[0] if found else Verdict(Result.NOT_EXERCISED, "it was never run")


def _refused(run: Run) -> str:
    """How the database refused one of the transactions for the sake of the others; "" where it did not."""
    codes = [each.code or each.kind.value for each in run.failures.values() if _is_refusal(each)]
    return f"aborted ({', '.join(dict.fromkeys(codes))})" if codes else ""


def _is_refusal(failure: Failure) -> bool:
    """SQLite refuses by never giving the lock; elsewhere a lock that is waited for too long says nothing."""
    busy = failure.kind is FailureKind.LOCK_TIMEOUT and failure.code.startswith("SQLITE")
    return busy or failure.kind in {FailureKind.SERIALIZATION, FailureKind.DEADLOCK}


def _unfit(run: Run) -> str:
    """Why nothing can be said: a session failed for a reason that has nothing to do with the others."""
    if run.slow:
        return f"session {min(run.slow)} took too long, and the database does not say that it had to wait"
    return next((f"session {number} failed: {each}" for number, each in run.failures.items()), "")


def _unmet(anomaly: Anomaly, run: Run) -> str:
    """Why the sessions did not come into each other's way; "" where they did."""
    if missing := [name for name in _NEEDED.get(anomaly, ()) if name not in run.reads]:
        return f"the read '{missing[0]}' never ran"
    if anomaly in _CONFLICTS and not run.blocked:
        return "the two never met: none had to wait and none was refused"
    return ""


_CONFLICTS = frozenset({Anomaly.G0, Anomaly.P4, Anomaly.G2_ITEM, Anomaly.G2})
"""Two writers: where it did not happen, the database must have held one of them back or refused it."""

_NEEDED: Mapping[Anomaly, tuple[str, ...]] = {
    Anomaly.G1A: ("during",),
    Anomaly.G1B: ("during", "after"),
    Anomaly.G1C: ("one", "two"),
    Anomaly.OTV: ("first", "second"),
    Anomaly.PMP: ("before", "after"),
    Anomaly.P4: ("one", "two"),
    Anomaly.G_SINGLE: ("before", "after"),
    Anomaly.G2_ITEM: ("one", "two"),
    Anomaly.G2: ("one", "two"),
}
"""Reads without which nothing was exercised."""


def _values(run: Run, name: str) -> tuple[int, ...]:
    return tuple(value for _, value in run.reads.get(name, ()))


def _mixed_writes(run: Run) -> str:
    final = tuple(value for _, value in run.final)
    if {1, 2} <= run.committed and final not in {(11, 21), (12, 22)}:
        return f"both committed and left {final}, a mixture of the two"
    return ""


def _aborted_read(run: Run) -> str:
    seen = 101 in (*_values(run, "during"), *_values(run, "after"))
    return "101 was read, which was taken back and never committed" if seen else ""


def _intermediate_read(run: Run) -> str:
    return "101 was read, which was never a committed value" if 101 in _values(run, "during") else ""


def _circular(run: Run) -> str:
    both = {1, 2} <= run.committed and 22 in _values(run, "one") and 11 in _values(run, "two")
    return "each read what the other had not committed yet, and both committed" if both else ""


def _vanishing(run: Run) -> str:
    mixtures = {(11, 18), (12, 19)}
    seen = [_values(run, name) for name in ("first", "second", "third") if _values(run, name) in mixtures]
    return f"{seen[0]} was read: one row of each transaction" if seen else ""


def _phantom(run: Run) -> str:
    new = run.reads.get("before") == () and 30 in _values(run, "after")
    return "the second look found a row that the first did not" if new and {1, 2} <= run.committed else ""


def _lost_update(run: Run) -> str:
    return _both_stale(run, (10,), "both read 10, both changed it and both committed")


def _read_skew(run: Run) -> str:
    skewed = _values(run, "before") == (10,) and _values(run, "after") == (18,)
    return "10 and then 18 were read: the old first row, the new second" if skewed else ""


def _write_skew(run: Run) -> str:
    return _both_stale(run, (10, 20), "both read (10, 20), each changed the other's row and both committed")


def _write_skew_on_condition(run: Run) -> str:
    return _both_stale(run, (), "both found nothing, both added what the other looked for and both committed")


def _both_stale(run: Run, old: tuple[int, ...], said: str) -> str:
    """Both must have read the old state: with commits alone the second may simply have come later."""
    read = all(name in run.reads and _values(run, name) == old for name in ("one", "two"))
    return said if read and {1, 2} <= run.committed else ""


_SEEN: Mapping[Anomaly, Callable[[Run], str]] = {
    Anomaly.G0: _mixed_writes,
    Anomaly.G1A: _aborted_read,
    Anomaly.G1B: _intermediate_read,
    Anomaly.G1C: _circular,
    Anomaly.OTV: _vanishing,
    Anomaly.PMP: _phantom,
    Anomaly.P4: _lost_update,
    Anomaly.G_SINGLE: _read_skew,
    Anomaly.G2_ITEM: _write_skew,
    Anomaly.G2: _write_skew_on_condition,
}
"""What shows that it happened, in words; "" where it did not."""
