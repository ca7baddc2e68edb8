"""Servers that say exactly what a test scripts, and ways to run a scenario against them."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import threading
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import uvloop

from campaign.clock import SECOND, RealClock
from campaign.load.engine import run_shard
from campaign.load.merge import Merge
from campaign.load.messages import Interval, Shard
from campaign.load.shard import prepare
from campaign.load.spec import LoadOutcome, LoadPlan, ScenarioSpec
from campaign.target.spec import OperationSpec, OptionsSpec, TargetSpec, UserSpec, Vocabulary, WaitSpec

Talk = Callable[["Talker"], Awaitable[None]]
INFINITY = float("inf")


@dataclass
class Talker:
    """One connection of a scripted server."""

    server: Server
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    number: int

    async def request(self) -> bytes:
        """The next request, head and body; raises IncompleteReadError at the end of the connection."""
        head = await self.reader.readuntil(b"\r\n\r\n")
        length = next(
            (int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0
        )
        request = head + await self.reader.readexactly(length)
        self.server.requests.append(request)
        return request

    def say(self, data: bytes) -> None:
        self.writer.write(data)

    def reset(self) -> None:
        """End the connection with a TCP reset."""
        sock = self.writer.get_extra_info("socket")
        sock.setsockopt(1, 13, b"\x01\x00\x00\x00\x00\x00\x00\x00")  # SO_LINGER of 0 s
        self.writer.transport.abort()


@dataclass
class Server:
    """A server in a thread of its own on a free loopback port; `talk` is its whole behaviour."""

    talk: Talk
    tls: ssl.SSLContext | None = None
    requests: list[bytes] = field(default_factory=list)
    connections: int = 0
    port: int = 0
    _loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.new_event_loop)

    def start(self) -> None:
        started = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(started,), daemon=True)
        self._thread.start()
        assert started.wait(10)

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._done.set)
        self._thread.join(10)
        assert not self._thread.is_alive()

    @property
    def url(self) -> str:
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}"

    def _run(self, started: threading.Event) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.set_exception_handler(lambda *_: None)
        self._loop.run_until_complete(self._serve(started))
        self._loop.close()

    async def _serve(self, started: threading.Event) -> None:
        self._done = asyncio.Event()
        server = await asyncio.start_server(self._accept, "127.0.0.1", 0, ssl=self.tls, backlog=2000)
        self.port = server.sockets[0].getsockname()[1]
        started.set()
        await self._done.wait()
        server.close()
        talks = asyncio.all_tasks() - {asyncio.current_task()}
        for talk in talks:
            talk.cancel()
        await asyncio.gather(*talks, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            await self.talk(Talker(self, reader, writer, self.connections))
        writer.transport.abort() if writer.transport.is_closing() else writer.close()


@pytest.fixture
def serve() -> Iterator[Callable[..., Server]]:
    """Starts a server for a `talk`, or one that gives the same bytes for every request."""
    servers: list[Server] = []

    def start(behaviour: Talk | bytes, *, tls: ssl.SSLContext | None = None) -> Server:
        async def repeat(talker: Talker) -> None:
            while True:
                await talker.request()
                talker.say(behaviour)  # type: ignore[arg-type]

        server = Server(repeat if isinstance(behaviour, bytes) else behaviour, tls)
        server.start()
        servers.append(server)
        return server

    yield start
    for server in servers:
        server.stop()


@pytest.fixture
def make_plan() -> Callable[..., LoadPlan]:
    """A plan of one kind of user; operations default to GET / with a timeout of 1 s."""

    def make(url: str, *operations: OperationSpec, start: tuple[str, ...] = (), **changes: Any) -> LoadPlan:
        operations = operations or (get("home"),)
        tasks = {each.name: 1.0 for each in operations if each.name not in start}
        wait = changes.pop("wait", 0.02)
        user = UserSpec("visitor", 1, WaitSpec(wait, wait), start, tasks)
        scenario = ScenarioSpec(
            name="test",
            users=changes.pop("users", 1),
            ramp=changes.pop("ramp", INFINITY),
            hold=changes.pop("hold", 0.3),
            ramp_down=changes.pop("ramp_down", 0.0),
        )
        target = TargetSpec(
            url=url,
            **{
                key: changes.pop(key)
                for key in ("tls", "allow_hosts", "headers", "services", "secrets")
                if key in changes
            },
        )
        vocabulary = Vocabulary(
            operations={each.name: each for each in operations},
            users=changes.pop("kinds", {"visitor": user}),
            feeds=changes.pop("feeds", {}),
        )
        return LoadPlan(target, vocabulary, scenario, seed=changes.pop("seed", 1), **changes)

    return make


def get(name: str, path: str = "/", **changes: Any) -> OperationSpec:
    changes.setdefault("options", OptionsSpec(timeout=1.0))
    return OperationSpec(name, changes.pop("method", "GET"), path, **changes)


@pytest.fixture
def operation() -> Callable[..., OperationSpec]:
    return get


class Witness:
    """A control that merges what it is told, and stops the run when asked."""

    def __init__(self, plan: LoadPlan, start_ns: int, stop_after: float | None) -> None:
        self.merge = Merge(plan, start_ns, on_second=lambda second: None)
        self._stop_after = stop_after
        self.stopped_ns: int | None = None

    def report(self, interval: Interval) -> None:
        self.merge.add(0, interval)

    async def stopped(self) -> float:
        await asyncio.sleep(3600 if self._stop_after is None else self._stop_after)
        self.stopped_ns = RealClock().now_ns()
        return 0.1


@pytest.fixture
def run_here() -> Callable[..., LoadOutcome]:
    """Runs a plan in this process and gives its outcome."""

    async def run(plan: LoadPlan, stop_after: float | None) -> LoadOutcome:
        clock = RealClock()
        start_ns = clock.now_ns() + SECOND // 50
        witness = Witness(plan, start_ns, stop_after)
        finished = await run_shard(prepare(Shard(plan, 0)), start_ns, control=witness, clock=clock)
        witness.merge.add(0, finished.last, last=True)
        return witness.merge.outcome(stopped_ns=witness.stopped_ns)

    def run_plan(plan: LoadPlan, *, stop_after: float | None = None) -> LoadOutcome:
        return uvloop.run(run(plan, stop_after))

    return run_plan
