"""The ten isolation anomalies, by the names of Adya (1999) and Hermitage (Kleppmann), and in plain words."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class Anomaly(StrEnum):
    """What concurrent transactions may do to each other."""

    G0 = "G0"
    G1A = "G1a"
    G1B = "G1b"
    G1C = "G1c"
    OTV = "OTV"
    PMP = "PMP"
    P4 = "P4"
    G_SINGLE = "G-single"
    G2_ITEM = "G2-item"
    G2 = "G2"


TITLES: Mapping[Anomaly, str] = {
    Anomaly.G0: "dirty write",
    Anomaly.G1A: "aborted read",
    Anomaly.G1B: "intermediate read",
    Anomaly.G1C: "circular information flow",
    Anomaly.OTV: "observed transaction vanishes",
    Anomaly.PMP: "phantom read",
    Anomaly.P4: "lost update",
    Anomaly.G_SINGLE: "read skew",
    Anomaly.G2_ITEM: "write skew on rows",
    Anomaly.G2: "write skew on a condition",
}

WORDS: Mapping[Anomaly, str] = {
    Anomaly.G0: "two changes of one profile are mixed: the name of one, the age of the other",
    Anomaly.G1A: "something is shown that was taken back and never happened",
    Anomaly.G1B: "a half-finished change is shown",
    Anomaly.G1C: "two changes each build on the other, so neither came first",
    Anomaly.OTV: "a finished change is seen in one row and not in the next",
    Anomaly.PMP: "a search that is repeated in one piece of work finds new entries",
    Anomaly.P4: "two parents edit one profile at once and the first change is silently lost",
    Anomaly.G_SINGLE: "a report mixes what was before and what was after a change",
    Anomaly.G2_ITEM: "consent is revoked while a message is stored: each looked at the other's old state",
    Anomaly.G2: "two bookings each find the last place free, and both take it",
}

READ_COMMITTED = frozenset({Anomaly.G0, Anomaly.G1A, Anomaly.G1B, Anomaly.G1C})
REPEATABLE_READ = READ_COMMITTED | {Anomaly.OTV, Anomaly.PMP, Anomaly.P4, Anomaly.G_SINGLE}
ALL = frozenset(Anomaly)

FORBIDDEN: Mapping[str, frozenset[Anomaly]] = {
    "read committed": READ_COMMITTED,
    "repeatable read": REPEATABLE_READ,
    "serializable": ALL,
    "no lost update": frozenset({Anomaly.P4}),
    "no write skew": frozenset({Anomaly.G2_ITEM, Anomaly.G2}),
    **{each.value: frozenset({each}) for each in Anomaly},
}
"""What a requirement of the campaign file forbids. "repeatable read" is meant as snapshot isolation, as
PostgreSQL gives it: lost updates are forbidden, write skew is not.
"""
