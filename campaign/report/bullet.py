"""A finding as a bullet graph: where the value lies among the zones of its limit, as shares of the width."""

from __future__ import annotations

from dataclasses import dataclass

from campaign.records import Direction, Finding, Limit


@dataclass(frozen=True, slots=True)
class Bullet:
    """Places along the axis, 0..1 from left to right.

    `target` and `acceptable` bound the zones; `rising` says that the good side is the left one. `beyond` is
    -1 or 1 where the value lies off the axis on that side.
    """

    target: float
    acceptable: float
    rising: bool
    value: float
    low: float
    high: float
    beyond: int


def bullet(finding: Finding) -> Bullet | None:
    """The graph of a finding; None where there is nothing to draw."""
    measured, limit = finding.measured, finding.limit
    if limit is None or measured is None or measured.value is None:
        return None
    start, end = _axis(measured.value, limit)
    value = (measured.value - start) / (end - start)

    def place(number: float | None, *, otherwise: float) -> float:
        return otherwise if number is None else _clamped((number - start) / (end - start))

    return Bullet(
        target=place(limit.target, otherwise=0.0),
        acceptable=place(limit.acceptable, otherwise=0.0),
        rising=limit.direction is Direction.AT_MOST,
        value=_clamped(value),
        low=place(measured.low, otherwise=0.0),
        high=place(measured.high, otherwise=1.0),
        beyond=-1 if value < 0 else 1 if value > 1 else 0,
    )


def _axis(value: float, limit: Limit) -> tuple[float, float]:
    """Both ends of the limit and, within reason, the value, with room on either side."""
    if limit.direction is Direction.AT_MOST:
        reach = limit.acceptable * 1.4
        return 0.0, max(reach, min(value * 1.1, reach * 2) if reach else value * 1.25) or 1.0
    if limit.unit == "share":
        room = max(1 - limit.acceptable, 0.01)
        return max(0.0, limit.acceptable - 3 * room, min(limit.acceptable - room, value - room / 2)), 1.0
    return 0.0, max(limit.target, value) * 1.2 or 1.0


def _clamped(share: float) -> float:
    return min(1.0, max(0.0, share))
