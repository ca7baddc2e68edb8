"""What happened in one worker: raw numbers are appended as samples end, and folded into an interval once a
second.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from campaign.clock import SECOND
from campaign.load.faillog import FailureLog
from campaign.load.failure import ExchangeError
from campaign.load.health import Health
from campaign.load.messages import Interval
from campaign.load.presence import Presence
from campaign.load.silence import SilenceWatch
from campaign.load.tally import UNSENT, ErrorKind, ErrorSample, Sighting, Stage, Tally
from campaign.load.timeline import Timeline
from campaign.stats.histogram import Histogram


class Batch:
    """The samples of one operation in one stage since the last fold; times in µs."""

    __slots__ = ("errors", "received", "responses", "services")

    def __init__(self) -> None:
        self.responses: list[int] = []
        self.services: list[int] = []
        self.errors: dict[ErrorKind, int] = {}
        self.received = 0

    def tally(self) -> Tally:
        """The samples, counted."""
        return Tally(_histogram(self.responses), _histogram(self.services), self.errors, self.received)


class Recorder:
    """Takes the samples of all users of one worker. An operation is named by its position in `operations`.

    `own_lags`: a sample that began late is our own delay; in the open model it may have waited for a user,
    and a paced user for the answer before. `cutting`: what is cancelled now had all its grace.
    """

    def __init__(self, operations: Sequence[str], timeline: Timeline) -> None:
        self.watch = SilenceWatch(timeline.start_ns)
        self.presence = Presence((timeline.hold_begins, timeline.hold_ends))
        self.reconnects = 0
        self.sightings: list[Sighting] = []
        self.own_lags = True
        self.cutting = False
        self._operations = list(operations)
        self._positions = {name: position for position, name in enumerate(operations)}
        self._timeline = timeline
        self._failures = FailureLog()
        self._sequence = 0
        self._took_ns = timeline.start_ns
        self._begin_interval()

    def sample(self, operation: int, *, due: int, began: int, sent: int, done: int, received: int) -> Batch:
        """Keep one sample, good or bad; moments in clock ns. Gives the batch that it went into."""
        batch = self.batch(operation, due)
        if self.own_lags and batch is self._hold[operation]:
            self._lags.append((began - due) // 1000)
        batch.responses.append((done - due) // 1000)
        batch.services.append((done - sent) // 1000)
        batch.received += received
        return batch

    def woke(self, due: int, now_ns: int) -> None:
        """Keep how late a rest ended that was to end when something was due; not that of one cut short."""
        if self._timeline.hold_begins <= due < self._timeline.hold_ends and due <= now_ns:
            self.lag(now_ns - due)

    def lag(self, late_ns: int) -> None:
        """Keep how much later than due we did something ourselves."""
        self._lags.append(late_ns // 1000)

    def batch(self, operation: int, due: int) -> Batch:
        """Where a sample that was due then belongs."""
        if due < self._timeline.hold_begins:
            return self._ramp[operation]
        return self._hold[operation] if due < self._timeline.hold_ends else self._down[operation]

    def failure(
        self, operation: int, batch: Batch, *, error: ExchangeError, done: int,
        describe: Callable[[float], ErrorSample],
    ) -> None:  # fmt: skip
        """Count an error in `batch`, that of its sample or of what was never sent.

        `describe` is asked where a sample of the failure is wanted.
        """
        batch.errors[error.kind] = batch.errors.get(error.kind, 0) + 1
        self.trouble(self._operations[operation], error, done=done, describe=describe)

    def trouble(
        self, what: str, error: ExchangeError, *, done: int, describe: Callable[[float], ErrorSample]
    ) -> None:
        """Keep a failure in the log alone: one that belongs to no request, such as a condition that could not
        be decided.
        """
        key = self._failures.key(what, error.kind, error.detail)
        at = self.seconds(done)
        self._failures.add(key, at, describe(at) if self._failures.wants_sample(key) else None)

    def blame(
        self, operation: int, labels: Iterable[str], *, error: ExchangeError, due: int, done: int,
        describe: Callable[[float], ErrorSample],
    ) -> None:  # fmt: skip
        """Count an error of a sample that was kept as a good one, in the views `labels` too."""
        self.failure(operation, self.batch(operation, due), error=error, done=done, describe=describe)
        for label in labels:
            errors = self._viewed(label, due).errors
            errors[error.kind] = errors.get(error.kind, 0) + 1

    def view(
        self, label: str, *, due: int, sent: int, done: int, error: ExchangeError | None, received: int
    ) -> None:
        """Keep the same sample in a further statistic as well: "kind parent", "region eu".

        What was not sent is an error without a time there too.
        """
        batch = self._viewed(label, due)
        if error is not None:
            batch.errors[error.kind] = batch.errors.get(error.kind, 0) + 1
        if error is None or error.kind not in UNSENT:
            batch.responses.append((done - due) // 1000)
            batch.services.append((done - sent) // 1000)
            batch.received += received

    def _viewed(self, label: str, due: int) -> Batch:
        batch = self._views.get(key := (label, self.stage(due)))
        if batch is None:
            batch = self._views[key] = Batch()
        return batch

    def measure(self, subject: str, name: str, *, due: int, ns: int) -> None:
        """Keep a time that is no request of its own: ("story", "first_event"), ("checkout", "group")."""
        values = self._measures.get(key := (subject, name, self.stage(due)))
        if values is None:
            values = self._measures[key] = []
        values.append(ns // 1000)

    def count(self, name: str, by: int = 1) -> None:
        """Count something that happened, over the whole scenario: "retries", "accounts.made"."""
        self._counts[name] += by

    def operation(self, name: str) -> int:
        """The position of an operation that is known only as it happens, such as a timed piece of Python."""
        position = self._positions.get(name)
        if position is None:
            position = self._positions[name] = len(self._operations)
            self._operations.append(name)
            for batches in (self._ramp, self._hold, self._down):
                batches.append(Batch())
        return position

    def seconds(self, at_ns: int) -> float:
        """A moment (clock ns) in seconds since the scenario began."""
        return (at_ns - self._timeline.start_ns) / SECOND

    def stage(self, due: int) -> Stage:
        """The part of the scenario that this moment lies in."""
        if due < self._timeline.hold_begins:
            return Stage.RAMP
        return Stage.HOLD if due < self._timeline.hold_ends else Stage.DOWN

    def take(self, now_ns: int, health: Health) -> Interval:
        """Everything since the last call, as interval number 0, 1, 2 ..."""
        interval = Interval(
            sequence=self._sequence,
            began_ns=self._took_ns,
            ended_ns=now_ns,
            tallies=self._tallies(),
            views={key: batch.tally() for key, batch in self._views.items()},
            measures={key: _histogram(values) for key, values in self._measures.items()},
            counts=dict(self._counts),
            errors=self._failures.take(),
            users=self.presence.users,
            waiting=self.watch.waiting,
            worked_ns=self.presence.take(now_ns),
            silences=self.watch.take(now_ns),
            reconnects=self.reconnects,
            schedule_lags=_histogram(self._lags),
            loop_lags=health.take_lags(),
            cpu=health.cpu_share(),
            vitals=health.take_vitals(),
            sightings=tuple(self.sightings),
        )
        self.reconnects = 0
        self.sightings.clear()
        self._sequence += 1
        self._took_ns = now_ns
        self._begin_interval()
        return interval

    def finish(self, now_ns: int, health: Health) -> Interval:
        """The last interval."""
        return self.take(now_ns, health)

    def _begin_interval(self) -> None:
        self._ramp = [Batch() for _ in self._operations]
        self._hold = [Batch() for _ in self._operations]
        self._down = [Batch() for _ in self._operations]
        self._lags: list[int] = []
        self._views: dict[tuple[str, Stage], Batch] = {}
        self._measures: dict[tuple[str, str, Stage], list[int]] = {}
        self._counts: Counter[str] = Counter()

    def _tallies(self) -> dict[tuple[str, Stage], Tally]:
        stages = ((Stage.RAMP, self._ramp), (Stage.HOLD, self._hold), (Stage.DOWN, self._down))
        return {
            (name, stage): batch.tally()
            for stage, batches in stages
            for name, batch in zip(self._operations, batches, strict=True)
            if batch.responses or batch.errors
        }


def _histogram(values_us: Sequence[int]) -> Histogram:
    histogram = Histogram()
    histogram.record_many(values_us)
    return histogram
