"""Where the shards of a plan run: workers that are started, told, heard and ended alike, wherever."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine, Iterable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Any, Protocol

from campaign.clock import SECOND
from campaign.load.machine import Means
from campaign.load.messages import Shard
from campaign.load.process import WorkerProcess
from campaign.load.spec import LoadPlan


class ShardWorker(Protocol):
    """One worker, which runs one shard; all moments that it speaks of are of our own clock."""

    @property
    def index(self) -> int:
        """Its number, from 0."""

    @property
    def means(self) -> Means:
        """What its machine grants it, known once it is started."""

    @property
    def clock_error(self) -> int:
        """By how many ns at most a moment that it speaks of is wrong on our clock."""

    async def start(self, shard: Shard) -> None:
        """Return when it is ready to run `shard`. Raises GeneratorError."""

    async def tell(self, message: object) -> None:
        """Send Start or Stop; that the worker is gone is noticed where it is heard."""

    async def hear(self, limit: float) -> Any:
        """Its next message; None where none comes within `limit` seconds, or the worker is gone."""

    async def epitaph(self, last: object) -> str:
        """Why it ended before its time, after it said `last`."""

    def kill(self) -> None:
        """End it at once, if it is still there."""

    async def exited(self) -> None:
        """Return when it has ended, or can do nothing more to the target."""


@dataclass(frozen=True, slots=True)
class Crew:
    """The workers of one run; they need `lead` nanoseconds between the news of the start and the start."""

    workers: Sequence[ShardWorker]
    lead: int


LOCAL_LEAD = SECOND // 5
"""Nanoseconds in which the news of the start reaches every process of this machine."""


def open_crew(plan: LoadPlan, fleet: str) -> AbstractAsyncContextManager[Crew]:
    """The workers for `plan`: processes of this machine, or with an address in `fleet` those of a Dask
    cluster. They end with the context.
    """
    if not fleet:
        return local_crew(max(1, plan.workers))
    from campaign.load.cluster import cluster_crew  # noqa: PLC0415 - Dask is loaded only where it is wanted

    return cluster_crew(fleet, plan)


@asynccontextmanager
async def local_crew(count: int) -> AsyncIterator[Crew]:
    """`count` processes of this machine."""
    workers = [WorkerProcess(index) for index in range(count)]
    try:
        yield Crew(workers, LOCAL_LEAD)
    finally:
        await dismiss(workers)


async def dismiss(workers: Sequence[ShardWorker]) -> None:
    """Return when none of the workers is at work any longer."""
    for worker in workers:
        worker.kill()
    await together(worker.exited() for worker in workers)


async def together(works: Iterable[Coroutine[Any, Any, None]]) -> None:
    """Return when all are done; the first failure ends the others and is raised."""
    tasks = [asyncio.create_task(work) for work in works]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
