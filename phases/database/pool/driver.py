"""Queries through a pool at a rate, open loop: each is sent when it is due, however many still wait."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.exc import TimeoutError as CheckoutTimeoutError

from campaign.clock import SECOND, Clock
from campaign.database.address import Kind
from campaign.database.failure import failure_of
from campaign.load.luck import Luck
from campaign.stats.histogram import Histogram
from phases.database.pool.bench import Bench

GLANCE = 0.25
"""Seconds between two looks at the server's list of sessions."""

PATIENCE = 5.0
"""Seconds beyond a query's own time after which what still runs is given up."""

LAST = 0.5
"""The same once the run is stopped."""


@dataclass(frozen=True, slots=True)
class Load:
    """`rate` queries per second for `seconds`, each at work on the server for `query` seconds; a checkout
    that was refused counts as `timeout` seconds of waiting. The same `seed` gives the same arrivals.
    """

    rate: float
    seconds: float
    query: float
    timeout: float
    seed: int = 0

    @property
    def count(self) -> int:
        """How many queries that makes."""
        return max(1, round(self.rate * self.seconds))

    def dues(self) -> list[int]:
        """When each query is due, in nanoseconds from the beginning: independent of each other, as those of
        many users are. A Poisson process with so many arrivals is as many uniform numbers, sorted (Çinlar,
        "Introduction to Stochastic Processes", 1975, section 4.5).
        """
        luck = Luck(self.seed, 0)
        return sorted(round(luck.share() * self.count / self.rate * SECOND) for _ in range(self.count))


@dataclass(slots=True)
class Tally:
    """What came of a load. Times in the histograms are µs, all others seconds: `span` from the beginning
    until the last was due, `elapsed` until it ended, `held` how long connections were out, added up.
    """

    waits: Histogram = field(default_factory=Histogram)
    lags: Histogram = field(default_factory=Histogram)
    held: float = 0.0
    sent: int = 0
    done: int = 0
    taken: int = 0
    timeouts: int = 0
    out: int = 0
    peak: int = 0
    held_back: int = 0
    span: float = 0.0
    elapsed: float = 0.0
    errors: Counter[str] = field(default_factory=Counter)
    states: Counter[str] = field(default_factory=Counter)
    glances: int = 0


class Driver:
    """Sends a load through a pool and counts. `in_flight` bounds what is under way at once where no pool
    does.
    """

    def __init__(
        self,
        bench: Bench,
        clock: Clock,
        *,
        stopping: Callable[[], bool] = lambda: False,
        in_flight: int = 0,
    ) -> None:
        self._bench = bench
        self._clock = clock
        self._stopping = stopping
        self._in_flight = in_flight

    async def drive(self, load: Load) -> Tally:
        """What came of this load, once the last of it has ended."""
        tally = Tally()
        statement = query_of(self._bench.server.kind, load.query)
        over = asyncio.Event()
        watching = asyncio.create_task(self._watch(tally, over))
        tasks: set[asyncio.Task[None]] = set()
        began = self._clock.now_ns()
        try:
            await self._send(load, tally, began, tasks, statement)
            await self._end(tasks, load, tally)
        finally:
            tally.elapsed = (self._clock.now_ns() - began) / SECOND
            over.set()
            await _cancelled(tasks)
            await asyncio.wait({watching}, timeout=PATIENCE)  # not cancelled: its thread has a session
        return tally

    async def _send(
        self, load: Load, tally: Tally, began: int, tasks: set[asyncio.Task[None]], statement: Any
    ) -> None:
        for offset in load.dues():
            due = began + offset
            await self._clock.sleep_until(due)
            if self._stopping():
                return
            if self._in_flight and len(tasks) >= self._in_flight:
                tally.held_back += 1
                continue
            tally.sent += 1
            tally.span = offset / SECOND
            task = asyncio.create_task(self._one(due, load, tally, statement))
            tasks.add(task)
            task.add_done_callback(tasks.discard)

    async def _one(self, due: int, load: Load, tally: Tally, statement: Any) -> None:
        now_ns = self._clock.now_ns
        asked = now_ns()
        tally.lags.record((asked - due) // 1000)
        try:
            connection = await self._bench.engine.connect()
        except CheckoutTimeoutError:
            tally.timeouts += 1
            tally.waits.record(round(load.timeout * 1e6))
            return
        except (SQLAlchemyError, OSError) as error:
            tally.errors[str(failure_of(error))] += 1
            tally.waits.record(round(load.timeout * 1e6))
            return
        taken = now_ns()
        tally.waits.record((taken - asked) // 1000)
        tally.taken += 1
        tally.out += 1
        tally.peak = max(tally.peak, tally.out)
        try:
            await self._work(connection, statement, tally)
        finally:
            tally.out -= 1
            tally.held += (now_ns() - taken) / SECOND

    async def _work(self, connection: Any, statement: Any, tally: Tally) -> None:
        try:
            if not self._stopping():  # else all that wait are let through, as cancelling may leave a session
                await connection.execute(statement)
                tally.done += 1
        except (SQLAlchemyError, OSError) as error:
            tally.errors[str(failure_of(error))] += 1
        finally:
            await connection.close()

    async def _end(self, tasks: set[asyncio.Task[None]], load: Load, tally: Tally) -> None:
        """Let all that is under way come to its end, within bounds."""
        until = self._clock.now_ns() + round((load.timeout + 2 * load.query + PATIENCE) * SECOND)
        while tasks and self._clock.now_ns() < until:
            await asyncio.wait(tasks, timeout=0.2)
            if self._stopping():
                until = min(until, self._clock.now_ns() + round((2 * load.query + LAST) * SECOND))
        if tasks:
            tally.errors["no end within its time"] += len(tasks)

    async def _watch(self, tally: Tally, over: asyncio.Event) -> None:
        """Count the sessions of the pool by the server's word for what they do, now and then."""
        with suppress(SQLAlchemyError, OSError):  # what is measured goes on without it
            while not await _happens(over, within=GLANCE):
                tally.states.update(each.state or "unknown" for each in await self._bench.listed())
                tally.glances += 1


def query_of(kind: Kind, seconds: float) -> Any:
    """A query of this service time on PostgreSQL, MariaDB or MySQL."""
    function = "pg_sleep" if kind is Kind.POSTGRESQL else "SLEEP"
    return text(f"SELECT {function}({seconds:.6f})")


async def _happens(event: asyncio.Event, *, within: float) -> bool:
    """Whether it happens within so many seconds."""
    with suppress(TimeoutError):
        async with asyncio.timeout(within):
            await event.wait()
    return event.is_set()


async def _cancelled(tasks: set[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
