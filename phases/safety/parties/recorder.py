"""Records outgoing calls: an HTTP proxy on 127.0.0.1 that the target is pointed at.

Plain requests are read whole. A tunnel (CONNECT) shows its host alone: what is inside is sealed by TLS, and
we break no seal. Only calls to parties that the file lets pass are passed on, and only where the guard does.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from campaign.canary import Mint
from campaign.errors import CampaignError, ConfigurationError
from campaign.target.guard import Guard
from campaign.target.inflate import BodyError, inflate

PATIENCE = 10.0
"""Seconds that reading a request, connecting or an answer may take."""

LARGEST_HEAD, LARGEST_BODY = 64 * 1024, 8 * 2**20
REFUSAL = b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
OPENED = b"HTTP/1.1 200 Connection established\r\n\r\n"


class RecorderError(ConfigurationError):
    """The recorder of outgoing calls cannot listen."""

    slug = "recorder"


@dataclass(frozen=True, slots=True)
class Call:
    """One outgoing call: where to, what for, and whose canaries it held. `sealed`: nobody can look inside;
    `whole` is False where it was longer than we read.
    """

    stage: str
    host: str
    what: str
    sealed: bool = False
    whole: bool = True
    canaries: frozenset[str] = frozenset()


@dataclass(slots=True)
class Recorder:
    """What was called so far, each in the `stage` that was set then; `passes` says whom a call may reach."""

    mint: Mint
    guard: Guard
    passes: Callable[[str], bool]
    stage: str = ""
    calls: list[Call] = field(default_factory=list)
    tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Take one connection: one request, then it is closed."""
        task = asyncio.create_task(self._serve(reader, writer))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(PATIENCE):
                head = await reader.readuntil(b"\r\n\r\n")
                method, where, _ = head.split(b" ", 2)
            await self._take(
                method.decode("latin-1"), where.decode("latin-1"), head, streams=(reader, writer)
            )
        except (OSError, ValueError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass  # a caller that is no HTTP client, or has gone
        finally:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    async def _take(
        self,
        method: str,
        where: str,
        head: bytes,
        *,
        streams: tuple[asyncio.StreamReader, asyncio.StreamWriter],
    ) -> None:
        reader, writer = streams
        if method == "CONNECT":
            host, _, port = where.rpartition(":")
            self.calls.append(Call(self.stage, host.strip("[]"), f"CONNECT {where}", sealed=True))
            await self._tunnel(host.strip("[]"), int(port), reader, writer)
            return
        parts = urlsplit(where)
        if not parts.hostname:
            writer.write(REFUSAL)
            return
        body, whole = await _body(reader, head)
        text, readable = _unpacked(body, head)
        found = self.mint.found(head + text)
        what = f"{method} {parts.path or '/'}"
        call = Call(self.stage, parts.hostname, what, whole=whole and readable, canaries=found)
        self.calls.append(call)
        rest = where.partition("://")[2].partition("/")[2]
        request = b"%b /%b HTTP/1.1\r\n" % (method.encode(), rest.encode("latin-1"))
        lines = [each for each in head.split(b"\r\n")[1:-2] if not each.lower().startswith(OURS)]
        length = [b"Content-Length: %d" % len(body)] if body else []
        request += b"\r\n".join([*lines, *length, b"Connection: close", b"", b""]) + body
        await self._pass_on(parts.hostname, parts.port or 80, request, writer)

    async def _pass_on(self, host: str, port: int, request: bytes, writer: asyncio.StreamWriter) -> None:
        """Send the request on and the answer back."""
        opened = await self._open(host, port)
        if opened is None:
            writer.write(REFUSAL)
            return
        there, onwards = opened
        try:
            onwards.write(request)
            async with asyncio.timeout(PATIENCE):
                await _copy(there, writer)
        finally:
            onwards.close()

    async def _tunnel(
        self, host: str, port: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Let both sides talk, for those who may pass."""
        opened = await self._open(host, port)
        if opened is None:
            writer.write(REFUSAL)
            return
        there, onwards = opened
        writer.write(OPENED)
        try:
            await asyncio.gather(_copy(reader, onwards), _copy(there, writer))
        finally:
            onwards.close()

    async def _open(self, host: str, port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter] | None:
        """A connection to a host that calls may reach; None where they may not, or nobody is there."""
        if not self.passes(host):
            return None
        try:
            async with asyncio.timeout(PATIENCE):
                for address in await self.guard.resolve(host, port):
                    return await asyncio.open_connection(address.ip, port)
        except (CampaignError, OSError, TimeoutError):
            pass
        return None


OURS = (b"proxy-", b"connection:", b"transfer-encoding:", b"content-length:", b"expect:")
"""What we say ourselves to whom a request is passed on."""


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65_536):
        writer.write(data)
        await writer.drain()
    with suppress(OSError):
        writer.write_eof()


async def _body(reader: asyncio.StreamReader, head: bytes) -> tuple[bytes, bool]:
    """The body of a request, and whether that is all of it."""
    headers = _headers(head)
    async with asyncio.timeout(PATIENCE):
        if headers.get(b"transfer-encoding", b"").endswith(b"chunked"):
            return await _chunks(reader)
        length = int(headers.get(b"content-length", b"0"))
        return await reader.readexactly(min(length, LARGEST_BODY)), length <= LARGEST_BODY


async def _chunks(reader: asyncio.StreamReader) -> tuple[bytes, bool]:
    """A chunked body as a whole, and whether that is all of it."""
    body = b""
    while size := int((await reader.readline()).partition(b";")[0], 16):
        if len(body) + size > LARGEST_BODY:
            return body, False
        body += await reader.readexactly(size)
        await reader.readline()
    return body, True


def _headers(head: bytes) -> dict[bytes, bytes]:
    pairs = (line.partition(b":") for line in head.split(b"\r\n")[1:])
    return {name.strip().lower(): value.strip().lower() for name, _, value in pairs}


def _unpacked(body: bytes, head: bytes) -> tuple[bytes, bool]:
    """The body as it was before it was packed (gzip), and whether we can read it."""
    coding = _headers(head).get(b"content-encoding", b"").decode("latin-1")
    try:
        return inflate(body, coding, limit=LARGEST_BODY), True
    except BodyError:
        return body, False


@asynccontextmanager
async def recording(recorder: Recorder, port: int) -> AsyncIterator[Recorder]:
    """The recorder at work on 127.0.0.1. Raises RecorderError where the port is taken."""
    try:
        server = await asyncio.start_server(recorder.serve, "127.0.0.1", port, limit=LARGEST_HEAD)
    except OSError as error:
        raise RecorderError(f"cannot listen on 127.0.0.1 port {port}: {error.strerror}") from error
    try:
        yield recorder
    finally:
        server.close()
        for task in recorder.tasks:
            task.cancel()
        await asyncio.gather(*recorder.tasks, return_exceptions=True)
