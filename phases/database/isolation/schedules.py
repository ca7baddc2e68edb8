"""The ten schedules as data: which session does what, in which order, on the rows (1, 10) and (2, 20).

After Hermitage (Martin Kleppmann, 2014).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from phases.database.isolation.anomalies import Anomaly

COMMIT = "commit"
ABORT = "abort"


class Query(StrEnum):
    """What is read; `{table}` is filled in."""

    BOTH = "SELECT id, value FROM {table} WHERE id IN (1, 2) ORDER BY id"
    FIRST = "SELECT id, value FROM {table} WHERE id = 1"
    SECOND = "SELECT id, value FROM {table} WHERE id = 2"
    THIRTY = "SELECT id, value FROM {table} WHERE value = 30 AND id < 100"
    THREES = "SELECT id, value FROM {table} WHERE MOD(value, 3) = 0 AND id < 100"


@dataclass(frozen=True, slots=True)
class Step:
    """One statement of one session (from 1); a read is kept under `read`. COMMIT and ABORT end it."""

    session: int
    sql: str
    read: str = ""


@dataclass(frozen=True, slots=True)
class Schedule:
    """The steps that would show an anomaly."""

    anomaly: Anomaly
    steps: tuple[Step, ...]

    @property
    def sessions(self) -> tuple[int, ...]:
        """The numbers of its sessions."""
        return tuple(sorted({each.session for each in self.steps}))


def _set(session: int, row: int, value: int) -> Step:
    return Step(session, f"UPDATE {{table}} SET value = {value} WHERE id = {row}")  # noqa: S608 - ours


def _add(session: int, row: int, value: int) -> Step:
    return Step(session, f"INSERT INTO {{table}} (id, value) VALUES ({row}, {value})")  # noqa: S608 - ours


def _see(session: int, query: Query, name: str) -> Step:
    return Step(session, query.value, name)


def _end(*sessions: int) -> Iterator[Step]:
    return (Step(each, COMMIT) for each in sessions)


SCHEDULES: tuple[Schedule, ...] = (
    Schedule(
        Anomaly.G0,
        (_set(1, 1, 11), _set(2, 1, 12), _set(1, 2, 21), *_end(1), _set(2, 2, 22), *_end(2)),
    ),
    Schedule(
        Anomaly.G1A,
        (
            _set(1, 1, 101), _see(2, Query.FIRST, "during"), Step(1, ABORT), _see(2, Query.FIRST, "after"),
            *_end(2),
        ),
    ),
    Schedule(
        Anomaly.G1B,
        (
            _set(1, 1, 101), _see(2, Query.FIRST, "during"), _set(1, 1, 11), *_end(1),
            _see(2, Query.FIRST, "after"), *_end(2),
        ),
    ),
    Schedule(
        Anomaly.G1C,
        (
            _set(1, 1, 11), _set(2, 2, 22), _see(1, Query.SECOND, "one"), _see(2, Query.FIRST, "two"),
            *_end(1, 2),
        ),
    ),
    Schedule(
        Anomaly.OTV,
        (
            _set(1, 1, 11), _set(1, 2, 19), _set(2, 1, 12), *_end(1), _see(3, Query.BOTH, "first"),
            _set(2, 2, 18), _see(3, Query.BOTH, "second"), *_end(2), _see(3, Query.BOTH, "third"), *_end(3),
        ),
    ),
    Schedule(
        Anomaly.PMP,
        (
            _see(1, Query.THIRTY, "before"), _add(2, 3, 30), *_end(2), _see(1, Query.THREES, "after"),
            *_end(1),
        ),
    ),
    Schedule(
        Anomaly.P4,
        (
            _see(1, Query.FIRST, "one"), _see(2, Query.FIRST, "two"), _set(1, 1, 11), _set(2, 1, 12),
            *_end(1, 2),
        ),
    ),
    Schedule(
        Anomaly.G_SINGLE,
        (
            _see(1, Query.FIRST, "before"), _see(2, Query.BOTH, "other"), _set(2, 1, 12), _set(2, 2, 18),
            *_end(2), _see(1, Query.SECOND, "after"), *_end(1),
        ),
    ),
    Schedule(
        Anomaly.G2_ITEM,
        (
            _see(1, Query.BOTH, "one"), _see(2, Query.BOTH, "two"), _set(1, 1, 11), _set(2, 2, 21),
            *_end(1, 2),
        ),
    ),
    Schedule(
        Anomaly.G2,
        (
            _see(1, Query.THREES, "one"), _see(2, Query.THREES, "two"), _add(1, 3, 30), _add(2, 4, 42),
            *_end(1, 2),
        ),
    ),
)  # fmt: skip
