"""The ten anomalies in plain words, and which of them a requirement forbids."""

from __future__ import annotations

from collections.abc import Mapping

ANOMALIES: Mapping[str, str] = {
    "G0": "two families' changes are mixed: half of the one, half of the other stays",
    "G1a": "a change is seen that was then taken back",
    "G1b": "a half-finished change is seen",
    "G1c": "two changes each see the other's, as if each had been first",
    "OTV": "a finished change is seen in one row and not in the next",
    "PMP": "the same search gives another answer a moment later",
    "P4": "of two changes to one profile the first is lost without a word",
    "G-single": "a report mixes rows from before and after a change",
    "G2-item": "two rules-checked changes to two rows together break the rule (write skew)",
    "G2": "two checked that a thing is not there, and both made it (write skew on a search)",
}
"""Names as in Adya's and Hermitage's tables, and what a child or parent would notice."""

_COMMITTED = ("G0", "G1a", "G1b", "G1c")
_SNAPSHOT = (*_COMMITTED, "OTV", "PMP", "P4", "G-single")
_FORBIDDEN = {
    "serializable": tuple(ANOMALIES),
    "repeatable read": _SNAPSHOT,
    "read committed": _COMMITTED,
    "no lost update": ("P4",),
}
REQUIREMENTS = tuple(_FORBIDDEN)


def forbidden(require: str | tuple[str, ...]) -> tuple[str, ...]:
    """The anomalies that a requirement forbids; "" forbids none."""
    return _FORBIDDEN.get(require, ()) if isinstance(require, str) else require
