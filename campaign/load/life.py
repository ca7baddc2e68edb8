"""What a user's behaviour looks like to the generator, whether it is written in YAML or in Python."""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from campaign.clock import FOREVER, Clock
from campaign.load.failure import ExchangeError
from campaign.load.luck import Luck
from campaign.load.rhythm import Rhythm

if TYPE_CHECKING:
    from campaign.load.session import Session

Done: TypeAlias = tuple[int, ExchangeError | None]
"""When it ended (clock ns), and how it failed, if it did."""


class Visit:
    """One user's time with the target. `resting` while nothing of it is under way; nothing new is sent from
    `departure` (clock ns) on. `dismissed`: we cancelled the user's task.
    """

    __slots__ = ("_clock", "_woken", "departure", "dismissed", "resting")

    def __init__(self, clock: Clock, departure: int = FOREVER) -> None:
        self._clock = clock
        self.departure = departure
        self.resting = True
        self.dismissed = self._woken = False

    async def rest(self, until: int) -> int:
        """The moment when the rest ended: `until` (clock ns), or earlier where the visit ends before."""
        until = min(until, self.departure)
        self.resting = True
        try:
            await self._clock.sleep_until(until)
        except asyncio.CancelledError:
            if not self._woken or self._is_cancelled():
                raise
            until = min(until, self._clock.now_ns())
        finally:
            self.resting = self._woken = False
        return until

    def wake(self, task: asyncio.Task[None]) -> None:
        """End the rest that the user's `task` is in."""
        self._woken = True
        task.cancel()

    @staticmethod
    def _is_cancelled() -> bool:
        """Whether somebody wants the task to end, besides our waking it."""
        task = asyncio.current_task()
        return task is not None and task.uncancel() > 0

    def now(self) -> int:
        """Clock nanoseconds."""
        return self._clock.now_ns()

    def over(self, due: int) -> bool:
        """Whether what is due then is not begun any more."""
        return due >= self.departure


class Life(Protocol):
    """One user's behaviour; each part begins when it was due and says when it ended, and how it failed.

    All of them raise FeedExhaustedError where the user has no data left, which ends it.
    """

    def start(self, due: int) -> Awaitable[Done]:
        """What it does first; tried again, as a new person, until it goes well."""

    def iterate(self, due: int) -> Awaitable[Done]:
        """One task."""

    def stop(self, due: int) -> Awaitable[Done]:
        """What it does when it leaves, also when its start never went well."""


Enliven: TypeAlias = Callable[["Session", Visit, Luck], Life]
"""Makes the behaviour of one user."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of user, ready for use: when its iterations are due, how many they are (0: no end), and what
    makes the behaviour of one such user. `paced`: they are due on a grid, whatever the answers take.
    """

    name: str
    rhythm: Rhythm
    iterations: int
    enliven: Enliven
    paced: bool = False


def foreign_life(path: str, options: Any) -> Enliven:
    """What "module:function" gives for these options: behaviour that is neither a script nor a class."""
    module, _, name = path.partition(":")
    made: Enliven = getattr(importlib.import_module(module), name)(options)
    return made
