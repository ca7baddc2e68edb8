"""The schedules, as data: who does what in which order, and what would prove the anomaly.

After Hermitage (Martin Kleppmann), on a table of (id, value) that holds (1, 10) and (2, 20).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from phases.database.isolation.trace import Ruling, Trace, rule

COMMIT, ROLLBACK = "COMMIT", "ROLLBACK"
_READ = "SELECT value FROM {table} WHERE id = "
_THIRDS = "SELECT value FROM {table} WHERE value % 3 = 0"
_BOTH = "SELECT value FROM {table} WHERE id IN (1, 2) ORDER BY id"
_TWENTY = "SELECT id FROM {table} WHERE value = 20 AND id < 100"


@dataclass(frozen=True, slots=True)
class Step:
    """One statement of one session; `label` is its name in the trace."""

    label: str
    session: int
    sql: str


@dataclass(frozen=True, slots=True)
class Schedule:
    """Steps in their order. `needs` must have run for the conflict to exist; `happened` reads the trace.
    `writing` marks the form of an anomaly whose second look is a write.
    """

    anomaly: str
    steps: tuple[Step, ...]
    needs: tuple[str, ...]
    happened: Callable[[Trace], bool]
    writing: bool = False

    def ruling(self, trace: Trace) -> Ruling:
        """What a trace of this schedule proves."""
        return rule(trace, happened=self.happened(trace), needs=self.needs, steps=len(self.steps))


def _steps(*lines: tuple[str, str]) -> tuple[Step, ...]:
    """Steps from (label, SQL); the label's second character is the session."""
    return tuple(Step(label, int(label[1]), sql) for label, sql in lines)


def _set(row: int, value: int) -> str:
    return f"UPDATE {{table}} SET value = {value} WHERE id = {row}"  # noqa: S608 - our own table


def _insert(row: int, value: int) -> str:
    return f"INSERT INTO {{table}} (id, value) VALUES ({row}, {value})"  # noqa: S608


def _both_old(trace: Trace, label: str) -> bool:
    return trace.ran(label) and [row[0] for row in trace.outcomes[label].rows] == [10, 20]


def _g0(trace: Trace) -> bool:
    pair = (trace.final.get(1), trace.final.get(2))
    return trace.ran("c1", "c2") and pair not in {(11, 21), (12, 22)}


def _vanished(trace: Trace) -> bool:
    torn = {(11, 18), (12, 19)}
    return any((trace.value("r3"), trace.value(later)) in torn for later in ("r3b", "r3c"))


def _deleted_another(trace: Trace) -> bool:
    """Row 2 was found, so this transaction is before the other, and 1 = 20 should be what is left."""
    return trace.value("r2") == 2 and trace.ran("c1", "c2") and trace.final != {1: 20}


SCHEDULES: tuple[Schedule, ...] = (
    Schedule(
        "G0",
        _steps(("u1", _set(1, 11)), ("u2", _set(1, 12)), ("u1b", _set(2, 21)), ("c1", COMMIT),
               ("u2b", _set(2, 22)), ("c2", COMMIT)),
        ("u1", "u2"),
        _g0,
    ),
    Schedule(
        "G1a",
        _steps(("u1", _set(1, 101)), ("r2", _READ + "1"), ("a1", ROLLBACK), ("r2b", _READ + "1"),
               ("c2", COMMIT)),
        ("u1", "r2"),
        lambda t: 101 in (t.value("r2"), t.value("r2b")),
    ),
    Schedule(
        "G1b",
        _steps(("u1", _set(1, 101)), ("r2", _READ + "1"), ("u1b", _set(1, 11)), ("c1", COMMIT),
               ("r2b", _READ + "1"), ("c2", COMMIT)),
        ("u1", "r2"),
        lambda t: 101 in (t.value("r2"), t.value("r2b")),
    ),
    Schedule(
        "G1c",
        _steps(("u1", _set(1, 11)), ("u2", _set(2, 22)), ("r1", _READ + "2"), ("r2", _READ + "1"),
               ("c1", COMMIT), ("c2", COMMIT)),
        ("u1", "u2", "r1", "r2"),
        lambda t: t.value("r1") == 22 and t.value("r2") == 11 and t.ran("c1", "c2"),
    ),
    Schedule(
        "OTV",
        _steps(("u1", _set(1, 11)), ("u1b", _set(2, 19)), ("u2", _set(1, 12)), ("c1", COMMIT),
               ("r3", _READ + "1"), ("r3b", _READ + "2"), ("u2b", _set(2, 18)), ("r3c", _READ + "2"),
               ("c2", COMMIT), ("c3", COMMIT)),
        ("u1b", "u2", "r3", "r3b"),
        _vanished,
    ),
    Schedule(
        "PMP",
        _steps(("r1", "SELECT value FROM {table} WHERE value = 30"), ("i2", _insert(3, 30)), ("c2", COMMIT),
               ("r1b", _THIRDS), ("c1", COMMIT)),
        ("r1", "i2", "r1b"),
        lambda t: t.empty("r1") and t.value("r1b") == 30,
    ),
    Schedule(
        "PMP",
        _steps(("u1", "UPDATE {table} SET value = value + 10 WHERE id < 100"), ("r2", _TWENTY),
               ("d2", "DELETE FROM {table} WHERE value = 20 AND id < 100"), ("c1", COMMIT), ("c2", COMMIT)),
        ("u1", "r2"),
        _deleted_another,
        writing=True,
    ),
    Schedule(
        "P4",
        _steps(("r1", _READ + "1"), ("r2", _READ + "1"), ("u1", _set(1, 11)), ("u2", _set(1, 12)),
               ("c1", COMMIT), ("c2", COMMIT)),
        ("r1", "r2"),
        lambda t: t.value("r1") == t.value("r2") == 10 and t.changed("u1", "u2") and t.ran("c1", "c2"),
    ),
    Schedule(
        "G-single",
        _steps(("r1", _READ + "1"), ("u2", _set(1, 12)), ("u2b", _set(2, 18)), ("c2", COMMIT),
               ("r1b", _READ + "2"), ("c1", COMMIT)),
        ("r1", "u2", "r1b"),
        lambda t: t.value("r1") == 10 and t.value("r1b") == 18,
    ),
    Schedule(
        "G-single",
        _steps(("r1", _READ + "1"), ("u2", _set(1, 12)), ("u2b", _set(2, 18)), ("c2", COMMIT),
               ("d1", "DELETE FROM {table} WHERE value = 20 AND id < 100"), ("c1", COMMIT)),
        ("r1", "u2"),
        lambda t: t.value("r1") == 10 and t.ran("d1", "c1", "c2") and t.outcomes["d1"].count == 0,
        writing=True,
    ),
    Schedule(
        "G2-item",
        _steps(("r1", _BOTH), ("r2", _BOTH), ("u1", _set(1, 11)), ("u2", _set(2, 21)), ("c1", COMMIT),
               ("c2", COMMIT)),
        ("r1", "r2"),
        lambda t: _both_old(t, "r1") and _both_old(t, "r2") and t.changed("u1", "u2") and t.ran("c1", "c2"),
    ),
    Schedule(
        "G2",
        _steps(("r1", _THIRDS), ("r2", _THIRDS), ("i1", _insert(3, 30)), ("i2", _insert(4, 42)),
               ("c1", COMMIT), ("c2", COMMIT)),
        ("r1", "r2"),
        lambda t: t.empty("r1") and t.empty("r2") and t.changed("i1", "i2") and t.ran("c1", "c2"),
    ),
)  # fmt: skip
