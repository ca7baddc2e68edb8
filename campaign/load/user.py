"""A user's time with the target: it comes, starts, does one task after another, and leaves."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from contextlib import suppress

from campaign.clock import FOREVER, SECOND, Clock
from campaign.load.cleanup import Cleaner
from campaign.load.failure import ExchangeError
from campaign.load.life import Done, Kind, Life, Visit
from campaign.load.luck import Luck
from campaign.load.presence import Presence
from campaign.load.session import Session
from campaign.load.tally import UNSENT
from campaign.target.feeds import FeedExhaustedError

FIRST_PAUSE = SECOND // 20
"""Nanoseconds of rest after a failure without a whole answer; doubled with each further one in a row, ..."""

LONGEST_PAUSE = SECOND
"""... up to this, so that users without think time do not spin against a target that is gone."""

RESTART_PAUSE = SECOND
"""Nanoseconds at least before a start that failed is tried again."""


class User:
    """One user of the closed model lives by itself (`live`); one of the open model is told when (`appear`,
    `start` or `get_ready`, `serve`, `leave`, `vanish`).
    """

    __slots__ = (
        "_at_work", "_cleaner", "_cleaning", "_clock", "_cut", "_kind", "_leaving", "_life", "_luck",
        "_pause", "_presence", "_session", "visit",
    )  # fmt: skip

    def __init__(
        self, kind: Kind, session: Session, *, luck: Luck, clock: Clock, presence: Presence,
        cleaner: Cleaner | None = None,
    ) -> None:  # fmt: skip
        self.visit = Visit(clock)
        self._kind = kind
        self._session = session
        self._luck = luck
        self._clock = clock
        self._presence = presence
        session.visit = self.visit
        self._life: Life = kind.enliven(session, self.visit, luck)
        self._cleaner = cleaner
        self._pause = 0
        self._at_work = self._leaving = self._cleaning = self._cut = False

    async def live(self, due: int, departure: int) -> None:
        """Return when the user, who comes at `due`, has left; it sends nothing new from `departure` on."""
        self.visit.departure = departure
        await self.visit.rest(due)
        if self.visit.over(due):
            return
        self.appear()
        try:
            await self.tidily(self._stay(due))
        finally:
            self.vanish()

    async def tidily(self, stay: Awaitable[None]) -> None:
        """Return when `stay` has ended and the user has left; also where it is cut, what it made is
        deleted.
        """
        try:
            await stay
            await self.leave()
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if not self._cut or task is None or task.uncancel():
                raise
            await self._clean_up()

    def end(self, task: asyncio.Task[None], now_ns: int) -> None:
        """Begin nothing new from now on; a user that rests, in its `task`, leaves at once."""
        if not self._leaving:
            self.visit.departure = min(self.visit.departure, now_ns)
        if self.visit.resting:
            self.visit.wake(task)

    def cut(self, task: asyncio.Task[None]) -> bool:
        """Cut what is under way; whether there was anything. What the user made it may still delete."""
        if self._cleaning:
            return False
        self._cut = self._cleaner is not None and bool(self._session.made)
        self.visit.departure = min(self.visit.departure, self._clock.now_ns())
        return self.dismiss(task)

    def dismiss(self, task: asyncio.Task[None]) -> bool:
        """Cut everything, clean-up too; whether there was anything."""
        self.visit.dismissed = True
        return task.cancel()

    @property
    def kind(self) -> str:
        """The name of its kind."""
        return self._kind.name

    @property
    def iterations(self) -> int:
        """How many tasks it does before it leaves; 0: no end."""
        return self._kind.iterations

    def appear(self) -> None:
        """Be there."""
        self._presence.users += 1

    async def start(self, due: int) -> Done:
        """One attempt to start; at work from its end, when it went well."""
        done, error = await self._life.start(due)
        if error is None:
            self._presence.changes(+1, self._clock.now_ns())
            self._at_work = True
        return done, error

    async def get_ready(self, due: int) -> int:
        """The moment from which the user is at work (its start went well) or has to leave."""
        while due < self.visit.departure:
            done, error = await self.start(due)
            if error is None:
                return done
            due = max(self._kind.rhythm(self._luck, due, done), done + RESTART_PAUSE)
            await self._clean_up()
            self._session.start_over()
            await self.visit.rest(due)
        return due

    async def serve(self, due: int) -> Done:
        """One task."""
        self._session.scope.next_iteration()
        return await self._life.iterate(due)

    async def leave(self) -> None:
        """Do what is to be done at the end; nothing cuts it short but its own time-outs."""
        self._stop_work()
        self._leaving = True
        self.visit.departure = FOREVER
        with suppress(FeedExhaustedError):
            await self._life.stop(self._clock.now_ns())
        await self._clean_up()

    def vanish(self) -> None:
        """Be gone at once, whatever is under way."""
        self._stop_work()
        self._presence.users -= 1
        self._session.close()

    async def _stay(self, due: int) -> None:
        # One coroutine for it all: each further one costs every user 0.3 KB, and every request a little time.
        scope, iterate, left = self._session.scope, self._life.iterate, self._kind.iterations
        try:
            due = await self.get_ready(due)
            while due < self.visit.departure:
                scope.next_iteration()
                done, error = await iterate(due)
                due = begins = self._kind.rhythm(self._luck, due, done)
                if error is not None:
                    begins = max(due, done + self.recover(error))
                elif self._pause:
                    self._pause = 0
                left -= 1
                if not left:
                    self._presence.credit(self._clock.now_ns(), self.visit.departure)
                    return
                if not self._kind.paced:
                    due = begins
                    if due > done:
                        await self.visit.rest(due)
                elif begins > due:
                    await self._hold_back(begins, due=due, error=error)
                elif due > done:
                    await self.visit.rest(due)
                    self._session.recorder.woke(due, self._clock.now_ns())
        except FeedExhaustedError:
            return

    async def _hold_back(self, until: int, *, due: int, error: ExchangeError | None) -> None:
        """Rest from a failure, while what was due on the grid stays due then.

        It is asked for after the end too, so the end does not cut this pause short, as nobody may spin. But
        where nothing can be sent no time would come of it: then there is no more to do.
        """
        if error is not None and error.kind in UNSENT and self.visit.over(self._clock.now_ns()):
            self.visit.departure = min(self.visit.departure, due)
        else:
            await self._clock.sleep_until(until)

    def recover(self, error: ExchangeError) -> int:
        """How long to rest after a failure, in ns."""
        if error.answered:
            self._pause = 0
        else:
            self._pause = min(max(2 * self._pause, FIRST_PAUSE), LONGEST_PAUSE)
        return self._pause

    async def _clean_up(self) -> None:
        """Delete what this user made."""
        if self._cleaner is not None and self._session.made:
            self._cleaning = True
            await self._cleaner.clean_up(self._session, self.visit)
            self._cleaning = False

    def _stop_work(self) -> None:
        if self._at_work:
            self._at_work = False
            self._presence.changes(-1, self._clock.now_ns())
