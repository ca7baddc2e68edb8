"""Servers that say exactly what a test scripts, and ways to run a scenario against them."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import ssl
import subprocess
import threading
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import uvloop

from campaign.clock import SECOND, RealClock
from campaign.load.engine import run_shard
from campaign.load.merge import Merge
from campaign.load.messages import Interval, Shard
from campaign.load.outcome import LoadOutcome
from campaign.load.shard import prepare
from campaign.load.spec import LoadPlan, ramp_and_hold
from campaign.target.journey import Do, TaskSpec, WaitSpec
from campaign.target.spec import OperationSpec, OptionsSpec, TargetSpec, UserSpec, Vocabulary

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
    at: str = "127.0.0.1"
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
        host = "[::1]" if ":" in self.at else "127.0.0.1"
        return f"{'https' if self.tls else 'http'}://{host}:{self.port}"

    def _run(self, started: threading.Event) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.set_exception_handler(lambda *_: None)
        self._loop.run_until_complete(self._serve(started))
        self._loop.close()

    async def _serve(self, started: threading.Event) -> None:
        self._done = asyncio.Event()
        if "/" in self.at:
            server = await asyncio.start_unix_server(self._accept, self.at, ssl=self.tls)
        else:
            server = await asyncio.start_server(self._accept, self.at, 0, ssl=self.tls, backlog=2000)
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

    def start(behaviour: Talk | bytes, *, tls: ssl.SSLContext | None = None, at: str = "127.0.0.1") -> Server:
        async def repeat(talker: Talker) -> None:
            while True:
                await talker.request()
                talker.say(behaviour)  # type: ignore[arg-type]

        server = Server(repeat if isinstance(behaviour, bytes) else behaviour, tls, at)
        server.start()
        servers.append(server)
        return server

    yield start
    for server in servers:
        server.stop()


@pytest.fixture
def make_plan() -> Callable[..., LoadPlan]:
    """A plan of one kind of user; operations default to GET / with a timeout of 1 s.

    With `rounds` a user leaves after as many tasks, however slow the machine; otherwise after `hold` (0.3 s).
    """

    def make(url: str, *operations: OperationSpec, start: tuple[str, ...] = (), **changes: Any) -> LoadPlan:
        operations = operations or (get("home"),)
        tasks = {each.name: TaskSpec.of(each.name) for each in operations if each.name not in start}
        wait = changes.pop("wait", 0.02)
        user = UserSpec("visitor", 1, WaitSpec(wait, wait), tuple(map(Do, start)), tasks)
        rounds = changes.pop("rounds", 0)
        scenario = changes.pop("scenario", None) or ramp_and_hold(
            name="test",
            users=changes.pop("users", 1),
            ramp=changes.pop("ramp", INFINITY),
            hold=changes.pop("hold", 30.0 if rounds else 0.3),
            ramp_down=changes.pop("ramp_down", 0.0),
        )
        if rounds:
            scenario = replace(scenario, iterations=rounds)
        target = TargetSpec(
            url=url,
            **{
                key: changes.pop(key)
                for key in ("tls", "allow_hosts", "headers", "services", "secrets", "connection")
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


@pytest.fixture
def socket_echo() -> Talk:
    """The behaviour of a server that upgrades to a WebSocket and says back each short text (RFC 6455)."""

    async def talk(talker: Talker) -> None:
        head = await talker.request()
        lines = head.split(b"\r\n")
        [key] = [line[18:].strip() for line in lines if line[:17].lower() == b"sec-websocket-key"]
        accept = base64.b64encode(hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest())  # noqa: S324
        talker.say(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: %b\r\n\r\n" % accept
        )
        while True:
            kind, length = await talker.reader.readexactly(2)
            mask = await talker.reader.readexactly(4)
            masked = await talker.reader.readexactly(length & 0x7F)
            text = bytes(each ^ mask[place % 4] for place, each in enumerate(masked))
            talker.say(bytes([kind, len(text)]) + text)
            if kind & 0x0F == 8:  # a close frame
                return

    return talk


class Certificates(NamedTuple):
    """Files of a certificate authority made for this test, a server's and a client's certificate."""

    ca: Path
    server: Path
    client: Path


def openssl(*arguments: str | Path) -> None:
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)


def sign(folder: Path, name: str, extension: str) -> Path:
    """A PEM file with key and certificate, signed by the authority in `folder`."""
    key, request, certificate = (folder / f"{name}.{suffix}" for suffix in ("key", "csr", "crt"))
    (folder / f"{name}.cnf").write_text(f"{extension}\nauthorityKeyIdentifier=keyid\n")
    openssl(
        "req", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={name}", "-keyout", key, "-out", request
    )  # fmt: skip
    openssl(
        "x509", "-req", "-days", "2", "-in", request, "-CA", folder / "ca.pem", "-CAkey", folder / "ca.key",
        "-CAcreateserial", "-extfile", folder / f"{name}.cnf", "-out", certificate,
    )  # fmt: skip
    both = folder / f"{name}.pem"
    both.write_text(key.read_text() + certificate.read_text())
    return both


@pytest.fixture(scope="session")
def certificates(tmp_path_factory) -> Certificates:
    folder = tmp_path_factory.mktemp("certificates")
    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=Test CA",
            "-addext", "keyUsage=critical,keyCertSign,cRLSign",  # Python 3.13 asks for it
            "-keyout", folder / "ca.key", "-out", folder / "ca.pem")  # fmt: skip
    server = sign(folder, "server", "subjectAltName=IP:127.0.0.1")
    return Certificates(folder / "ca.pem", server, sign(folder, "client", "extendedKeyUsage=clientAuth"))


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
