"""Runs a load plan in worker processes of this machine and merges what they report.

The workers are started as programs, not with multiprocessing, so that a user's script needs no guard around
its main part. They are ended with this function, whatever ends it, and by themselves when this process is
gone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Sequence
from typing import Any, Protocol

from campaign.clock import SECOND, Clock
from campaign.load.merge import Merge
from campaign.load.messages import Finished, Interval, Shard, Start, Stop
from campaign.load.process import WorkerProcess
from campaign.load.spec import LoadOutcome, LoadPlan, Second

LEAD = SECOND // 5
"""Nanoseconds from the moment all are ready to the start, so that the start reaches each before it is due."""

SILENCE_LIMIT = 30.0
"""Seconds without a word after which a worker counts as lost; it should report every second."""

GRACE = 2.0
"""Seconds that requests in flight have when the run is stopped early."""


class StopSignal(Protocol):
    """Something that can be waited for; `campaign.phase.Stop` and `asyncio.Event` are."""

    def wait(self) -> Coroutine[Any, Any, Any]:
        """Return when the run is to end early."""


async def run_load(
    plan: LoadPlan, *, clock: Clock, stop: StopSignal, on_second: Callable[[Second], None]
) -> LoadOutcome:
    """What the scenario came to, up to where it was stopped.

    `on_second` is called with each second when all workers have reported it. Raises GeneratorError when a
    worker cannot be started.
    """
    workers = [WorkerProcess(index) for index in range(plan.workers)]
    try:
        await _all(worker.start(Shard(plan, worker.index)) for worker in workers)
        merge = Merge(plan, start_ns := clock.now_ns() + LEAD, on_second=on_second)
        await _all(worker.tell(Start(start_ns)) for worker in workers)
        stopping = asyncio.create_task(_pass_on(stop, workers, clock=clock))
        try:
            await _all(_follow(worker, merge) for worker in workers)
        finally:
            stopping.cancel()
        return merge.outcome(stopped_ns=stopping.result() if stopping.done() else None)
    finally:
        for worker in workers:
            worker.kill()
        await _all(worker.exited() for worker in workers)


async def _follow(worker: WorkerProcess, merge: Merge) -> None:
    """Return when the worker has finished or is lost."""
    while isinstance(message := await worker.hear(SILENCE_LIMIT), Interval):
        merge.add(worker.index, message)
    if isinstance(message, Finished):
        merge.add(worker.index, message.last, last=True)
        await worker.exited()
    else:
        merge.lose(worker.index, await worker.epitaph(message))


async def _pass_on(stop: StopSignal, workers: Sequence[WorkerProcess], *, clock: Clock) -> int:
    """The moment in ns when the run was stopped."""
    await stop.wait()
    stopped_ns = clock.now_ns()
    await _all(worker.tell(Stop(GRACE)) for worker in workers)
    return stopped_ns


async def _all(works: Iterable[Coroutine[Any, Any, None]]) -> None:
    """Return when all are done; the first failure ends the others and is raised."""
    tasks = [asyncio.create_task(work) for work in works]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
