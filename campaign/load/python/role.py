"""Runs a Python class as a kind of user: a role is the class, a player is one user in it."""

from __future__ import annotations

import asyncio
from bisect import bisect
from collections.abc import Awaitable, Callable
from contextlib import suppress
from itertools import accumulate
from typing import Any, TypeAlias

from campaign.load.failure import ExchangeError
from campaign.load.life import Done, Visit
from campaign.load.luck import Luck
from campaign.load.python.answer import Failed
from campaign.load.python.blame import told
from campaign.load.python.courier import Courier
from campaign.load.python.signals import Broken, Departure, Exhausted
from campaign.load.python.tasks import tasks_of
from campaign.load.python.user import User
from campaign.load.python.workshop import Workshop
from campaign.load.session import Session
from campaign.load.tally import ErrorKind
from campaign.target.feeds import FeedExhaustedError
from campaign.target.spec import UserSpec

Part: TypeAlias = Callable[[Any], Awaitable[object]]

OWN_TASK = "the class cancelled the task of its own user"

BREATH = 50_000_000
"""Nanoseconds that a task takes in which nothing was sent, measured or rested."""


class Role:
    """What all users of one kind share: the class, and the weights of its tasks, added up."""

    __slots__ = ("cls", "tasks", "weights", "workshop")

    def __init__(self, cls: type[User], spec: UserSpec, workshop: Workshop) -> None:
        self.cls = cls
        self.workshop = workshop
        weights = {name: mark.weight for name, mark in tasks_of(cls).items()}
        if spec.tasks:
            weights = {name: task.weight for name, task in spec.tasks.items() if name in weights}
        self.tasks = tuple(getattr(cls, name) for name in weights)
        self.weights = tuple(accumulate(weights.values()))

    def enliven(self, session: Session, visit: Visit, luck: Luck) -> Player:
        """The behaviour of one user."""
        return Player(self, session, visit, luck)


class Player:
    """One user's life; whatever its code does is counted, and ends at most the task that it was in."""

    __slots__ = ("_courier", "_luck", "_role", "_user")

    def __init__(self, role: Role, session: Session, visit: Visit, luck: Luck) -> None:
        self._role = role
        self._luck = luck
        self._courier = Courier(session, visit, role.workshop)
        self._user: User | None = None

    async def start(self, due: int) -> Done:
        """A new object of the class, and its `on_start`."""
        self._user = None
        return await self._act(self._make_user, due)

    async def iterate(self, due: int) -> Done:
        """One task, chosen by weight. One that comes to nothing rests a moment: without think time it would
        spin.
        """
        tasks, weights = self._role.tasks, self._role.weights
        chosen = 0
        if len(tasks) > 1:
            chosen = bisect(weights, self._luck.share() * weights[-1], hi=len(tasks) - 1)
        done, error = await self._act(tasks[chosen], due)
        if error is None and self._courier.is_idle_since(due):
            done = max(done, await self._courier.visit.rest(due + BREATH))
        return done, error

    async def stop(self, due: int) -> Done:
        """Its `on_stop`, if there is an object of the class."""
        if self._user is None:
            return due, None
        self._courier.leaving = True
        return await self._act(self._role.cls.on_stop, due)

    async def _make_user(self, _: object) -> None:
        cls = self._role.cls
        user = cls.__new__(cls)
        user._courier = self._courier  # noqa: SLF001 - the two modules are one
        user._random_seed = self._luck.share()  # noqa: SLF001
        user.__init__()  # type: ignore[misc] # after it has what its methods need
        self._user = user
        await user.on_start()

    async def _act(self, part: Part, due: int) -> Done:
        """Do one part of the class; its end, and what failed of it."""
        courier = self._courier
        courier.begin(due)
        task = asyncio.current_task()
        error: ExchangeError | None = None
        try:
            await part(self._user)
        except Departure:
            return courier.now(), None
        except (Exhausted, Broken) as signal:
            raise signal.error from None
        except BaseExceptionGroup as group:
            if group.subgroup((Departure, Exhausted, Broken)):
                return courier.now(), None
            error = self._raised(part, group, due=due)
        except BaseException as raised:
            if _is_end(raised, courier, task=task):
                raise
            error = self._raised(part, raised, due=due)
        if task is not None and task.cancelling() and not courier.is_dismissed:
            error = error or self._defect(part, asyncio.CancelledError(OWN_TASK), due=due)
            await _revive(task, courier)
        return courier.now(), error or courier.missed or courier.unanswered

    def _raised(self, part: Part, error: BaseException, *, due: int) -> ExchangeError:
        """What failed or was measured is told already; all else is a defect of the class. Raises what says
        that there is no data left.
        """
        courier = self._courier
        if isinstance(error, Failed) and isinstance(getattr(error, "error", None), ExchangeError):
            return error.error
        if error is courier.told:
            return courier.unanswered or ExchangeError(
                ErrorKind.EXPECTATION, told(error, courier.session.redact), answered=True
            )
        defect = self._defect(part, error, due=due)
        if isinstance(error, FeedExhaustedError):
            raise error
        return defect

    def _defect(self, part: Part, error: BaseException, *, due: int) -> ExchangeError:
        """Count a mistake of the user's code; the target is not to blame."""
        courier = self._courier
        failure = ExchangeError(ErrorKind.RENDER, told(error, courier.session.redact))
        name = f"{self._role.cls.__name__}.{_name(part)}"
        courier.session.keep(courier.session.position(name), failure, due=due, began=due, done=courier.now())
        return failure


async def _revive(task: asyncio.Task[Any], courier: Courier) -> None:
    """Take back that a user's code cancelled its own task."""
    while task.uncancel():
        pass
    with suppress(asyncio.CancelledError):
        await asyncio.sleep(0)  # one that is still to come, comes here
    if courier.is_dismissed:
        raise asyncio.CancelledError


def _is_end(error: BaseException, courier: Courier, *, task: asyncio.Task[Any] | None) -> bool:
    """Whether we end the user: cancel its `task`, or close it as it will not run again. Its own code may
    raise such things, too.
    """
    if isinstance(error, asyncio.CancelledError):
        return courier.is_dismissed
    if not isinstance(error, GeneratorExit):
        return False
    try:
        return asyncio.current_task() is not task
    except RuntimeError:  # there is no loop any more
        return True


def _name(part: Part) -> str:
    name = getattr(part, "__name__", "task")
    return "on_start" if name == "_make_user" else name
