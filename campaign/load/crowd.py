"""All users of one worker: who they are, and how they are sent, by the model of the scenario."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import Protocol, TypeAlias

from campaign.clock import SECOND, Clock
from campaign.load.timeline import Timeline
from campaign.load.user import User

MakeUser: TypeAlias = Callable[[int], User]
"""Makes the user of a number (from 0, over all workers)."""


LEAD = 2 * SECOND
"""Nanoseconds before it comes that a user is made: many who come at once take their time."""

BREATH = 500
"""Users made in one go; then everything else gets its turn."""


class Crowd(Protocol):
    """The users of one worker."""

    async def run(self) -> None:
        """Return when all have left. Raises what a user ended with, if that was a defect of ours."""

    def stop(self, now_ns: int) -> None:
        """Send nothing new from now on; users that rest leave at once."""

    def cut(self) -> int:
        """Cut what is under way; how many users had to be cut. They may still delete what they made."""

    def cancel(self) -> None:
        """Cut everything, clean-up too."""

    def kinds_left(self) -> set[str]:
        """The names of the kinds whose users have not all ended."""


class ClosedCrowd:
    """Each visit of a user is a task, and both are made shortly before it comes and forgotten when it has
    left: a spike that is to come costs no memory until then.
    """

    def __init__(self, numbers: Iterable[int], make: MakeUser, *, timeline: Timeline, clock: Clock) -> None:
        # The next one is last, so that those that came cost nothing.
        self._to_come = sorted(
            ((come, number, leave) for number in numbers for come, leave in timeline.visits(number)),
            reverse=True,
        )
        self._make = make
        self._clock = clock
        self._users: dict[asyncio.Task[None], User] = {}
        self._defects: list[asyncio.Task[None]] = []
        self._empty = asyncio.Event()
        self._admitting: asyncio.Task[None] | None = None

    async def run(self) -> None:
        """Return when all users have ended their last visits."""
        self._admitting = asyncio.create_task(self._admit())
        try:
            await asyncio.wait([self._admitting])
            raise_defect([self._admitting])
            if self._users:
                await self._empty.wait()
        finally:
            self.cancel()
        raise_defect(self._defects)

    def stop(self, now_ns: int) -> None:
        """End all visits."""
        self._close()
        for task, user in self._users.items():
            user.end(task, now_ns)

    def cut(self) -> int:
        """Cut all users; how many were still there."""
        self._close()
        return sum(user.cut(task) for task, user in self._users.items())

    def cancel(self) -> None:
        """Cut all users, also those that delete what they made."""
        self._close()
        for task, user in self._users.items():
            user.dismiss(task)

    def kinds_left(self) -> set[str]:
        """Of users whose visits have not ended."""
        return {user.kind for user in self._users.values()}

    async def _admit(self) -> None:
        in_one_go = 0
        while self._to_come:
            come, number, leave = self._to_come.pop()
            if self._clock.now_ns() < come - LEAD:
                await self._clock.sleep_until(come - LEAD)
                in_one_go = 0
            elif (in_one_go := in_one_go + 1) > BREATH:
                await asyncio.sleep(0)
                in_one_go = 0
            self._add(number, come, leave=leave)

    def _add(self, number: int, come: int, *, leave: int) -> None:
        # Somebody who comes a second time is a new person with the old number.
        user = self._make(number)
        task = asyncio.get_running_loop().create_task(user.live(come, leave))
        self._users[task] = user
        self._empty.clear()
        task.add_done_callback(self._left)

    def _left(self, task: asyncio.Task[None]) -> None:
        del self._users[task]
        if not task.cancelled() and task.exception() is not None:
            self._defects.append(task)
        if not self._users:
            self._empty.set()

    def _close(self) -> None:
        """Nobody comes any more."""
        if self._admitting is not None:
            self._admitting.cancel()


def raise_defect(tasks: Iterable[asyncio.Task[None]]) -> None:
    """Raise what a user ended with, if that was a defect of ours; a target's doings never get here."""
    errors = [task.exception() for task in tasks if not task.cancelled()]
    for error in filter(None, errors):
        raise error
