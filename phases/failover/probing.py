"""The probes: an open model at a constant rate, through all of a scenario.

Each request is due at its moment and goes out then, whatever became of those before it: one that hangs delays
none. All moments are on the scenario's one clock.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from campaign.clock import SECOND, Clock
from campaign.faults.fault import Effect, Fault, Healed, Injected
from campaign.faults.record import HealStep
from phases.failover.people import TOO_MANY, Exchange, Person
from phases.failover.story import Probe

VOLLEY = 8
"""Requests that are kept in flight around a SIGTERM."""

VOLLEY_SECONDS = 0.5
"""How long at most: a service that limits its callers is not to be overrun."""

WARM_NS = SECOND // 20
"""How long a volley flows before the fault."""

Ask = Callable[[int], Awaitable[Exchange]]
"""Sends the n-th request of a kind."""


@dataclass(slots=True)
class Diary:
    """Every probe of a scenario in the order in which they ended; `began_ns` is the clock's."""

    clock: Clock
    began_ns: int
    probes: list[Probe]

    @classmethod
    def begin(cls, clock: Clock) -> Diary:
        """An empty one, from now on."""
        return cls(clock, clock.now_ns(), [])

    def now_ns(self) -> int:
        """Nanoseconds since the scenario began."""
        return self.clock.now_ns() - self.began_ns

    def note(self, kind: str, exchange: Exchange, *, due_ns: int) -> None:
        """Keep a probe; `due_ns` is the scenario's time, the moments of an exchange are the clock's."""
        sent, done = exchange.sent_ns - self.began_ns, exchange.done_ns - self.began_ns
        said = "" if exchange.ok else exchange.said
        self.probes.append(
            Probe(kind, exchange.operation, due_ns, sent, done, exchange.ending, exchange.status, said)
        )


class Stream:
    """Requests of one kind at a constant rate, from when it is made until `end`."""

    def __init__(self, kind: str, rate: float, ask: Ask, *, diary: Diary, shift: float = 0.0) -> None:
        """`shift`: the first is due so large a part of the time between two later."""
        self.kind, self.rate = kind, rate
        self._ask, self._diary = ask, diary
        self._under_way: dict[asyncio.Task[None], int] = {}
        self._period = SECOND / rate
        self._first_ns = diary.now_ns() + round(shift * self._period)
        self._sending = asyncio.create_task(self._send())

    @property
    def oldest_ns(self) -> int | None:
        """When the oldest request was due whose end nobody knows yet; None where none is under way."""
        return min(self._under_way.values(), default=None)

    async def end(self) -> None:
        """Send no more, and wait for what is under way: a request has its time-out."""
        self._sending.cancel()
        await asyncio.wait([self._sending])
        if self._under_way:
            await asyncio.wait(list(self._under_way))
        if not self._sending.cancelled() and (error := self._sending.exception()) is not None:
            raise error

    async def drop(self) -> None:
        """End at once, whatever is under way."""
        for each in (self._sending, *self._under_way):
            each.cancel()
        with suppress(asyncio.CancelledError):
            await asyncio.gather(self._sending, *self._under_way, return_exceptions=True)

    async def _send(self) -> None:
        clock, number = self._diary.clock, 0
        while True:
            due = self._first_ns + round(number * self._period)
            await clock.sleep_until(self._diary.began_ns + due)
            task = asyncio.create_task(self._one(number, due))
            self._under_way[task] = due
            task.add_done_callback(self._under_way.pop)
            number += 1

    async def _one(self, number: int, due: int) -> None:
        exchange = await self._ask(number)
        self._diary.note(self.kind, exchange, due_ns=due)


def by_turns(persons: Sequence[Person], operations: Sequence[str]) -> Ask:
    """Asks the persons in turn for the operations in turn."""

    async def ask(number: int) -> Exchange:
        person = persons[number % len(persons)]
        person.scope.next_iteration()
        return await person.do(operations[number // len(persons) % len(operations)])

    return ask


class Volley:
    """Keeps requests in flight until it is ended or fails, so that whoever stops meanwhile meets some."""

    def __init__(self, persons: Sequence[Person], operations: Sequence[str], *, diary: Diary) -> None:
        self._over = False
        self._diary = diary
        self._until = diary.now_ns() + round(VOLLEY_SECONDS * SECOND)
        self._workers = [
            asyncio.create_task(self._keep(persons[each % len(persons)], operations, each))
            for each in range(VOLLEY)
        ]

    def cease(self) -> None:
        """Send no more."""
        self._over = True

    async def end(self) -> None:
        """Send no more, and wait for the last answers."""
        self.cease()
        await asyncio.gather(*self._workers)

    async def drop(self) -> None:
        """End at once."""
        for each in self._workers:
            each.cancel()
        await asyncio.gather(*self._workers, return_exceptions=True)

    async def _keep(self, person: Person, operations: Sequence[str], number: int) -> None:
        ok = True
        while ok and not self._over and (due := self._diary.now_ns()) < self._until:
            exchange = await person.do(operations[number % len(operations)])
            self._diary.note("volley", exchange, due_ns=due)
            number += 1
            ok = exchange.ok or exchange.status == TOO_MANY


class UnderFire:
    """A fault that is made while a volley flows; all else is the fault's own."""

    def __init__(self, fault: Fault, begin: Callable[[], Volley], clock: Clock) -> None:
        self._fault, self._begin, self._clock = fault, begin, clock

    @property
    def subject(self) -> str:
        """The role of what is broken."""
        return self._fault.subject

    @property
    def heals_itself(self) -> bool:
        """Whether something else is expected to put it right."""
        return self._fault.heals_itself

    def describe(self) -> str:
        """What it does, for people."""
        return self._fault.describe()

    async def look(self) -> tuple[HealStep, ...]:
        """How it is now. Raises FaultError."""
        return await self._fault.look()

    async def inject(self) -> Injected:
        """Break it while requests are under way. Raises FaultError."""
        volley = self._begin()
        try:
            await self._clock.sleep_until(self._clock.now_ns() + WARM_NS)
            return await self._fault.inject()
        finally:
            volley.cease()

    async def took_effect(self) -> Effect:
        """Whether it is proved to have happened."""
        return await self._fault.took_effect()

    async def heal(self) -> Healed:
        """Put it back."""
        return await self._fault.heal()
