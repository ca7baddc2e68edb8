"""Runs a load plan on a crew of workers, here or on a cluster, and merges what they report.

The workers are started as programs, not with multiprocessing, so that a user's script needs no guard around
its main part. They are ended with this function, whatever ends it, and by themselves when this process is
gone. A lost worker is never replaced: its shard stays undone, and the outcome says so.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import replace
from typing import Any, Protocol

from campaign.clock import Clock
from campaign.load.crew import Crew, ShardWorker, open_crew, together
from campaign.load.generator import GeneratorHealth
from campaign.load.machine import shortages
from campaign.load.merge import Merge
from campaign.load.messages import Began, Failed, Finished, Interval, Shard, Start, Stop
from campaign.load.outcome import LoadOutcome, Second
from campaign.load.spec import LoadPlan

SILENCE_LIMIT = 30.0
"""Seconds without a word after which a worker counts as lost; it should report every second."""

GRACE = 2.0
"""Seconds that requests in flight have when the run is stopped early."""


class StopSignal(Protocol):
    """Something that can be waited for; `campaign.phase.Stop` and `asyncio.Event` are."""

    def wait(self) -> Coroutine[Any, Any, Any]:
        """Return when the run is to end early."""


async def run_load(
    plan: LoadPlan,
    *,
    clock: Clock,
    stop: StopSignal,
    on_second: Callable[[Second], None],
    fleet: str = "",
    warn: Callable[[str], None] = lambda _: None,
) -> LoadOutcome:
    """What the scenario came to, up to where it was stopped.

    `fleet` is the address of a Dask scheduler, on whose workers the shards run; "": on this machine.
    `on_second` is called with each second when all workers have reported it, `warn` before the start with
    what this machine may run out of. Raises GeneratorError when a worker cannot be started.
    """
    async with open_crew(plan, fleet) as crew:
        plan = replace(plan, workers=len(crew.workers))
        await together(worker.start(Shard(plan, worker.index)) for worker in crew.workers)
        for shortage in _shortages(plan, crew):
            warn(shortage)
        merge = Merge(plan, start_ns := clock.now_ns() + crew.lead, on_second=on_second)
        await together(worker.tell(Start(start_ns)) for worker in crew.workers)
        stops: list[int] = []
        stopping = asyncio.create_task(_pass_on(stop, crew.workers, clock=clock, stopped=stops.append))
        try:
            await together(_follow(worker, merge) for worker in crew.workers)
        finally:
            stopping.cancel()
        outcome = merge.outcome(stopped_ns=stops[0] if stops else None)
        return replace(outcome, generator=_with_means(outcome.generator, plan, crew))


def _with_means(health: GeneratorHealth, plan: LoadPlan, crew: Crew) -> GeneratorHealth:
    """`health` with what the machines of the crew grant it."""
    means = [each.means for each in crew.workers]
    return replace(
        health,
        ports=min(each.ports for each in means),
        open_files=min(each.open_files for each in means),
        shortages=_shortages(plan, crew),
    )


def _shortages(plan: LoadPlan, crew: Crew) -> tuple[str, ...]:
    hosts = 1 + len(plan.target.services)
    return shortages([each.means for each in crew.workers], plan.scenario.users, hosts=hosts)


async def _follow(worker: ShardWorker, merge: Merge) -> None:
    """Return when the worker has finished or is lost; what comes twice counts once, a gap is a loss."""
    expected = 0
    while not isinstance(message := await worker.hear(SILENCE_LIMIT), Failed | None):
        if isinstance(message, Began):
            merge.begin(worker.index, message.at_ns, error_ns=worker.clock_error)
            continue
        interval: Interval = message.last if isinstance(message, Finished) else message
        if interval.sequence > expected:
            merge.lose(worker.index, f"second {expected} of what it saw never arrived")
            worker.kill()
            return
        if interval.sequence == expected:
            expected += 1
            merge.add(worker.index, interval, last=isinstance(message, Finished))
        if isinstance(message, Finished):
            return
    merge.lose(worker.index, await worker.epitaph(message))


async def _pass_on(
    stop: StopSignal, workers: Sequence[ShardWorker], *, clock: Clock, stopped: Callable[[int], None]
) -> None:
    """Tell `stopped` the moment in ns when the run was stopped, before the workers: some may end at once."""
    await stop.wait()
    stopped(clock.now_ns())
    await together(worker.tell(Stop(GRACE)) for worker in workers)
