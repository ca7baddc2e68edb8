"""Puts together what the workers of one scenario report, second by second and as a whole.

Percentiles are computed after the merge, from the summed histograms. What a lost worker had reported stays.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from campaign.clock import SECOND
from campaign.load.faillog import Key, merge_into, most_frequent_first
from campaign.load.messages import Interval
from campaign.load.silence import Silences, Stalls
from campaign.load.spec import ErrorGroup, GeneratorHealth, LoadOutcome, LoadPlan, Second, Stage, Tally
from campaign.load.timeline import Timeline
from campaign.stats.histogram import Histogram

SHORTEST_SECOND = 0.2
"""Seconds; a shorter last part of a scenario is no point of the chart, as its rate would mean nothing."""

MICROSECOND = 1e-6

FOREVER = 2**63
"""Clock nanoseconds that no run reaches."""


@dataclass(slots=True)
class WorkerRecord:
    """What one worker has reported so far; `done` when it will not report again."""

    intervals: int = 0
    done: bool = False
    ended_ns: int = 0
    schedule_lags: Histogram = field(default_factory=Histogram)
    loop_lags: Histogram = field(default_factory=Histogram)
    cpu: float = 0.0

    def add(self, interval: Interval) -> None:
        """Take in an interval."""
        self.intervals = interval.sequence + 1
        self.ended_ns = interval.ended_ns
        self.schedule_lags.merge(interval.schedule_lags)
        self.loop_lags.merge(interval.loop_lags)
        self.cpu = interval.cpu


@dataclass(slots=True)
class OpenSecond:
    """A second that not all workers have reported yet."""

    responses: Histogram = field(default_factory=Histogram)
    asked: int = 0
    answered: int = 0
    failed: int = 0
    users: int = 0
    waiting: int = 0
    seconds: float = 0.0

    def add(self, interval: Interval) -> None:
        """Take in one worker's part."""
        self.users += interval.users
        self.waiting += interval.waiting
        self.seconds = max(self.seconds, (interval.ended_ns - interval.began_ns) / SECOND)
        for tally in interval.tallies.values():
            self.responses.merge(tally.response)
            self.asked += tally.asked
            self.answered += tally.answered
            self.failed += tally.failed

    def close(self, at: float) -> Second:
        """The finished second."""
        return Second(
            at=at,
            rate=self.answered / self.seconds,
            p50=_seconds(self.responses, 0.5),
            p95=_seconds(self.responses, 0.95),
            error_rate=self.failed / self.asked if self.asked else None,
            users=self.users,
            waiting=self.waiting,
        )


class Merge:
    """The growing result of one scenario."""

    def __init__(self, plan: LoadPlan, start_ns: int, *, on_second: Callable[[Second], None]) -> None:
        self._plan = plan
        self._timeline = Timeline.of(plan.scenario, start_ns)
        self._on_second = on_second
        self._workers = [WorkerRecord(ended_ns=start_ns) for _ in range(plan.workers)]
        hold = (self._timeline.hold_begins, self._timeline.hold_ends)
        self._stalls = Stalls(plan.workers, hold)
        self._open: dict[int, OpenSecond] = {}
        self._tallies: dict[tuple[str, Stage], Tally] = {}
        self._errors: dict[Key, ErrorGroup] = {}
        self._worked_ns = 0
        self._reconnects = 0
        self._losses: list[str] = []

    def add(self, worker: int, interval: Interval, *, last: bool = False) -> None:
        """Take in what worker number `worker` saw in one second; the last time its users have all left."""
        record = self._workers[worker]
        record.add(interval)
        self._stalls.add(worker, interval.silences)
        if last:
            self._leave(worker)
        self._open.setdefault(interval.sequence, OpenSecond()).add(interval)
        self._worked_ns += interval.worked_ns
        self._reconnects += interval.reconnects
        merge_into(self._errors, interval.errors)
        for key, tally in interval.tallies.items():
            self._tallies.setdefault(key, Tally(Histogram(), Histogram())).merge(tally)
        self._close_seconds()

    def lose(self, worker: int, reason: str) -> None:
        """Worker number `worker` ended before its time; from now on nobody waits for it."""
        self._leave(worker)
        self._losses.append(reason)
        self._close_seconds()

    def _leave(self, worker: int) -> None:
        """From now on this worker is quiet and waits for nothing."""
        record = self._workers[worker]
        record.done = True
        self._stalls.add(worker, Silences(quiet=[(record.ended_ns, FOREVER)]))

    def outcome(self, *, stopped_ns: int | None = None) -> LoadOutcome:
        """All that was reported; the hold is that of the scenario, unless it was stopped at `stopped_ns`."""
        begins, ends = self._timeline.hold_begins, self._timeline.hold_ends
        hold = (begins, ends if stopped_ns is None else max(begins, min(ends, stopped_ns)))
        hold_ns = hold[1] - hold[0]
        self._stalls.settle(max(each.ended_ns for each in self._workers))
        return LoadOutcome(
            scenario=self._plan.scenario,
            tallies=self._tallies,
            errors=most_frequent_first(self._errors.values()),
            longest_stall=self._stalls.longest_ns / SECOND if hold_ns else None,
            users_reached=self._worked_ns / (self._plan.scenario.users * hold_ns) if hold_ns else None,
            hold_seconds=hold_ns / SECOND,
            generator=self._health(),
            reconnects=self._reconnects,
        )

    def _close_seconds(self) -> None:
        reported = min((each.intervals for each in self._workers if not each.done), default=None)
        self._stalls.settle(min((each.ended_ns for each in self._workers if not each.done), default=0))
        for sequence in sorted(self._open):
            if reported is not None and sequence >= reported:
                return
            second = self._open.pop(sequence)
            if second.seconds >= SHORTEST_SECOND:
                self._on_second(second.close(float(sequence)))

    def _health(self) -> GeneratorHealth:
        return GeneratorHealth(
            loop_lag_p99=_worst_p99(each.loop_lags for each in self._workers),
            schedule_lag_p99=_worst_p99(each.schedule_lags for each in self._workers),
            cpu=max(each.cpu for each in self._workers),
            longest_lag=max(_seconds(each.loop_lags, 1.0) or 0.0 for each in self._workers),
            workers=self._plan.workers,
            workers_lost=len(self._losses),
            losses=tuple(self._losses),
        )


def _seconds(histogram: Histogram, share: float) -> float | None:
    value = histogram.percentile(share)
    return None if value is None else value * MICROSECOND


def _worst_p99(histograms: Iterable[Histogram]) -> float:
    return max((_seconds(each, 0.99) or 0.0 for each in histograms), default=0.0)
