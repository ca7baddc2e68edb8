"""What a Dask worker does for a run: it holds one shard in a process of its own and passes messages on.

The shard runs in the same program as on one machine, `campaign.load.worker`, so Dask's own work is not in its
way. Each attempt first claims its shard; Dask may start a task again elsewhere or later, and the run grants a
shard once only.
"""

from __future__ import annotations

import asyncio
import platform
import time
import uuid

from campaign import __version__
from campaign.errors import GeneratorError
from campaign.load.messages import Failed, Finished, Ready, Shard, Stop
from campaign.load.process import WorkerProcess
from campaign.load.wire import Wire, down, up

ABANDONED = 10.0
"""Seconds for which an outpost waits for a word from the run; it should have one every second."""

PATIENCE = 30.0
"""Seconds without a word from the shard's process after which it is taken to be dead."""


def versions() -> dict[str, str]:
    """What must be the same on both sides: ours, and the Python that pickles."""
    return {"campaign": __version__, "Python": ".".join(platform.python_version_tuple()[:2])}


async def hold(token: str, patience: float = ABANDONED) -> str:
    """Runs on a Dask worker: how the attempt at the shard that `token` names ended, in a word.

    After `patience` seconds without a word from the run, the run is taken to be gone, and the load ends.
    """
    from distributed import get_client  # noqa: PLC0415 - Dask is loaded only where it is wanted

    client = get_client()
    attempt = uuid.uuid4().hex
    upward, downward = Wire(up(token), client), Wire(down(token, attempt), client, patience)
    await upward.open()
    await downward.open()
    try:
        return await _attempt(attempt, upward=upward, downward=downward)
    finally:
        downward.close()


async def _attempt(attempt: str, *, upward: Wire, downward: Wire) -> str:
    await upward.put({"op": "claim", "attempt": attempt, **versions()})
    shard = await _granted(upward, downward)
    if shard is None:
        return "refused"
    process = WorkerProcess(shard.index)
    try:
        return await _run(process, shard, upward=upward, downward=downward)
    finally:
        process.kill()
        await process.exited()


async def _granted(upward: Wire, downward: Wire) -> Shard | None:
    """The shard, after the run has asked for the time as often as it likes; None where we are not to run."""
    while True:
        message = await downward.next()
        if isinstance(message, Shard):
            return message
        op = message.get("op") if isinstance(message, dict) else None
        if op == "time":
            await upward.put({"op": "time", "now": time.monotonic_ns(), "trip": message["trip"]})
        elif op != "beat":
            return None


async def _run(process: WorkerProcess, shard: Shard, *, upward: Wire, downward: Wire) -> str:
    try:
        await process.start(shard)
    except GeneratorError as error:
        await upward.put(Failed(str(error)))
        return "failed"
    await upward.put(Ready(process.means))
    reporting = asyncio.create_task(_report(process, upward))
    obeying = asyncio.create_task(_obey(process, downward))
    try:
        await asyncio.wait((reporting, obeying), return_when=asyncio.FIRST_COMPLETED)
        return "done" if reporting.done() else "ended"
    finally:
        reporting.cancel()
        obeying.cancel()


async def _report(process: WorkerProcess, upward: Wire) -> None:
    """Pass on what the shard says, to its end."""
    while (message := await process.hear(PATIENCE)) is not None:
        await upward.put(message)
        if isinstance(message, Finished | Failed):
            return
    await upward.put(Failed(await process.epitaph(None)))


async def _obey(process: WorkerProcess, downward: Wire) -> None:
    """Pass on what the run says; return when it says that we are to end, or says nothing any more."""
    while (message := await downward.next()) is not None:
        if not isinstance(message, dict):
            await process.tell(message)
        elif message["op"] == "kill":
            return
    await process.tell(Stop(0.0))
