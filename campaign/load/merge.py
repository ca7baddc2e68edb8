"""Puts together what the workers of one scenario report, second by second and as a whole.

Percentiles are computed after the merge, from the summed histograms. What a lost worker had reported stays.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TypeVar

from campaign.clock import FOREVER, SECOND
from campaign.load.faillog import Key, merge_into, most_frequent_first
from campaign.load.generator import GeneratorHealth
from campaign.load.messages import Interval
from campaign.load.outcome import LoadOutcome, Second
from campaign.load.pacer import ASKED, BEGUN, even_count
from campaign.load.silence import Silences, Span, Stalls
from campaign.load.spec import LoadPlan, Model
from campaign.load.tally import ErrorGroup, ErrorKind, Person, Sighting, Stage, Tally
from campaign.load.timeline import Timeline
from campaign.stats.histogram import Histogram

SHORTEST_SECOND = 0.2
"""Seconds; a shorter part is no point of the chart, as its rate would mean nothing. What was seen in it
counts in the next one; at a scenario's end there is none.
"""

MICROSECOND = 1e-6


@dataclass(slots=True)
class WorkerRecord:
    """What one worker has reported so far; `done` when it will not report again."""

    intervals: int = 0
    done: bool = False
    ended_ns: int = 0
    schedule_lags: Histogram = field(default_factory=Histogram)
    loop_lags: Histogram = field(default_factory=Histogram)
    cpu: float = 0.0
    skew_ns: int = 0
    longest_pause: int = 0
    paused: int = 0
    closing: int = 0
    stolen: float = 0.0

    def add(self, interval: Interval) -> None:
        """Take in an interval."""
        self.intervals = interval.sequence + 1
        self.ended_ns = interval.ended_ns
        self.schedule_lags.merge(interval.schedule_lags)
        self.loop_lags.merge(interval.loop_lags)
        self.cpu = interval.cpu
        vitals = interval.vitals
        self.longest_pause = max(self.longest_pause, vitals.longest_pause)
        self.paused += vitals.paused
        self.closing = max(self.closing, vitals.closing)
        self.stolen = vitals.stolen


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
    before: float = 0.0
    tallies: dict[str, Tally] = field(default_factory=dict)
    views: dict[str, Tally] = field(default_factory=dict)
    measures: dict[tuple[str, str], Histogram] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)

    def add(self, interval: Interval) -> None:
        """Take in one worker's part."""
        self.users += interval.users
        self.waiting += interval.waiting
        self.seconds = max(self.seconds, (interval.ended_ns - interval.began_ns) / SECOND)
        for (operation, _), tally in interval.tallies.items():
            _add(self.tallies, operation, tally)
            self.responses.merge(tally.response)
            self.asked += tally.asked
            self.answered += tally.answered
            self.failed += tally.failed
        for (label, _), tally in interval.views.items():
            _add(self.views, label, tally)
        for (subject, name, _), histogram in interval.measures.items():
            self.measures.setdefault((subject, name), Histogram()).merge(histogram)
        self.counts.update(interval.counts)

    def carry(self, earlier: OpenSecond) -> None:
        """Take in what was seen in a part before this one that was too short to stand alone."""
        self.before += earlier.length
        self.responses.merge(earlier.responses)
        self.asked += earlier.asked
        self.answered += earlier.answered
        self.failed += earlier.failed
        for name, tally in earlier.tallies.items():
            _add(self.tallies, name, tally)
        for label, tally in earlier.views.items():
            _add(self.views, label, tally)
        for key, histogram in earlier.measures.items():
            self.measures.setdefault(key, Histogram()).merge(histogram)
        self.counts.update(earlier.counts)

    @property
    def length(self) -> float:
        """Its seconds, with those of the parts that it carries."""
        return self.seconds + self.before

    def close(self, at: float) -> Second:
        """The finished second."""
        return Second(
            at=at,
            rate=self.answered / self.length,
            p50=_seconds(self.responses, 0.5),
            p95=_seconds(self.responses, 0.95),
            error_rate=self.failed / self.asked if self.asked else None,
            users=self.users,
            waiting=self.waiting,
            tallies=self.tallies,
            views=self.views,
            measures=self.measures,
            counts=self.counts,
            seconds=self.length,
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
        self._views: dict[tuple[str, Stage], Tally] = {}
        self._measures: dict[tuple[str, str, Stage], Histogram] = {}
        self._counts: Counter[str] = Counter()
        self._people: dict[int, Person] = {}
        self._sightings: list[Sighting] = []
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
        self._counts.update(interval.counts)
        self._sightings.extend(interval.sightings)
        for number, person in interval.people.items():
            self._people.setdefault(number, Person()).merge(person)
        for key, tally in interval.tallies.items():
            _add(self._tallies, key, tally)
        for key, tally in interval.views.items():
            _add(self._views, key, tally)
        for measure, histogram in interval.measures.items():
            self._measures.setdefault(measure, Histogram()).merge(histogram)
        self._close_seconds()

    def begin(self, worker: int, at_ns: int, *, error_ns: int = 0) -> None:
        """Worker number `worker` began at `at_ns`, which may be wrong by `error_ns`."""
        late_ns = abs(at_ns - self._timeline.start_ns)
        self._workers[worker].skew_ns = late_ns + error_ns

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
        hold_ns = max(0, self._over_by(hold[1]) - hold[0])
        self._stalls.settle(max(each.ended_ns for each in self._workers))
        return LoadOutcome(
            scenario=self._plan.scenario,
            tallies=self._tallies,
            errors=most_frequent_first(self._errors.values()),
            longest_stall=self._stalls.longest_ns / SECOND if hold_ns else None,
            load_reached=self._reached(hold),
            hold_seconds=hold_ns / SECOND,
            generator=self._health(),
            reconnects=self._reconnects,
            views=self._views,
            measures=self._measures,
            counts=dict(self._counts),
            people=self._people,
            sightings=tuple(sorted(self._sightings, key=lambda each: each.sample.at)),
        )

    def _over_by(self, ends: int) -> int:
        """When nothing was left to do: users whose iterations end may all be done before the hold's end."""
        kinds = self._plan.vocabulary.users.values()
        if self._losses or not (self._plan.scenario.iterations or any(each.iterations for each in kinds)):
            return ends
        return min(ends, max(each.ended_ns for each in self._workers))

    def _reached(self, hold: Span) -> float | None:
        begins, ends = (self._timeline.seconds(each) for each in hold)
        if self._plan.scenario.model is Model.OPEN:
            asked, there = self._arrivals_asked(begins, ends), float(self._counts[BEGUN])
        else:
            asked = self._plan.scenario.asked_between(begins, ends)
            there = self._worked_ns / SECOND
        return min(there / asked, 1.0) if asked > 0 else None

    def _arrivals_asked(self, begins: float, ends: float) -> float:
        """How many arrivals were due; at random moments only the workers know, while none of them is lost."""
        if self._plan.scenario.poisson and not self._losses:
            return float(self._counts[ASKED])
        return float(even_count(self._timeline, begins, ends=ends))

    def _close_seconds(self) -> None:
        reported = min((each.intervals for each in self._workers if not each.done), default=None)
        self._stalls.settle(min((each.ended_ns for each in self._workers if not each.done), default=0))
        for sequence in sorted(self._open):
            if reported is not None and sequence >= reported:
                return
            second = self._open.pop(sequence)
            if second.length >= SHORTEST_SECOND:
                self._on_second(second.close(float(sequence)))
            else:
                self._open.setdefault(sequence + 1, OpenSecond()).carry(second)

    def _health(self) -> GeneratorHealth:
        return GeneratorHealth(
            loop_lag_p99=_worst_p99(each.loop_lags for each in self._workers),
            schedule_lag_p99=_worst_p99(each.schedule_lags for each in self._workers),
            cpu=max(each.cpu for each in self._workers),
            longest_lag=max(_seconds(each.loop_lags, 1.0) or 0.0 for each in self._workers),
            workers=self._plan.workers,
            workers_lost=len(self._losses),
            losses=tuple(self._losses),
            start_skew=max(each.skew_ns for each in self._workers) / SECOND,
            longest_pause=max(each.longest_pause for each in self._workers) / SECOND,
            paused=max(each.paused for each in self._workers) / SECOND,
            stolen=max(each.stolen for each in self._workers),
            exhausted=sum(
                group.count for group in self._errors.values() if group.kind is ErrorKind.EXHAUSTED
            ),
            closing=max(each.closing for each in self._workers),
        )


Name = TypeVar("Name")


def _add(tallies: dict[Name, Tally], name: Name, tally: Tally) -> None:
    tallies.setdefault(name, Tally(Histogram(), Histogram())).merge(tally)


def _seconds(histogram: Histogram, share: float) -> float | None:
    value = histogram.percentile(share)
    return None if value is None else value * MICROSECOND


def _worst_p99(histograms: Iterable[Histogram]) -> float:
    return max((_seconds(each, 0.99) or 0.0 for each in histograms), default=0.0)
