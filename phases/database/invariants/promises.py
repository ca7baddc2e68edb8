"""Which anomalies an isolation level forbids, by product, in the terms of a list-append history. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum


class Anomaly(StrEnum):
    """What a history can show (Adya's names for cycles; Elle, VLDB 2020, for the rest)."""

    G0 = "G0"
    G1A = "G1a"
    G1B = "G1b"
    G1C = "G1c"
    G_SINGLE = "G-single"
    G2_ITEM = "G2-item"
    LOST = "lost append"
    DUPLICATE = "duplicate"
    INCOMPATIBLE = "incompatible order"
    PHANTOM = "unexpected value"
    INTERNAL = "own append unseen"


TITLES = {
    Anomaly.G0: "a cycle of writes (G0)",
    Anomaly.G1A: "an aborted append was read (G1a)",
    Anomaly.G1B: "an append was read in the middle of its transaction (G1b)",
    Anomaly.G1C: "a cycle of writes and reads of them (G1c)",
    Anomaly.G_SINGLE: "a cycle with one stale read (G-single)",
    Anomaly.G2_ITEM: "a cycle with several stale reads (G2-item)",
    Anomaly.LOST: "an acknowledged append is not there",
    Anomaly.DUPLICATE: "an append is there twice",
    Anomaly.INCOMPATIBLE: "two reads disagree on the order of appends",
    Anomaly.PHANTOM: "a value was read that nobody had appended",
    Anomaly.INTERNAL: "a transaction did not see its own append",
}

ALWAYS = frozenset({Anomaly.G0, Anomaly.LOST, Anomaly.DUPLICATE, Anomaly.PHANTOM, Anomaly.INTERNAL})
"""What no level allows: each append is one statement, done under a lock on its row."""

COMMITTED = ALWAYS | {Anomaly.G1A, Anomaly.G1B, Anomaly.G1C, Anomaly.INCOMPATIBLE}
SNAPSHOT = COMMITTED | {Anomaly.G_SINGLE}
SERIALIZABLE = SNAPSHOT | {Anomaly.G2_ITEM}

_POSTGRESQL = {
    "READ UNCOMMITTED": COMMITTED,
    "READ COMMITTED": COMMITTED,
    "REPEATABLE READ": SNAPSHOT,
    "SERIALIZABLE": SERIALIZABLE,
}
_MYSQL = {
    "READ UNCOMMITTED": ALWAYS,
    "READ COMMITTED": COMMITTED,
    "REPEATABLE READ": COMMITTED,
    "SERIALIZABLE": SERIALIZABLE,
}
_REQUIRED = {
    "read committed": COMMITTED,
    "snapshot": SNAPSHOT,
    "repeatable read": SNAPSHOT,
    "serializable": SERIALIZABLE,
    "write skew": frozenset({Anomaly.G2_ITEM}),
    "g2": frozenset({Anomaly.G2_ITEM}),
    **{each.value.lower(): frozenset({each}) for each in Anomaly},
}
"""What a word of a requirement forbids: a level's name, or an anomaly's."""


def promised(product: str, level: str, *, snapshot: bool = False) -> frozenset[Anomaly]:
    """What the level forbids. MariaDB's and MySQL's repeatable read writes beside its own snapshot, unless
    MariaDB's `innodb_snapshot_isolation` (`snapshot`) is on.
    """
    name = level.upper().replace("_", " ").replace("-", " ")
    if product == "SQLite":
        return SERIALIZABLE
    if product == "PostgreSQL":
        return _POSTGRESQL.get(name, COMMITTED)
    if snapshot and name == "REPEATABLE READ":
        return SNAPSHOT
    return _MYSQL.get(name, ALWAYS)


def required(words: Iterable[str]) -> frozenset[Anomaly]:
    """What a service relies on not to see, by names of levels and of anomalies.

    Other words mean nothing here: no append of ours writes back what was read, so none can be lost that way.
    """
    plain = (each.lower().replace("_", " ").removeprefix("no ") for each in words)
    return frozenset().union(*(_REQUIRED.get(each, frozenset()) for each in plain))


def one_snapshot(product: str, level: str) -> bool:
    """Whether all statements of a reading transaction see the same moment."""
    name = level.upper().replace("_", " ").replace("-", " ")
    return product == "SQLite" or name in {"REPEATABLE READ", "SERIALIZABLE"}


def statement_snapshot(product: str, level: str) -> bool:
    """Whether one statement sees one moment: everywhere but where uncommitted writes are read."""
    return product in {"PostgreSQL", "SQLite"} or level.upper().replace("_", " ") != "READ UNCOMMITTED"
