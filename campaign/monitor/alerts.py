"""Alerts: a series beyond a level for a time. Rules hear every reading and say when they begin and end."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from campaign.monitor.source import Reading
from campaign.units import format_quantity

MOST_KEPT = 50
"""Times of each alert that are kept with their moments; all are counted."""


class Side(StrEnum):
    """Which side of the level is the bad one."""

    ABOVE = "above"
    BELOW = "below"


class Urgency(StrEnum):
    """How loud an alert is."""

    WARNING = "warning"
    CRITICAL = "critical"


@dataclass(frozen=True, slots=True)
class AlertRule:
    """`series` on the bad `side` of `level` for `seconds` on end.

    `unit`: that of the level; "": whatever the series has. `abort`: the campaign ends there.
    """

    name: str
    series: str
    side: Side
    level: float
    unit: str = ""
    seconds: float = 0.0
    urgency: Urgency = Urgency.WARNING
    abort: bool = False

    def __str__(self) -> str:
        """The rule as people say it: `target.memory above 500 MiB for 30 s`."""
        lasting = f" for {format_quantity(self.seconds, 's')}" if self.seconds else ""
        return f"{self.series} {self.side} {self.said(self.level, self.unit)}{lasting}"

    def said(self, value: float, unit: str) -> str:
        """A value with its unit, where it has one."""
        return format_quantity(value, unit) if unit else f"{value:g}"

    def is_met(self, value: float) -> bool:
        """Whether a value is beyond the level."""
        return value > self.level if self.side is Side.ABOVE else value < self.level

    def worse(self, one: float, other: float) -> float:
        """The one that is further beyond the level."""
        return max(one, other) if self.side is Side.ABOVE else min(one, other)


@dataclass(slots=True)
class _Time:
    """One time that the level was passed: from, until (None: still), the worst value."""

    began: float
    worst: float
    until: float | None = None
    raised: bool = False


@dataclass(frozen=True, slots=True)
class Change:
    """An alert that has just begun, or (`over`) ended; `text` says it."""

    rule: AlertRule
    over: bool
    text: str


@dataclass(slots=True)
class _Watched:
    """A rule, and what was heard of its series."""

    rule: AlertRule
    unit: str = ""
    readings: int = 0
    raised: int = 0
    kept: list[_Time] = field(default_factory=list)
    now: _Time | None = None

    def hear(self, at: float, value: float, unit: str) -> Change | None:
        rule = self.rule
        self.readings += 1
        self.unit = unit
        if not rule.is_met(value):
            return self._end(at, value)
        if self.now is None:
            self.now = _Time(at, value)
        self.now.worst = rule.worse(self.now.worst, value)
        if self.now.raised or at - self.now.began < rule.seconds:
            return None
        self.now.raised = True
        self.raised += 1
        if len(self.kept) < MOST_KEPT:
            self.kept.append(self.now)
        return Change(rule, over=False, text=f"{rule.name}: {rule} ({rule.said(value, unit)})")

    def lose(self) -> None:
        """Nothing was read: what had not lasted long enough yet begins anew, as nobody knows what was
        between.
        """
        if self.now is not None and not self.now.raised:
            self.now = None

    def _end(self, at: float, value: float) -> Change | None:
        ended, self.now = self.now, None
        if ended is None or not ended.raised:
            return None
        ended.until = at
        lasted = format_quantity(at - ended.began, "s")
        worst, now = (self.rule.said(each, self.unit) for each in (ended.worst, value))
        text = f"{self.rule.name} is over after {lasted}: {self.rule.series} was {worst}, is {now}"
        return Change(self.rule, over=True, text=text)

    def plain(self) -> dict[str, Any]:
        times = [{"began": each.began, "until": each.until, "worst": each.worst} for each in self.kept]
        return {
            "name": self.rule.name,
            "rule": str(self.rule),
            "series": self.rule.series,
            "unit": self.unit,
            "severity": self.rule.urgency.value,
            "readings": self.readings,
            "raised": self.raised,
            "times": times,
        }


class Alerts:
    """All rules of a campaign, told each reading as it comes."""

    def __init__(self, rules: Iterable[AlertRule]) -> None:
        self._watched = [_Watched(rule) for rule in rules]
        self._unfit: dict[str, str] = {}

    def hear(self, at: float, reading: Reading) -> Iterator[Change]:
        """What changed with this reading, made `at` so many seconds after the beginning.

        A value that is missing neither raises nor ends anything.
        """
        for each in self._watched:
            if each.rule.series not in reading:
                continue
            value, unit = reading[each.rule.series]
            if each.rule.unit and each.rule.unit != unit:
                self._unfit[each.rule.name] = unit
            elif value is None:
                each.lose()
            elif (change := each.hear(at, value, unit)) is not None:
                yield change

    def plain(self) -> list[dict[str, Any]]:
        """What came of every rule, as plain data."""
        return [each.plain() for each in self._watched]

    def unjudged(self) -> Iterator[str]:
        """A sentence for each rule whose series was never seen, or is in another unit than its level."""
        for each in self._watched:
            rule = each.rule
            if rule.name in self._unfit:
                yield (
                    f"The alert {rule.name} was never judged: {rule.series} is in "
                    f"{self._unfit[rule.name]!r}, its level in {rule.unit!r}."
                )
            elif not each.readings:
                yield f"The alert {rule.name} was never judged: nothing was read of {rule.series}."
