"""Shards on a Dask cluster: each on one Dask worker, claimed once, its clock compared with ours, never run
again.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from campaign.clock import SECOND
from campaign.errors import GeneratorError
from campaign.load.crew import Crew, dismiss
from campaign.load.machine import Means
from campaign.load.messages import Began, Failed, Finished, Interval, Ready, Shard, Start
from campaign.load.offset import Offset, Trip, best_offset
from campaign.load.outpost import ABANDONED, hold, versions
from campaign.load.silence import Silences
from campaign.load.spec import LoadPlan
from campaign.load.station import MISSING, hush
from campaign.load.wire import Wire, down, up

if TYPE_CHECKING:
    from distributed import Client

CONNECT_LIMIT = 10.0
"""Seconds in which the scheduler must answer."""

START_LIMIT = 60.0
"""Seconds in which a Dask worker must have claimed its shard, and again to be ready for it."""

EXIT_LIMIT = 5.0
"""Seconds that an outpost has to end when it is told to."""

LEAD = SECOND
"""Nanoseconds in which the news of the start reaches every machine through the scheduler."""

BEAT = 1.0
"""Seconds between two signs of life to every outpost, and two looks at who is still there."""

TRIPS = 9
"""Round trips from which a clock's offset is found."""


class Outpost:
    """One shard's place on the cluster, as the run sees it: the Dask worker at `address`."""

    def __init__(self, index: int, address: str, client: Client) -> None:
        self.index = index
        self.address = address
        self.clock_error = 0
        self.means = Means()
        self._client = client
        self._token = uuid.uuid4().hex
        self._attempt = ""
        self._offset = Offset(0, 0)
        self._upward = Wire(up(self._token), client)
        self._downward: Wire | None = None
        self._inbox: asyncio.Queue[Any] = asyncio.Queue()
        self._listening: asyncio.Task[None] | None = None
        self._task: Any = None
        self._why = ""
        self._over = self._cut_off = False

    async def start(self, shard: Shard) -> None:
        """Return when the shard is ready there, and its clock known. Raises GeneratorError."""
        await self._upward.open()
        self._listening = asyncio.create_task(self._listen())
        self._task = self._client.submit(
            hold, self._token, ABANDONED, key=f"campaign-shard-{self._token}",
            workers=[self.address], allow_other_workers=False, pure=False, retries=0,
        )  # fmt: skip
        self._task.add_done_callback(self._ended)
        await self._claimed()
        self._offset = best_offset([await self._trip(number) for number in range(TRIPS)])
        self.clock_error = self._offset.error
        await self.tell(shard)
        answer = await self.hear(START_LIMIT)
        if not isinstance(answer, Ready):
            raise self._unstarted(await self.epitaph(answer))
        self.means = answer.means

    async def tell(self, message: object) -> None:
        """Send a message; that the worker is gone is noticed where it is heard."""
        if isinstance(message, Start):
            message = Start(message.start_ns + self._offset.ahead)
        if self._downward is not None and not self._cut_off:
            with contextlib.suppress(OSError):
                await self._downward.put(message)

    async def hear(self, limit: float) -> Any:
        """The next message, its moments on our clock, or None where none comes within `limit` seconds."""
        try:
            async with asyncio.timeout(limit):
                message = await self._inbox.get()
        except TimeoutError:
            return None
        self._over = self._over or isinstance(message, Finished | Failed)
        return _on_our_clock(message, -self._offset.ahead)

    async def epitaph(self, last: object) -> str:
        """Why the shard ended before its time."""
        if isinstance(last, Failed):
            return last.reason
        return self._why or f"Dask worker {self.address} fell silent"

    def lose(self, why: str, *, cut_off: bool = False) -> None:
        """The shard will not be finished; what was sent before is still heard. `cut_off`: nor can anything be
        told there any longer.
        """
        self._cut_off = self._cut_off or cut_off
        if not self._over and not self._why:
            self._why = why
            self._inbox.put_nowait(None)

    def kill(self) -> None:
        """The shard is to end; `exited` sees to it."""

    async def exited(self) -> None:
        """Return when the task has ended, or some seconds after it was told to."""
        if not self._over:
            await self.tell({"op": "kill"})
        if self._task is not None and not self._cut_off:
            with contextlib.suppress(Exception):
                async with asyncio.timeout(EXIT_LIMIT):
                    await self._task.result()
        await self._forget()

    async def _forget(self) -> None:
        if self._listening is not None:
            self._listening.cancel()
        for wire in (self._upward, self._downward):
            if wire is not None:
                wire.close()
        if self._task is not None and not self._cut_off:
            with contextlib.suppress(Exception):
                async with asyncio.timeout(EXIT_LIMIT):
                    await self._task.cancel()

    async def _listen(self) -> None:
        """Take in everything from the scheduler as it comes; a second claim is refused here."""
        try:
            while True:
                message = await self._upward.get()
                if isinstance(message, dict) and message["op"] == "claim" and self._attempt:
                    await self._refuse(message["attempt"])
                else:
                    self._attempt = self._attempt or message["attempt"]
                    self._inbox.put_nowait(message)
        except OSError:
            self.lose("the Dask scheduler is gone", cut_off=True)

    async def _refuse(self, attempt: str) -> None:
        """Dask has started the shard again, so it has lost the first attempt; half a run is no run."""
        self.lose(f"Dask worker {self.address} was lost, and a second start of its shard refused")
        wire = Wire(down(self._token, attempt), self._client)
        await wire.open()
        await wire.put({"op": "refused"})

    async def _claimed(self) -> None:
        claim = await self.hear(START_LIMIT)
        if not isinstance(claim, dict):
            raise self._unstarted(self._why or "it does not begin, as if it were busy with something else")
        self._downward = Wire(down(self._token, claim["attempt"]), self._client)
        await self._downward.open()
        for what, ours in versions().items():
            if claim.get(what) != ours:
                raise self._unstarted(
                    f"it has {what} {claim.get(what)}, and here is {ours}; install the same on both"
                )

    async def _trip(self, number: int) -> Trip:
        sent = time.monotonic_ns()
        await self.tell({"op": "time", "trip": number})
        answer = await self.hear(START_LIMIT)
        if not isinstance(answer, dict):
            raise self._unstarted(await self.epitaph(answer))
        return Trip(sent, answer["now"], time.monotonic_ns())

    def _unstarted(self, why: str) -> GeneratorError:
        return GeneratorError(f"the shard on Dask worker {self.address} could not be started: {why}")

    def _ended(self, future: Any) -> None:
        if future.status in {"error", "lost", "cancelled"}:
            self.lose(f"Dask worker {self.address}: {_cause(future)}")


def _cause(future: Any) -> str:
    error = future._state.exception if future.status == "error" else None  # noqa: SLF001 - no await here
    return f"{type(error).__name__}: {error}" if error is not None else f"its task was {future.status}"


def _on_our_clock(message: Any, by: int) -> Any:
    """`message` with its moments moved by so many ns."""
    if isinstance(message, Began):
        return Began(message.at_ns + by)
    if isinstance(message, Finished):
        return replace(message, last=_on_our_clock(message.last, by))
    if isinstance(message, Interval):
        quiet, waits = (
            [(begin + by, end + by) for begin, end in spans]
            for spans in (message.silences.quiet, message.silences.waits)
        )
        began, ended = message.began_ns + by, message.ended_ns + by
        return replace(message, began_ns=began, ended_ns=ended, silences=Silences(quiet, waits))
    return message


@asynccontextmanager
async def cluster_crew(address: str, plan: LoadPlan) -> AsyncIterator[Crew]:
    """The Dask workers for `plan`: so many as it wants, or where it leaves that open all that are there.

    Raises GeneratorError where the scheduler does not answer or has too few workers.
    """
    async with _connected(address) as client:
        addresses = _chosen(sorted(await client.nthreads()), plan, address)
        workers = [Outpost(index, each, client) for index, each in enumerate(addresses)]
        watching = asyncio.create_task(_watch(client, workers))
        try:
            yield Crew(workers, LEAD)
        finally:
            await dismiss(workers)
            watching.cancel()


def _chosen(there: Sequence[str], plan: LoadPlan, address: str) -> Sequence[str]:
    most = min(plan.scenario.users, plan.target.connection.most or plan.scenario.users)
    wanted = plan.workers or min(len(there), most)
    if not there or len(there) < wanted:
        raise GeneratorError(
            f"{address} has {len(there)} Dask workers, and the plan wants {wanted or 'at least one'}; "
            f"start more with: campaign worker {address}"
        )
    return there[:wanted]


@asynccontextmanager
async def _connected(address: str) -> AsyncIterator[Client]:
    try:
        from distributed import Client  # noqa: PLC0415 - only where a fleet is wanted
    except ImportError as error:
        raise GeneratorError(MISSING) from error
    hush()
    client = Client(address, asynchronous=True, set_as_default=False, timeout=CONNECT_LIMIT, name="campaign")
    try:
        await client
    except Exception as error:  # Dask takes the bytes of other servers for lengths
        await _given_up(client)
        raise GeneratorError(f"no Dask scheduler answers at {address}: {_refusal(error)}") from error
    try:
        yield client
    finally:
        await client.close()


async def _given_up(client: Client) -> None:
    """Close a client that never was connected."""
    with contextlib.suppress(Exception):
        async with asyncio.timeout(EXIT_LIMIT):
            await client.close()


def _refusal(error: Exception) -> str:
    if isinstance(error, MemoryError | OverflowError):
        return "what listens there does not speak Dask's protocol"
    return str(error) or type(error).__name__


async def _watch(client: Client, workers: Sequence[Outpost]) -> None:
    """Give every outpost a sign of life, and see who is gone: missing twice, so that its last words are
    in.
    """
    missed: set[str] = set()
    while True:
        await asyncio.sleep(BEAT)
        await asyncio.gather(*(worker.tell({"op": "beat"}) for worker in workers))
        there = await _there(client)
        gone = {worker.address for worker in workers} - there
        for worker in workers:
            if worker.address in gone & missed:
                worker.lose(f"Dask worker {worker.address} is gone", cut_off=True)
        missed = gone


async def _there(client: Client) -> set[str]:
    """The addresses of the Dask workers that the scheduler knows; none where it is gone itself."""
    with contextlib.suppress(OSError):
        return set(await client.nthreads())
    return set()
