"""Reaches every origin through an HTTP proxy: http in absolute form, https through a tunnel (RFC 9110 section
9.3.6, RFC 9112 section 3.2.2).
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from typing import Any, cast

from campaign.load.connections import Dialer, MakeConnection, connecting
from campaign.load.failure import ExchangeError
from campaign.load.tally import ErrorKind
from campaign.load.transport import Connection
from campaign.target.guard import Address, Guard
from campaign.target.origin import Origin
from campaign.target.proxy import Proxy

MAX_HEAD = 64 * 1024
"""Bytes of the proxy's answer to CONNECT."""


class ProxyDialer(Dialer):
    """Connects to the proxy; the guard checks its address, and every name that it is asked for."""

    def __init__(
        self, guard: Guard, tls: ssl.SSLContext, *, loop: asyncio.AbstractEventLoop,
        now_ns: Callable[[], int], proxy: Proxy,
    ) -> None:  # fmt: skip
        super().__init__(guard, tls, loop=loop, now_ns=now_ns)
        self._proxy = proxy

    async def _resolve(self, origin: Origin) -> tuple[Address, ...]:
        await self._guard.vet(origin.host, origin.port)
        return await self._guard.resolve(self._proxy.origin.host, self._proxy.origin.port)

    async def _connect(
        self, origin: Origin, address: Address, *, make: MakeConnection, tunnel: bool
    ) -> Connection:
        if origin.secure or tunnel:
            return await self._tunnel(origin, address, make=make)
        with connecting(secure=False):
            transport, connection = await self._loop.create_connection(
                make, address.ip, address.port, family=address.family
            )
        connection.connection_made(cast("Any", Forwarder(transport, origin, self._proxy)))
        return connection

    async def _tunnel(self, origin: Origin, address: Address, *, make: MakeConnection) -> Connection:
        with connecting(secure=False):
            transport, tunnel = await self._loop.create_connection(
                lambda: Tunnel(self._loop), address.ip, address.port, family=address.family
            )
        try:
            await tunnel.open(origin, self._proxy)
            if origin.secure:
                return await self._secured(transport, origin, make=make)
        except BaseException:
            transport.abort()
            raise
        connection = make()
        transport.set_protocol(connection)
        connection.connection_made(transport)
        return connection

    async def _secured(
        self, transport: asyncio.Transport, origin: Origin, *, make: MakeConnection
    ) -> Connection:
        connection = make()
        with connecting(secure=True):
            secured = await self._loop.start_tls(
                transport, connection, self._tls, server_hostname=origin.host
            )
        if secured is None:
            raise ExchangeError(ErrorKind.TLS, "connection lost in the handshake")
        connection.connection_made(secured)
        return connection


class Forwarder:
    """A transport to the proxy that writes requests in absolute form, and who we are."""

    __slots__ = ("_headers", "_prefix", "_transport")

    def __init__(self, transport: asyncio.Transport, origin: Origin, proxy: Proxy) -> None:
        self._transport = transport
        self._prefix = str(origin).encode()
        self._headers = credentials(proxy)

    def write(self, data: bytes) -> None:
        """Send a whole request (its head and body in one piece)."""
        method, _, rest = data.partition(b" ")
        target, _, rest = rest.partition(b"\r\n")
        self._transport.write(b"%b %b%b\r\n%b%b" % (method, self._prefix, target, self._headers, rest))

    def __getattr__(self, name: str) -> Any:
        """Everything else is as the transport does it."""
        return getattr(self._transport, name)


class Tunnel(asyncio.Protocol):
    """The beginning of a connection through the proxy: CONNECT, and its answer."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._answered: asyncio.Future[int] = loop.create_future()
        self._head = bytearray()
        self._transport: asyncio.Transport

    async def open(self, origin: Origin, proxy: Proxy) -> None:
        """Return when bytes go through to `origin`. Raises ExchangeError of the kind connect."""
        name = authority(origin)
        self._transport.write(b"CONNECT %b HTTP/1.1\r\nHost: %b\r\n%b\r\n" % (name, name, credentials(proxy)))
        status = await self._answered
        if status // 100 != 2:
            raise ExchangeError(ErrorKind.CONNECT, f"the proxy answered {status} to CONNECT")

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Look for the end of the answer's head; the target says nothing before we do."""
        self._head += data
        if b"\r\n\r\n" in self._head:
            self._decide()
        elif len(self._head) > MAX_HEAD:
            self._fail("an answer without end to CONNECT")

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 (asyncio gives it)
        """The proxy hung up."""
        self._fail("no answer to CONNECT")

    def _decide(self) -> None:
        version, _, rest = bytes(self._head).partition(b" ")
        status = rest[:3]
        if not version.startswith(b"HTTP/1.") or not status.isdigit():
            self._fail("no HTTP answer to CONNECT")
        elif not self._answered.done():
            self._answered.set_result(int(status))

    def _fail(self, what: str) -> None:
        if not self._answered.done():
            self._answered.set_exception(ExchangeError(ErrorKind.CONNECT, f"the proxy gave {what}"))


def credentials(proxy: Proxy) -> bytes:
    """The Proxy-Authorization line with its end, or nothing."""
    return b"Proxy-Authorization: %b\r\n" % proxy.authorization.encode() if proxy.authorization else b""


def authority(origin: Origin) -> bytes:
    """Host and port, the port always given, as CONNECT wants them."""
    host = f"[{origin.host}]" if ":" in origin.host else origin.host
    return f"{host}:{origin.port}".encode()
