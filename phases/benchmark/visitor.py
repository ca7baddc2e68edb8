"""Who does a benchmark: each operation in turn, on one side or on both in a random order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from campaign.load.python.answer import Failed
from campaign.load.python.tasks import task
from campaign.load.python.user import User
from campaign.load.session import Identity
from campaign.target.scope import Scope

PLAN = "benchmark"
"""The feed whose only item says what to do: {sides, users, start, operations, warm_up, pause, seed}."""

START, WARM_UP, MEASURED = "start", "warm-up", "measured"
"""What an operation is done for; each is counted by itself."""

TRIES = 3
"""Times that what comes first is tried, a moment apart."""

MOMENT = 0.5


def label(stage: str, side: str, operation: str) -> str:
    """What an operation is called in the vocabulary of the benchmark."""
    return f"{stage}.{side}.{operation}"


class Visitor(User):
    """Does one round of all operations after the other, each as another of a few users. On each side these
    are people of their own, with what they saved there and their own cookies; an operation's turns on both
    sides come right after one another.
    """

    async def on_start(self) -> None:
        """Do what comes first for every user on each side, then the rounds that are not counted."""
        plan: dict[str, Any] = self.data[PLAN]
        self._operations: Sequence[str] = plan["operations"]
        self._selves: dict[str, list[Identity]] = {}
        for side in plan["sides"]:
            if ready := await self._users(side, plan):
                self._selves[side] = ready
        self._users_ready = min(map(len, self._selves.values()), default=0)
        self._rounds, self._pause = 0, plan["pause"]
        for _ in range(plan["warm_up"]):
            await self._round(WARM_UP)

    @task
    async def do_round(self) -> None:
        """One round that counts."""
        await self._round(MEASURED)
        if self._pause:
            await self.sleep(self._pause)

    async def _users(self, side: str, plan: dict[str, Any]) -> list[Identity]:
        """Those that came through what comes first. User 7 is user 7 on each side, so the same account;
        made-up people differ, as two services may share a database.
        """
        ready: list[Identity] = []
        feeds = self._courier.session.scope.feeds
        for number in range(1, plan["users"] + 1):
            somebody = Identity(Scope(number, seed=f"{plan['seed']}/{side}", feeds=feeds))
            begun = await self._start(side, somebody, plan["start"])
            if begun is None:
                break
            ready.append(begun)
        return ready

    async def _start(self, side: str, somebody: Identity, operations: Sequence[str]) -> Identity | None:
        """Who it is afterwards, or None where it failed at last."""
        for left in reversed(range(TRIES)):
            try:
                for operation in operations:
                    somebody = await self._do(label(START, side, operation), somebody, must=True)
            except Failed:
                await self.sleep(MOMENT if left else 0)
            else:
                return somebody
        return None

    async def _round(self, stage: str) -> None:
        if not self._users_ready:
            return
        number, self._rounds = self._rounds % self._users_ready, self._rounds + 1
        for ready in self._selves.values():
            ready[number].scope.next_iteration()
        for operation in self._operations:
            for side in self.random.sample(tuple(self._selves), len(self._selves)):
                ready = self._selves[side]
                ready[number] = await self._do(label(stage, side, operation), ready[number])

    async def _do(self, operation: str, somebody: Identity, *, must: bool = False) -> Identity:
        """Who it is after the operation."""
        session = self._courier.session
        before = session.become(somebody)
        try:
            await (self.send if must else self.try_send)(operation)
        finally:
            after = session.become(before)
        return after
