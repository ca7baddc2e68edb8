"""Further statistics on request (`statistics: [kinds, regions, users, queue]`): without it, none of this
runs.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace

from campaign.load.failure import ExchangeError
from campaign.load.health import Health
from campaign.load.messages import Interval
from campaign.load.recorder import Batch, Recorder
from campaign.load.tally import UNSENT, ErrorSample, Person
from campaign.load.timeline import Timeline

MOST_PEOPLE = 10_000
"""Users that single statistics are kept of, those with the lowest numbers."""

_PERSON = "user "


def labels(views: Collection[str], *, kind: str, region: str, user: int) -> tuple[str, ...]:
    """What the samples of user number `user` (from 1) count in, beside their operation."""
    wanted = {
        "kinds": f"kind {kind}",
        "regions": f"region {region}" if region else "",
        "users": f"{_PERSON}{user}" if user <= MOST_PEOPLE else "",
    }
    return tuple(label for view, label in wanted.items() if label and view in views)


def make_recorder(operations: Sequence[str], timeline: Timeline, views: frozenset[str]) -> Recorder:
    """The recorder for these views; the plain one where none of them concerns it."""
    if views & {"users", "queue"}:
        return ObservantRecorder(operations, timeline, queue="queue" in views)
    return Recorder(operations, timeline)


class ObservantRecorder(Recorder):
    """A recorder that also keeps the queue time of each sample, and a few figures of each single user."""

    def __init__(self, operations: Sequence[str], timeline: Timeline, *, queue: bool) -> None:
        super().__init__(operations, timeline)
        self._queue = queue
        self._people: dict[int, Person] = {}

    def sample(self, operation: int, *, due: int, began: int, sent: int, done: int, received: int) -> Batch:
        """As every recorder, and the time from due to sent."""
        if self._queue:
            self.measure(self._operations[operation], "queue", due=due, ns=sent - due)
        return super().sample(operation, due=due, began=began, sent=sent, done=done, received=received)

    def view(
        self, label: str, *, due: int, sent: int, done: int, error: ExchangeError | None, received: int
    ) -> None:
        """As every recorder, but one user's samples are only added up."""
        if not label.startswith(_PERSON):
            super().view(label, due=due, sent=sent, done=done, error=error, received=received)
            return
        unsent = error is not None and error.kind in UNSENT
        self._person(label).add(None if unsent else (done - due) // 1000, failed=error is not None)

    def blame(
        self, operation: int, labels: Iterable[str], *, error: ExchangeError, due: int, done: int,
        describe: Callable[[float], ErrorSample],
    ) -> None:  # fmt: skip
        """As every recorder, and the failure is that user's too."""
        theirs = list(labels)
        for label in theirs:
            if label.startswith(_PERSON):
                self._person(label).failed += 1
        others = [label for label in theirs if not label.startswith(_PERSON)]
        super().blame(operation, others, error=error, due=due, done=done, describe=describe)

    def _person(self, label: str) -> Person:
        return self._people.setdefault(int(label[len(_PERSON) :]), Person())

    def finish(self, now_ns: int, health: Health) -> Interval:
        """The last interval, and with it everybody's figures."""
        return replace(super().finish(now_ns, health), people=self._people)
