"""What users made during a scenario is deleted when they leave, and counted: made, deleted, left.

An operation with an `undo` makes something. What its user had saved right after it succeeded is remembered,
and the undo operation is sent with exactly these values: never with later ones, which may be of an account
that is not ours. What is left is made less deleted, so it is right also where a worker was lost.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from campaign.clock import Clock
from campaign.load.failure import ExchangeError
from campaign.load.recorder import Batch, Recorder
from campaign.load.step import Step
from campaign.load.tally import UNSENT, ErrorKind, ErrorSample
from campaign.load.timeline import Timeline
from campaign.target.feeds import FeedExhaustedError

if TYPE_CHECKING:
    from campaign.load.life import Visit
    from campaign.load.session import Identity, Session

MADE, DELETED = "accounts.made", "accounts.deleted"
"""The counts of what operations with an `undo` made, and of what was deleted again."""

UNKNOWN = "accounts.unknown"
"""The count of requests that may have made something of which nobody told us, each attempt by itself."""

_GATEWAYS = frozenset({502, 504})
"""Statuses that say nothing of what the server behind has done."""

CLEAN_UP = 20.0
"""Seconds that users have to delete what they made when a run is stopped early; a phase that is stopped has
30 in all.
"""

AT_ONCE = 32
"""Users that delete at the same time, over all workers: all who leave together must not flood the target."""

_NOTHING = object()


def at_once(workers: int) -> int:
    """One worker's share of them."""
    return max(1, AT_ONCE // workers)


class Made(NamedTuple):
    """Something that a user made: what deletes it, the values that this reads, in its order, and whom the
    session was then. No more is kept, as a user may make things all day.
    """

    undo: Step
    read: tuple[Any, ...]
    maker: Identity

    @property
    def values(self) -> dict[str, Any]:
        """The values by name."""
        pairs = zip(self.undo.reads, self.read, strict=True)
        return {name: value for name, value in pairs if value is not _NOTHING}


def keep_books(session: Session, step: Step, *, given: Mapping[str, Any] | None = None) -> None:
    """Take down that `step` succeeded, where it makes something to be deleted later, or deletes it.

    `given` are values that this request alone was made with.
    """
    if step.undo is not None:
        values = {**session.scope.values, **given} if given else session.scope.values
        read = tuple(values.get(name, _NOTHING) for name in step.undo.reads)
        session.made.append(Made(step.undo, read, session.identity))
        session.recorder.count(MADE)
    if step.undoes:
        _forget(session, step)


def note_doubt(session: Session, error: ExchangeError) -> None:
    """Count a request to make something that was sent and failed, unless its answer says that nothing was."""
    refused = error.kind is ErrorKind.STATUS and session.status not in _GATEWAYS
    if not refused and error.kind not in UNSENT:
        session.recorder.count(UNKNOWN)


def _forget(session: Session, step: Step) -> None:
    """A journey may delete what it made by itself: that is the last of its kind."""
    for position in reversed(range(len(session.made))):
        if session.made[position].undo.name == step.name:
            del session.made[position]
            session.recorder.count(DELETED)
            return


class Cleaner:
    """Deletes what users made; shared by all users of one worker."""

    def __init__(self, recorder: Recorder, timeline: Timeline, *, clock: Clock, at_once: int) -> None:
        self._recorder = recorder
        self._aside = cast("Recorder", Aside(recorder, timeline))
        self._clock = clock
        self._turn = asyncio.Semaphore(at_once)

    async def clean_up(self, session: Session, visit: Visit) -> None:
        """Return when the undo operation of all that this user made was sent and answered, or failed."""
        if not session.made:
            return
        recorder = session.recorder
        session.recorder = self._aside
        try:
            async with self._turn:
                while session.made:
                    await self._delete(session, session.made.pop(), visit=visit)
        finally:
            session.recorder = recorder

    async def _delete(self, session: Session, made: Made, *, visit: Visit) -> None:
        before = session.identity
        if made.maker.scope is not before.scope:
            session.become(made.maker)
        scope = session.scope
        own, scope.values = scope.values, made.values
        try:
            error = await self._perform(made.undo, session, visit=visit)
        except FeedExhaustedError:
            return
        finally:
            scope.values = own
            if scope is not before.scope:
                session.become(before)
        if error is None:
            self._recorder.count(DELETED)

    async def _perform(self, undo: Step, session: Session, *, visit: Visit) -> ExchangeError | None:
        now_ns = self._clock.now_ns()
        if undo.retry is None:
            return (await session.perform(undo, now_ns))[1]
        from campaign.load.retry import perform  # noqa: PLC0415 - it imports this module

        return (await perform(undo, undo.retry, session, visit=visit, due=now_ns))[1]


class Aside:
    """A recorder whose samples lie after the judged part, whenever they are due: clean-up is our doing, and
    no load that anybody asked for. It keeps no further statistics of them.
    """

    def __init__(self, recorder: Recorder, timeline: Timeline) -> None:
        self._recorder = recorder
        self._ends = timeline.hold_ends

    def __getattr__(self, name: str) -> Any:
        return getattr(self._recorder, name)

    def sample(self, operation: int, *, due: int, began: int, sent: int, done: int, received: int) -> Batch:
        """Keep one sample."""
        later = self._later(due)
        return self._recorder.sample(
            operation,
            due=due + later,
            began=began + later,
            sent=sent + later,
            done=done + later,
            received=received,
        )

    def batch(self, operation: int, due: int) -> Batch:
        """Where a sample belongs."""
        return self._recorder.batch(operation, due + self._later(due))

    def failure(
        self, operation: int, batch: Batch, *, error: ExchangeError, done: int,
        describe: Callable[[float], ErrorSample],
    ) -> None:  # fmt: skip
        """Count an error, at the moment when it was."""
        self._recorder.failure(operation, batch, error=error, done=done, describe=describe)

    def view(self, label: str, **sample: Any) -> None:
        """Keep nothing: a view is of what users did."""

    def measure(self, subject: str, name: str, *, due: int, ns: int) -> None:
        """Keep a time."""
        self._recorder.measure(subject, name, due=due + self._later(due), ns=ns)

    def _later(self, due: int) -> int:
        return max(self._ends - due, 0)
