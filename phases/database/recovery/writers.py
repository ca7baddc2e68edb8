"""Writes at a steady rate, whatever the database does: those of an open model, each with a time-out."""

from __future__ import annotations

import asyncio
from collections import Counter

from sqlalchemy import Table

from campaign.clock import SECOND, Clock
from campaign.database.failure import Failure
from campaign.ledger.writer import Ledger
from phases.database.recovery.attempt import Attempt
from phases.database.recovery.pooled import Pooled
from phases.database.recovery.settings import RecoverySettings

MOST_UNDER_WAY = 3000
"""Writes under way at once; one more is refused here without being sent."""

MOST_KINDS = 20
CANCELS, CANCEL_SECONDS = 3, 1.0
PAUSE = 0.05
"""Seconds before the second try, twice that before the third."""


class Writers:
    """Sends rows of one trial at the asked rate until it is told to end.

    `errors` counts failed tries by what failed, `retries` further tries of refused writes, `skipped` writes
    that were due while we ourselves stood still. `trouble` is why we cannot go on, as a full disk.
    """

    def __init__(self, pooled: Pooled, ledger: Ledger, table: Table, *, trial: int, clock: Clock) -> None:
        self.errors: Counter[str] = Counter()
        self.retries = 0
        self.skipped = 0
        self.trouble: BaseException | None = None
        self._pooled, self._ledger, self._table = pooled, ledger, table
        self._trial, self._clock = trial, clock
        self._ended = False
        self._under_way: dict[asyncio.Task[None], int] = {}
        self._given_up: set[asyncio.Task[None]] = set()

    async def send(self, settings: RecoverySettings) -> None:
        """Send until `end`; returns when the last write was sent."""
        step = round(SECOND / settings.rate)
        due = self._clock.now_ns()
        while not self._ended and self.trouble is None:
            await self._clock.sleep_until(due)
            await asyncio.sleep(0)
            self._launch(settings)
            due = self._after(due, step)

    async def end(self, seconds: float) -> None:
        """Send no more, and wait for what is under way, so long at most."""
        self._ended = True
        if self._under_way:
            await asyncio.wait(set(self._under_way), timeout=seconds)
        for _ in range(CANCELS):  # a driver that is just closing a connection may swallow the first one
            if not (rest := set(self._under_way) | self._given_up):
                break
            for task in rest:
                task.cancel()
            await asyncio.wait(rest, timeout=CANCEL_SECONDS)

    @property
    def waiting_ns(self) -> int:
        """Nanoseconds for which the oldest write that is under way waits by now; 0 where none is."""
        oldest = next(iter(self._under_way.values()), None)
        return 0 if oldest is None else self._clock.now_ns() - oldest

    def _after(self, due: int, step: int) -> int:
        """When the next one is due. What was missed for a second and more is not made up for."""
        missed = (self._clock.now_ns() - due - SECOND) // step
        if missed > 0:
            self.skipped += missed
            return due + (missed + 1) * step
        return due + step

    def _launch(self, settings: RecoverySettings) -> None:
        number = self._ledger.allot()
        if len(self._under_way) + len(self._given_up) >= MOST_UNDER_WAY:
            self._ledger.refused(number)
            self.errors["too many under way"] += 1
            return
        task = asyncio.create_task(self._write(number, settings))
        self._under_way[task] = self._clock.now_ns()
        task.add_done_callback(self._settle)

    def _settle(self, task: asyncio.Task[None]) -> None:
        del self._under_way[task]
        if not task.cancelled() and (error := task.exception()) is not None:
            self.trouble = self.trouble or error

    async def _write(self, number: int, settings: RecoverySettings) -> None:
        """One write with all its tries."""
        for tried in range(1 + settings.retries):
            attempt = Attempt(number, self._ledger)
            failure = await self._try(attempt, settings.write_timeout)
            if failure is None:
                return
            self._count(failure)
            if attempt.may_be_done or self._ended or tried == settings.retries:
                return
            self.retries += 1
            await asyncio.sleep(PAUSE * (tried + 1))

    async def _try(self, attempt: Attempt, seconds: float) -> Failure | None:
        """Why the try failed; None where it was acknowledged.

        One that takes too long is failed at once: what it takes to get rid of it is not waited for.
        """
        task = asyncio.create_task(attempt.make(self._pooled.engine, self._table, trial=self._trial))
        try:
            await asyncio.wait({task}, timeout=seconds)
        finally:
            if not task.done():
                self._give_up(task)
        if not task.done():
            return attempt.failed(TimeoutError())
        if task.cancelled():
            return attempt.failed(ConnectionError("the connection was given up"))
        error = task.exception()
        return attempt.failed(error) if error else None

    def _give_up(self, task: asyncio.Task[None]) -> None:
        self._given_up.add(task)
        task.add_done_callback(self._forget)
        task.cancel()

    def _forget(self, task: asyncio.Task[None]) -> None:
        self._given_up.discard(task)
        if not task.cancelled():
            task.exception()  # looked at, so that nobody is told of it

    def _count(self, failure: Failure) -> None:
        name = f"{failure.kind.value} {failure.code}".strip()
        self.errors[name if name in self.errors or len(self.errors) < MOST_KINDS else "others"] += 1
