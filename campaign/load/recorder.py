"""What happened in one worker: raw numbers are appended as samples end, and folded into an interval once a
second.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from campaign.clock import SECOND
from campaign.load.faillog import FailureLog
from campaign.load.failure import ExchangeError
from campaign.load.health import Health
from campaign.load.messages import Interval
from campaign.load.presence import Presence
from campaign.load.silence import SilenceWatch
from campaign.load.spec import ErrorKind, ErrorSample, Stage, Tally
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
        tally = Tally(Histogram(), Histogram(), self.errors, self.received)
        tally.response.record_many(self.responses)
        tally.service.record_many(self.services)
        return tally


class Recorder:
    """Takes the samples of all users of one worker. An operation is named by its position in `operations`."""

    def __init__(self, operations: Sequence[str], timeline: Timeline) -> None:
        self.watch = SilenceWatch(timeline.start_ns)
        self.presence = Presence((timeline.hold_begins, timeline.hold_ends))
        self.reconnects = 0
        self._operations = operations
        self._timeline = timeline
        self._failures = FailureLog()
        self._sequence = 0
        self._took_ns = timeline.start_ns
        self._begin_interval()

    def sample(self, operation: int, *, due: int, began: int, sent: int, done: int, received: int) -> Batch:
        """Keep one sample, good or bad; moments in clock ns. Gives the batch that it went into."""
        batch = self.batch(operation, due)
        if batch is self._hold[operation]:
            self._lags.append((began - due) // 1000)
        batch.responses.append((done - due) // 1000)
        batch.services.append((done - sent) // 1000)
        batch.received += received
        return batch

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
        key = self._failures.key(self._operations[operation], error.kind, error.detail)
        at = (done - self._timeline.start_ns) / SECOND
        self._failures.add(key, at, describe(at) if self._failures.wants_sample(key) else None)

    def take(self, now_ns: int, health: Health) -> Interval:
        """Everything since the last call, as interval number 0, 1, 2 ..."""
        schedule_lags = Histogram()
        schedule_lags.record_many(self._lags)
        interval = Interval(
            sequence=self._sequence,
            began_ns=self._took_ns,
            ended_ns=now_ns,
            tallies=self._tallies(),
            errors=self._failures.take(),
            users=self.presence.users,
            waiting=self.watch.waiting,
            worked_ns=self.presence.take(now_ns),
            silences=self.watch.take(now_ns),
            reconnects=self.reconnects,
            schedule_lags=schedule_lags,
            loop_lags=health.take_lags(),
            cpu=health.cpu_share(),
        )
        self.reconnects = 0
        self._sequence += 1
        self._took_ns = now_ns
        self._begin_interval()
        return interval

    def _begin_interval(self) -> None:
        self._ramp = [Batch() for _ in self._operations]
        self._hold = [Batch() for _ in self._operations]
        self._down = [Batch() for _ in self._operations]
        self._lags: list[int] = []

    def _tallies(self) -> dict[tuple[str, Stage], Tally]:
        stages = ((Stage.RAMP, self._ramp), (Stage.HOLD, self._hold), (Stage.DOWN, self._down))
        return {
            (name, stage): batch.tally()
            for stage, batches in stages
            for name, batch in zip(self._operations, batches, strict=True)
            if batch.responses or batch.errors
        }
