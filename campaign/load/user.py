"""A user's life: it comes, does its start operations once, then one task after another until it is time to
leave.
"""

from __future__ import annotations

from bisect import bisect
from dataclasses import dataclass

from campaign.clock import SECOND, Clock
from campaign.load.failure import ExchangeError
from campaign.load.luck import Luck
from campaign.load.presence import Presence
from campaign.load.session import Session
from campaign.load.step import Step
from campaign.target.feeds import FeedExhaustedError

FIRST_PAUSE = SECOND // 20
"""Nanoseconds of rest after a failure without a whole answer; doubled with each further one in a row, ..."""

LONGEST_PAUSE = SECOND
"""... up to this, so that users without think time do not spin against a target that is gone."""

RESTART_PAUSE = SECOND
"""Nanoseconds at least before start operations are tried again."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of user, ready for use: think time in ns, start operations, tasks and their weights added up."""

    name: str
    wait_low: int
    wait_high: int
    start: tuple[Step, ...]
    tasks: tuple[Step, ...]
    weights: tuple[float, ...]


class User:
    """One user. `resting` while nothing of it is under way; it sends nothing new from `departure` (clock ns)
    on.
    """

    __slots__ = (
        "_at_work",
        "_clock",
        "_kind",
        "_luck",
        "_pause",
        "_presence",
        "_session",
        "departure",
        "resting",
    )

    def __init__(
        self, kind: Kind, session: Session, *, luck: Luck, clock: Clock, presence: Presence, departure: int
    ) -> None:
        self.departure = departure
        self.resting = True
        self._kind = kind
        self._session = session
        self._luck = luck
        self._clock = clock
        self._presence = presence
        self._pause = 0
        self._at_work = False

    async def live(self, due: int) -> None:
        """Return when the user, who comes at `due`, has left."""
        await self._rest(due)
        self._presence.users += 1
        try:
            due = await self._begin(due)
            self._presence.changes(+1, self._clock.now_ns())
            self._at_work = True
            await self._work(due)
        except FeedExhaustedError:
            return
        finally:
            self._leave()

    async def _begin(self, due: int) -> int:
        """The moment from which the user is at work (all start operations went well) or has to leave."""
        while due < self.departure:
            done, well = await self._start(due)
            if well:
                return done
            due = done + max(self._think(), RESTART_PAUSE)
            self._session.start_over()
            await self._rest(due)
        return due

    async def _start(self, due: int) -> tuple[int, bool]:
        for step in self._kind.start:
            due, error = await self._session.perform(step, due)
            if error is not None:
                return due, False
        return due, True

    async def _work(self, due: int) -> None:
        perform = self._session.perform
        while due < self.departure:
            self._session.scope.next_iteration()
            done, error = await perform(self._choose(), due)
            due = done + self._think()
            if error is not None:
                due = max(due, done + self._recover(error))
            elif self._pause:
                self._pause = 0
            if due > done:
                await self._rest(due)

    def _choose(self) -> Step:
        tasks, weights = self._kind.tasks, self._kind.weights
        if len(tasks) == 1:
            return tasks[0]
        return tasks[bisect(weights, self._luck.share() * weights[-1], hi=len(tasks) - 1)]

    def _think(self) -> int:
        low, high = self._kind.wait_low, self._kind.wait_high
        return low if low == high else low + int(self._luck.share() * (high - low))

    def _recover(self, error: ExchangeError) -> int:
        """How long to rest after a failure, in ns."""
        if error.answered:
            self._pause = 0
        else:
            self._pause = min(max(2 * self._pause, FIRST_PAUSE), LONGEST_PAUSE)
        return self._pause

    async def _rest(self, until: int) -> None:
        self.resting = True
        await self._clock.sleep_until(min(until, self.departure))
        self.resting = False

    def _leave(self) -> None:
        self._presence.users -= 1
        if self._at_work:
            self._presence.changes(-1, self._clock.now_ns())
        self._session.close()
