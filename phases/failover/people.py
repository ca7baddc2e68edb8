"""Users of the service, each with connections of its own, and what came of what they asked for."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from campaign.clock import SECOND, Clock
from campaign.errors import CampaignError, RefusedError, TargetUnreachableError
from campaign.phase import PhaseContext
from campaign.target.feeds import FeedExhaustedError, open_feeds
from campaign.target.guard import Guard
from campaign.target.http import Answer, ControlClient
from campaign.target.operation import Operation, compile_operation
from campaign.target.scope import RenderError, Scope
from campaign.target.spec import ExpectSpec, OperationSpec, OptionsSpec, TargetSpec
from phases.failover.story import Ending

HEALTH = "health"
"""The operation that is asked for where the campaign file names none."""

FIRST_PAGE = {"offset": 0, "page": 0}
"""What an operation that is read page by page is asked for, unless somebody turns the pages."""

UNAUTHORIZED, TOO_MANY = 401, 429
AGAIN_NS = SECOND
"""A user who is signed out signs in again, at most once in this time."""

LONGEST_SAID = 200
PATIENCE_SECONDS = 10.0
"""How long somebody who prepares or looks something up is patient with a service that is busy."""

PAUSE_NS = SECOND // 4
_REFUSED = (httpx.ConnectError, httpx.UnsupportedProtocol, httpx.ProxyError)
_HUNG = (httpx.TimeoutException, TimeoutError)


class NotPossibleError(CampaignError):
    """Nobody can do what has to be done before a fault; the text says what went wrong."""

    slug = "failover-users"
    exit_code = 3


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and what came of it; moments in clock nanoseconds. `said` are the first words of an answer
    that was none, or why there is none. `status` is 0 where nothing was answered.
    """

    operation: str
    sent_ns: int
    done_ns: int
    ending: Ending
    status: int = 0
    said: str = ""
    body: bytes = b""

    @property
    def ok(self) -> bool:
        """Whether the service did as the campaign file expects."""
        return self.ending is Ending.OK


class Person:
    """One user. `signs_in_again`: whether it does so when the service knows it no more."""

    def __init__(
        self,
        scope: Scope,
        client: ControlClient,
        *,
        operations: Mapping[str, Operation],
        clock: Clock,
        start: tuple[str, ...],
        signs_in_again: bool,
    ) -> None:
        self.scope = scope
        self.scope.values.update(FIRST_PAGE)
        self._client, self._operations, self._clock = client, operations, clock
        self._start, self._signs_in_again = start, signs_in_again
        self._signing_in: asyncio.Task[None] | None = None
        self._signed_in_ns = 0
        self._made: list[str] = []

    async def do(self, name: str, *, values: Mapping[str, Any] | None = None) -> Exchange:
        """What came of one request; `values` are what its template may name besides what the user knows."""
        operation = self._operations[name]
        self.scope.values.update(values or {})
        sent = self._clock.now_ns()
        try:
            request = operation.build(self.scope)
        except (RenderError, FeedExhaustedError) as error:
            return Exchange(name, sent, sent, Ending.UNSENT, said=f"it cannot be asked: {error}")
        try:
            answer = await self._client.send(request)
        except TargetUnreachableError as error:
            return Exchange(name, sent, self._clock.now_ns(), _ending(error), said=str(error))
        done = self._clock.now_ns()
        exchange = self._answered(operation, answer, sent=sent, done=done)
        if exchange.status == UNAUTHORIZED and self._signs_in_again:
            self._sign_in_soon()
        return exchange

    async def surely(self, name: str, *, values: Mapping[str, Any] | None = None) -> Exchange:
        """The same, again and again for a while where the service is busy or away: for preparing, and for
        reading back.
        """
        until = self._clock.now_ns() + round(PATIENCE_SECONDS * SECOND)
        while not (exchange := await self.do(name, values=values)).ok:
            final = 400 <= exchange.status < 500 and exchange.status != TOO_MANY
            if final or exchange.ending is Ending.UNSENT or self._clock.now_ns() > until:
                break
            await self._clock.sleep_until(self._clock.now_ns() + PAUSE_NS)
        return exchange

    async def sign_in(self) -> None:
        """Do what the campaign file says that users do at their start. Raises NotPossibleError."""
        for name in self._start:
            if not (done := await self.surely(name)).ok:
                said = done.said or f"status {done.status}"
                raise NotPossibleError(f"user {self.scope.number} cannot {name}: {said}")
            if undo := self._operations[name].spec.options.undo:
                self._made.append(undo)
        self._signed_in_ns = self._clock.now_ns()

    async def end(self) -> int:
        """Leave off what goes on in the background, and undo what the start has made; how much is left."""
        if self._signing_in is not None:
            self._signing_in.cancel()
            await asyncio.wait([self._signing_in])
        undone = [(await self.do(name)).ok for name in reversed(self._made)]
        self._made.clear()
        return undone.count(False)

    def _answered(self, operation: Operation, answer: Answer, *, sent: int, done: int) -> Exchange:
        if answer.problem:
            return Exchange(
                operation.name, sent, done, Ending.WRONG, answer.status, answer.problem[:LONGEST_SAID]
            )
        miss = operation.expectation.check(
            answer.status, _headers(answer), answer.body, values=self.scope.values
        )
        if miss is None:
            return Exchange(operation.name, sent, done, Ending.OK, answer.status, body=answer.body)
        ending = Ending.STATUS if miss.kind == "status" else Ending.WRONG
        said = _words(answer.body) if ending is Ending.STATUS else miss.detail
        return Exchange(operation.name, sent, done, ending, answer.status, said or miss.detail, answer.body)

    def _sign_in_soon(self) -> None:
        """As a client does; one try at a time, and not all the time."""
        busy = self._signing_in is not None and not self._signing_in.done()
        if not self._start or busy or self._clock.now_ns() - self._signed_in_ns < AGAIN_NS:
            return
        self._signed_in_ns = self._clock.now_ns()
        self._signing_in = asyncio.create_task(self._sign_in_again())

    async def _sign_in_again(self) -> None:
        for name in self._start:
            if not (await self.do(name)).ok:
                return


@dataclass(frozen=True, slots=True)
class People:
    """Those who probe and write, and those who signed in once and never again."""

    probing: tuple[Person, ...]
    staying: tuple[Person, ...]


@asynccontextmanager
async def people(context: PhaseContext, names: Iterable[str]) -> AsyncIterator[People]:
    """The users of the campaign file's `probes`, all signed in, who can do these operations.

    Raises NotPossibleError where they cannot sign in.
    """
    probes = context.settings.probes
    operations = compiled(context, names)
    feeds = open_feeds(context.vocabulary.feeds)
    guard = Guard(context.target.allow_hosts)
    count = probes.users * (2 if probes.session else 1)
    makes = any(operations[name].spec.options.undo for name in probes.start)
    everybody: list[Person] = []
    async with AsyncExitStack() as stack:
        for number in range(probes.user, probes.user + count):
            options = OptionsSpec(timeout=probes.timeout, redirects=0)
            client = await stack.enter_async_context(ControlClient(context.target, guard, options=options))
            person = Person(
                Scope(number, seed=f"{context.seed}/failover", feeds=feeds, wall=context.clock.wall),
                client,
                operations=operations,
                clock=context.clock,
                start=probes.start,
                signs_in_again=len(everybody) < probes.users and not makes,
            )
            everybody.append(person)
        try:
            for person in everybody:
                await person.sign_in()
            yield People(tuple(everybody[: probes.users]), tuple(everybody[probes.users :]))
        finally:
            await _end_all(everybody, context)


async def _end_all(everybody: Sequence[Person], context: PhaseContext) -> None:
    left = sum(await asyncio.gather(*(each.end() for each in everybody)))
    if left:
        context.record.note(f"Of what users made at their start, {left} could not be undone and are left.")


def compiled(context: PhaseContext, names: Iterable[str]) -> dict[str, Operation]:
    """These operations of the vocabulary, ready for use, and the health request."""
    there = context.vocabulary.operations
    wanted = dict.fromkeys(names)
    wanted |= dict.fromkeys(
        there[name].options.undo for name in wanted if name in there and there[name].options.undo
    )
    if unknown := [name for name in wanted if name not in there and name != HEALTH]:
        raise RefusedError(f"the operation {unknown[0]} is not there")
    specs = [there.get(name) or _health(context.target) for name in wanted]
    return {spec.name: compile_operation(spec, context.target) for spec in specs}


def _health(target: TargetSpec) -> OperationSpec:
    method, _, path = (target.health or "GET /").partition(" ")
    wanted: tuple[int | str, ...] = ("2xx",) if target.health else ("2xx", "3xx", "4xx")
    return OperationSpec(HEALTH, method, path, expect=ExpectSpec(status=wanted))


def _ending(error: TargetUnreachableError) -> Ending:
    cause = error.__cause__
    if isinstance(cause, _HUNG):
        return Ending.HUNG
    return Ending.REFUSED if cause is None or isinstance(cause, _REFUSED) else Ending.RESET


def _headers(answer: Answer) -> list[tuple[bytes, bytes]]:
    return [
        (name.encode("latin-1", "replace"), value.encode("latin-1", "replace"))
        for name, value in answer.headers.items()
    ]


def _words(body: bytes) -> str:
    return " ".join(body[: 4 * LONGEST_SAID].decode(errors="replace").split())[:LONGEST_SAID]
