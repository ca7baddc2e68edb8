"""A load worker process: `python -m campaign.load.worker`, spoken to through its standard input and output.

It gets a Shard, answers Ready, gets Start, reports an Interval each second and ends with Finished. When its
input ends, its parent is gone, and so is it; a thread sees to it where a user's code never lets go.
Interrupts from the keyboard go to the parent, which says Stop.
"""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import sys
from typing import Any

import uvloop

from campaign.clock import SECOND, RealClock
from campaign.errors import CampaignError
from campaign.load.engine import UserStuckError, run_shard
from campaign.load.machine import allow_many_connections, means
from campaign.load.messages import (
    Began,
    Failed,
    Finished,
    Interval,
    Ready,
    Shard,
    Start,
    Stop,
    encode,
    read_message,
)
from campaign.load.orphan import end_all, end_with_parent
from campaign.load.shard import prepare
from campaign.load.timeline import Timeline


class Parent:
    """The other end of the pipes."""

    def __init__(self, reader: asyncio.StreamReader, output: asyncio.WriteTransport) -> None:
        self._reader = reader
        self._output = output
        self._grace: asyncio.Future[float] = asyncio.get_running_loop().create_future()

    def say(self, message: object) -> None:
        """Send a message."""
        self._output.write(encode(message))

    def report(self, interval: Interval) -> None:
        """Send what was seen in one second."""
        self.say(interval)

    async def stopped(self) -> float:
        """The grace in seconds, when the parent says Stop."""
        return await asyncio.shield(self._grace)

    async def receive(self) -> Any:
        """The next message; without a parent there is nothing left to do, not even to tidy up."""
        message = await read_message(self._reader)
        if message is None:
            end_all()
        return message

    async def listen(self) -> None:
        """Wait for Stop, and for the end of the parent."""
        while True:
            message = await self.receive()
            if isinstance(message, Stop) and not self._grace.done():
                self._grace.set_result(message.grace)


async def work(parent: Parent) -> None:
    """Return when the shard that the parent gives is done."""
    shard: Shard = await parent.receive()
    prepared = prepare(shard)
    parent.say(Ready(means()))
    start: Start = await parent.receive()
    _calm_garbage_collector(Timeline.of(shard.plan.scenario, start.start_ns))
    beginning = asyncio.create_task(_say_when_it_begins(parent, start.start_ns))
    listening = asyncio.create_task(parent.listen())
    finished: Finished = await run_shard(prepared, start.start_ns, control=parent, clock=RealClock())
    listening.cancel()
    beginning.cancel()
    parent.say(finished)


async def _say_when_it_begins(parent: Parent, start_ns: int) -> None:
    clock = RealClock()
    await clock.sleep_until(start_ns)
    parent.say(Began(clock.now_ns()))


async def serve(output: int) -> None:
    """Return when the work is done and told to the parent, through the file descriptor `output`."""
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    transport, drained = await loop.connect_write_pipe(Drained, os.fdopen(output, "wb"))
    parent = Parent(reader, transport)
    stuck = False
    try:
        await work(parent)
    except CampaignError as error:
        parent.say(Failed(str(error)))
        stuck = isinstance(error, UserStuckError)
    transport.close()
    await drained.closed
    if stuck:
        os._exit(1)  # nothing else ends what catches every cancellation


class Drained(asyncio.BaseProtocol):
    """Knows when everything written has gone out."""

    def __init__(self) -> None:
        self.closed: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 (asyncio gives it)
        """The pipe is closed, by us or by the parent's end."""
        if not self.closed.done():
            self.closed.set_result(None)


def main() -> None:
    """Serve the parent; what a library prints goes to the standard error, never between the messages."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    output = os.dup(sys.stdout.fileno())
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    allow_many_connections()
    end_with_parent()
    uvloop.run(serve(output))


def _calm_garbage_collector(timeline: Timeline) -> None:
    """Spare it from looking through what stays anyway: with 5,000 users one full pass stops us for 100 ms."""
    gc.set_threshold(20_000, 20, 20)
    gc.freeze()
    until_hold = (timeline.hold_begins - RealClock().now_ns()) / SECOND
    asyncio.get_running_loop().call_later(max(until_hold, 0.0), gc.freeze)


if __name__ == "__main__":
    main()
