"""Asks every source once per interval and records what it says, beside the campaign, from first to last
second.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress

from campaign.clock import SECOND, Clock
from campaign.monitor.host import HostSource
from campaign.monitor.processes import PortOwner, ProcessSource
from campaign.monitor.source import Reading, Source
from campaign.target.spec import TargetSpec


@asynccontextmanager
async def monitoring(
    target: TargetSpec, sink: Callable[[Reading], None], *, clock: Clock, interval: float
) -> AsyncIterator[ProcessSource]:
    """Within this block the host, the target's process and our own go to `sink` every `interval` seconds.

    Yields the source of the target's process, which knows whether there was one to see.
    """
    # Behind a Unix socket the URL's port is nobody's, or a stranger's.
    process = ProcessSource("target", PortOwner("" if target.connection.socket else target.url), begins=True)
    own = ProcessSource("campaign", lambda: {os.getpid()}, others=process.pids)
    sources = (HostSource(lambda: clock.now_ns() / SECOND), process, own)
    task = asyncio.create_task(sample(sources, sink, clock=clock, interval=interval))
    try:
        yield process
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError, OSError):  # a full disk: the report says so when it is written
            await task


async def sample(
    sources: Sequence[Source], sink: Callable[[Reading], None], *, clock: Clock, interval: float
) -> None:
    """Read all sources on a fixed grid of `interval` seconds until cancelled; a late reading shifts no
    other.
    """
    began, step = clock.now_ns(), round(interval * SECOND)
    while True:
        sink({name: value for source in sources for name, value in source.read().items()})
        ticks = (clock.now_ns() - began) // step + 1
        await clock.sleep_until(began + ticks * step)
