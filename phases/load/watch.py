"""What is followed second by second while a scenario runs: limits over time, rules to abort, error spikes."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

from campaign.load.outcome import Second
from campaign.load.spec import ScenarioSpec
from campaign.records import Measurement
from campaign.units import format_quantity
from phases.load.aborts import Aborted, AbortRule
from phases.load.limits import PlannedLimit
from phases.load.samples import Seen, in_second, merged
from phases.load.spikes import ErrorCounts
from phases.load.subjects import Subjects
from phases.load.sustained import Sustained, Trace

NEARLY = 0.05
"""Seconds by which a second may lie outside the judged part and still count as a whole one of it."""


@dataclass(frozen=True, slots=True)
class _Window:
    """A limit over seconds on end, and what was seen of its figure so far."""

    planned: PlannedLimit
    trace: Trace


@dataclass(frozen=True, slots=True)
class _Alarm:
    """A rule to abort, and what was seen of its figure so far."""

    rule: AbortRule
    trace: Trace


class Watch:
    """One scenario under observation; `see` every second of it, in order.

    A request counts in the second in which its answer came. Limits and spikes look at the whole seconds of
    the judged part, rules to abort at all until the scenario's end.
    """

    def __init__(
        self, spec: ScenarioSpec, subjects: Subjects, *,
        limits: Iterable[PlannedLimit], rules: Iterable[AbortRule],
    ) -> None:  # fmt: skip
        self.aborted: Aborted | None = None
        self._subjects = subjects
        begins, ends = spec.judged
        self._begins, self._ends = math.ceil(begins - NEARLY), math.floor(ends + NEARLY)
        self._over = spec.seconds
        self._counts = ErrorCounts()
        self._windows = [
            _Window(each, self._trace_limit(each)) for each in limits if each.graded.seconds_on_end
        ]
        self._alarms = [_Alarm(rule, _trace_rule(rule)) for rule in rules]

    def see(self, second: Second) -> None:
        """Take in a second; afterwards `aborted` says whether the scenario is to be stopped."""
        at = round(second.at)
        seen = in_second(second) if self._windows or self._alarms else None
        if self._begins <= at < self._ends:
            everything = merged(second.tallies.values()) if seen is None else seen.everything.tally
            self._counts.add(at, asked=everything.asked, failed=everything.failed)
            for window in self._windows:
                _follow(window.trace, at, seen, subject=window.planned.subject, subjects=self._subjects)
        if at < self._over and self.aborted is None:
            self._look_for_abort(at, seen)

    def _look_for_abort(self, at: int, seen: Seen | None) -> None:
        for alarm in self._alarms:
            if at >= alarm.rule.after:
                _follow(alarm.trace, at, seen, subject=alarm.rule.of, subjects=self._subjects)
                if alarm.trace.sustained.missed:
                    self.aborted = Aborted(_reason(alarm), float(at + 1), alarm.rule.metric.name)
                    return

    def _trace_limit(self, planned: PlannedLimit) -> Trace:
        sustained = Sustained(planned.graded.seconds_on_end, planned.graded.limit)
        return Trace(planned.metric, sustained, begins=self._begins)

    def measurements(self, scenario: str) -> Iterator[Measurement]:
        """The figure of every limit over time, and the error rate within a spike (0 where there is none)."""
        for window in self._windows:
            value = window.trace.sustained.value
            yield Measurement.exact(window.planned.name, value, unit=window.planned.metric.unit)
        if self._counts.asked:
            spike = self._counts.spike()
            rate = spike.error_rate if spike else 0.0
            name = f"{scenario}.all.error_spike"
            yield Measurement.exact(name, rate, unit="share", count=self._counts.asked)

    def facts(self) -> dict[str, Any]:
        """The same as plain data for the judge and the page."""
        stretches = ((each.planned.name, each.trace.sustained.longest) for each in self._windows)
        return {
            "windows": {name: asdict(stretch) for name, stretch in stretches if stretch},
            "errors_over_time": self._errors_over_time(),
            "aborted": asdict(self.aborted) if self.aborted else None,
        }

    def _errors_over_time(self) -> dict[str, Any]:
        spike = self._counts.spike()
        told = {**asdict(spike), "error_rate": spike.error_rate} if spike else None
        return {"asked": self._counts.asked, "failed": self._counts.failed, "spike": told}


def _trace_rule(rule: AbortRule) -> Trace:
    return Trace(rule.metric, Sustained(round(rule.on_end), rule.bound), begins=math.ceil(rule.after))


def _follow(trace: Trace, at: int, seen: Seen | None, *, subject: str, subjects: Subjects) -> None:
    if seen is not None:
        trace.see(at, seen.of(subject, subjects))


def _reason(alarm: _Alarm) -> str:
    worst = alarm.trace.sustained.longest
    if worst is None:
        return alarm.rule.title
    unit = alarm.rule.metric.unit
    seconds = f"{worst.began} s to {worst.ended} s after it began"
    return f"{alarm.rule.title} ({seconds}, at worst {format_quantity(worst.worst, unit)})"
