"""A user who does one operation at a time and says when each was sent and answered, and whether it went
well.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from campaign.clock import SECOND, Clock
from campaign.errors import CampaignError, TargetUnreachableError
from campaign.phase import PhaseContext, Stop
from campaign.target.feeds import open_feeds
from campaign.target.guard import Guard
from campaign.target.http import Answer, ControlClient
from campaign.target.operation import Operation, compile_operation
from campaign.target.request import Request
from campaign.target.scope import Scope
from campaign.target.spec import OptionsSpec

TOO_MANY = 429
SERVER_ERROR = 500
PATIENCE = 10.0
"""Seconds that we wait for an answer."""

GRACE = 1.0
"""Seconds that a request under way, or one that puts something back, still has when we are told to stop."""

WAITS = 5
"""How often one operation is tried again that came too early for a limit of the service."""


class NotDoneError(CampaignError):
    """An operation without which there is nothing to observe did not go well."""


@dataclass(frozen=True, slots=True)
class Done:
    """One exchange: seconds of the clock when it was sent and when it ended. `ok`: the service said that it
    was done, as the file expects it; else `why` not. `status` is None where there was no answer.
    """

    operation: str
    sent: float
    ended: float
    status: int | None
    ok: bool
    why: str
    body: bytes = b""

    @property
    def seconds(self) -> float:
        """How long it took."""
        return self.ended - self.sent


class Actor:
    """One user with connections of its own; several of its operations may be under way at once."""

    def __init__(
        self,
        scope: Scope,
        client: ControlClient,
        *,
        operations: dict[str, Operation],
        clock: Clock,
        stop: Stop,
    ) -> None:
        self.scope = scope
        self._client = client
        self._operations = operations
        self._clock = clock
        self._stop = stop

    async def do(self, name: str) -> Done:
        """What came of one exchange, whatever that is; a miss of what the file expects is one that failed."""
        operation = self._operations[name]
        request = operation.build(self.scope)
        sent = self._now()
        try:
            answer = await self._answer(request)
        except TargetUnreachableError as error:
            return Done(name, sent, self._now(), None, ok=False, why=str(error))
        miss = operation.expectation.check(
            answer.status, _headers(answer), answer.body, values=self.scope.values
        )
        why = miss.detail if miss else ""
        return Done(name, sent, self._now(), answer.status, ok=miss is None, why=why, body=answer.body)

    async def patiently(self, name: str) -> Done:
        """As `do`; what a limit of the service refuses (429) is tried again a second later."""
        for _ in range(WAITS):
            if (done := await self.do(name)).status != TOO_MANY:
                break
            await asyncio.sleep(1.0)
        return done

    async def surely(self, *names: str) -> Done | None:
        """The last of these, done in turn. Raises NotDoneError where one does not go well."""
        done = None
        for name in names:
            done = await self.patiently(name)
            if not done.ok:
                raise NotDoneError(f"{name} of user {self.scope.number} did not go well: {done.why}")
        return done

    async def _answer(self, request: Request) -> Answer:
        """The answer, for which we wait no longer than a moment once we are told to stop."""
        sending = asyncio.create_task(self._client.send(request))
        stopping = asyncio.create_task(self._stop.wait())
        try:
            await asyncio.wait({sending, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if not sending.done():
                await asyncio.wait({sending}, timeout=GRACE)
            if not sending.done():
                raise TargetUnreachableError("no answer yet when we were told to stop")
            return sending.result()
        finally:
            stopping.cancel()
            sending.cancel()

    def _now(self) -> float:
        return self._clock.now_ns() / SECOND


@asynccontextmanager
async def actors(
    context: PhaseContext, names: Iterable[str], *, first: int, count: int
) -> AsyncIterator[list[Actor]]:
    """So many users, from number `first` on, who can do these operations."""
    target, clock = context.target, context.clock
    guard = Guard(target.allow_hosts)
    operations = {
        name: compile_operation(context.vocabulary.operations[name], target) for name in dict.fromkeys(names)
    }
    feeds = open_feeds(context.vocabulary.feeds)
    async with AsyncExitStack() as stack:
        everybody = []
        for number in range(first, first + count):
            options = OptionsSpec(timeout=PATIENCE, redirects=0)
            client = await stack.enter_async_context(ControlClient(target, guard, options=options))
            scope = Scope(number, seed=f"{context.seed}/service", feeds=feeds, wall=clock.wall)
            everybody.append(Actor(scope, client, operations=operations, clock=clock, stop=context.stop))
        yield everybody


def _headers(answer: Answer) -> list[tuple[bytes, bytes]]:
    return [(name.encode("latin-1", "replace"), value.encode("latin-1", "replace"))
            for name, value in answer.headers.items()]  # fmt: skip
