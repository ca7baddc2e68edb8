"""How many connections a load needs: by Little's law, by what was seen, and what we would recommend. Pure.

Little's law (Little, Operations Research 9, 1961): the mean number in a system is the rate of arrivals
times the mean time that each stays. That many connections are busy on average; with no more than those the
queue grows without end, and how many more are needed is seen where the waits fall: the knee.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

MOST_LAG = 0.05
"""Seconds by which our own sends may be late (p99); a step with more proves nothing."""

HEAD_ROOM = 4 / 3
"""How much more than the knee we recommend: a rate that is a third higher still finds connections."""


@dataclass(frozen=True, slots=True)
class Advice:
    """`busy` connections by Little's law, from `hold` seconds per query; `knee` is the smallest size that
    kept its p99 wait within `limit` seconds, `before` the next smaller one that was tried; `recommended`
    has head room. None: not found.
    """

    rate: float
    limit: float
    hold: float | None
    busy: float | None
    knee: int | None
    knee_wait: float | None
    before: int | None
    before_wait: float | None
    recommended: int | None

    def plain(self) -> dict[str, Any]:
        """As JSON data."""
        return asdict(self)


def advise(rows: Sequence[dict[str, Any]], *, rate: float, limit: float) -> Advice:
    """What follows from the rows of a sweep (`steps.row_of`) at this rate."""
    sound = sorted((row for row in rows if is_sound(row) and answers(row)), key=lambda row: int(row["size"]))
    at = next((index for index, row in enumerate(sound) if _is_enough(row, limit)), None)
    knee = None if at is None else sound[at]
    before = sound[at - 1] if at else None
    if at is None and sound:
        before = sound[-1]
    hold = knee["hold"] if knee else min((row["hold"] for row in sound if row["hold"]), default=None)
    busy = None if hold is None else rate * hold
    return Advice(
        rate=rate,
        limit=limit,
        hold=hold,
        busy=busy,
        knee=knee["size"] if knee else None,
        knee_wait=knee["wait"]["p99"] if knee else None,
        before=before["size"] if before else None,
        before_wait=before["wait"]["p99"] if before else None,
        recommended=_with_head_room(knee["size"], busy or 0.0) if knee else None,
    )


def is_sound(row: Mapping[str, Any]) -> bool:
    """Whether we kept time ourselves in that step, and it was not cut off."""
    lag = row.get("lag_p99")
    return lag is not None and lag <= MOST_LAG and not row.get("cut")


def answers(row: Mapping[str, Any]) -> bool:
    """Whether no query of that step failed: what fails at once frees its connection, and no pool is too small
    for it.
    """
    return not row.get("errors")


def _is_enough(row: dict[str, Any], limit: float) -> bool:
    wait = row["wait"]["high"] or row["wait"]["p99"]
    return not row["timeouts"] and wait is not None and wait <= limit


def _with_head_room(knee: int, busy: float) -> int:
    return max(knee + 1, math.ceil(knee * HEAD_ROOM), math.ceil(busy * HEAD_ROOM))
