"""Opens connections: resolves the host, lets the guard check the addresses, connects to what was checked,
speaks TLS.
"""

from __future__ import annotations

import asyncio
import errno
import os
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeAlias

from campaign.clock import SECOND
from campaign.errors import RefusedError
from campaign.load.failure import ExchangeError
from campaign.load.tally import ErrorKind
from campaign.load.transport import Connection
from campaign.target.guard import Address, Guard, UnresolvedError
from campaign.target.origin import Origin

RESOLVED_FOR = 5 * SECOND
"""Nanoseconds for which a checked address is used again without asking the name server."""

MAX_LOOKUPS = 1000
"""Origins remembered; redirects could name any number of them."""

MakeConnection: TypeAlias = Callable[[], Connection]

OWN_LIMITS = frozenset({errno.EMFILE, errno.ENFILE, errno.EADDRNOTAVAIL, errno.ENOBUFS, errno.ENOMEM})
"""Errors of a connection that this machine is to blame for."""


class Dialer:
    """Gives new connections to all users of one worker; `make` makes them where nothing else is asked for."""

    def __init__(
        self, guard: Guard, tls: ssl.SSLContext, *, loop: asyncio.AbstractEventLoop, now_ns: Callable[[], int]
    ) -> None:
        self._guard = guard
        self._tls = tls
        self._loop = loop
        self._now_ns = now_ns
        self.make: MakeConnection = self._make
        self._lookups: dict[Origin, tuple[int, asyncio.Task[tuple[Address, ...]]]] = {}

    async def dial(
        self, origin: Origin, make: MakeConnection | None = None, *, tunnel: bool | None = None
    ) -> Connection:
        """A new connection to `origin`, made by `make` where it is to be a special one.

        `tunnel`: a proxy must pass it on unseen, as it is no plain HTTP/1.1; by default what `make` makes.
        Raises ExchangeError of the kinds refused, connect and tls.
        """
        failure = ExchangeError(ErrorKind.CONNECT, f"host {origin.host} has no address")
        for address in await self._addresses(origin):
            try:
                return await self._connect(
                    origin,
                    address,
                    make=make or self.make,
                    tunnel=make is not None if tunnel is None else tunnel,
                )
            except ExchangeError as error:
                failure = error
        raise failure

    async def _addresses(self, origin: Origin) -> tuple[Address, ...]:
        try:
            return await asyncio.shield(self._lookup(origin))
        except RefusedError as error:
            raise ExchangeError(ErrorKind.REFUSED, str(error)) from error
        except UnresolvedError as error:
            raise ExchangeError(ErrorKind.CONNECT, str(error)) from error

    def _lookup(self, origin: Origin) -> asyncio.Task[tuple[Address, ...]]:
        """The one lookup that all users who ask within a few seconds share."""
        now_ns = self._now_ns()
        known = self._lookups.get(origin)
        if known is not None and now_ns < known[0]:
            return known[1]
        if len(self._lookups) >= MAX_LOOKUPS:
            self._lookups.clear()
        lookup = self._loop.create_task(self._resolve(origin))
        self._lookups[origin] = (now_ns + RESOLVED_FOR, lookup)
        return lookup

    async def _resolve(self, origin: Origin) -> tuple[Address, ...]:
        return await self._guard.resolve(origin.host, origin.port)

    async def _connect(
        self,
        origin: Origin,
        address: Address,
        *,
        make: MakeConnection,
        tunnel: bool,  # noqa: ARG002 - of use to a proxy
    ) -> Connection:
        with connecting(secure=origin.secure):
            _, connection = await self._loop.create_connection(
                make,
                address.ip,
                address.port,
                family=address.family,
                ssl=self._tls if origin.secure else None,
                server_hostname=origin.host if origin.secure else None,
            )
        return connection

    def _make(self) -> Connection:
        return Connection(loop=self._loop, now_ns=self._now_ns)


class SocketDialer(Dialer):
    """Reaches one origin through a Unix socket, which is of this machine by nature; all others as usual."""

    def __init__(
        self, guard: Guard, tls: ssl.SSLContext, *, loop: asyncio.AbstractEventLoop,
        now_ns: Callable[[], int], path: str, origin: Origin,
    ) -> None:  # fmt: skip
        super().__init__(guard, tls, loop=loop, now_ns=now_ns)
        self._path = path
        self._origin = origin

    async def dial(
        self, origin: Origin, make: MakeConnection | None = None, *, tunnel: bool | None = None
    ) -> Connection:
        """A new connection to `origin`. Raises ExchangeError of the kinds refused, connect and tls."""
        if origin != self._origin:
            return await super().dial(origin, make, tunnel=tunnel)
        with connecting(secure=origin.secure):
            _, connection = await self._loop.create_unix_connection(
                make or self.make,
                self._path,
                ssl=self._tls if origin.secure else None,
                server_hostname=origin.host if origin.secure else None,
            )
        return connection


@contextmanager
def connecting(*, secure: bool) -> Iterator[None]:
    """What goes wrong inside becomes an ExchangeError of the kinds tls, connect or exhausted."""
    try:
        yield
    except ssl.SSLError as error:
        raise ExchangeError(ErrorKind.TLS, _explain_tls(error)) from error
    except OSError as error:
        raise _connect_error(error, secure=secure) from error


def _explain_tls(error: ssl.SSLError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"certificate: {error.verify_message}"
    return (error.reason or "handshake failed").lower().replace("_", " ")


def _connect_error(error: OSError, *, secure: bool) -> ExchangeError:
    if secure and isinstance(error, ConnectionResetError | ConnectionAbortedError):
        return ExchangeError(ErrorKind.TLS, "connection lost in the handshake")
    kind = ErrorKind.EXHAUSTED if error.errno in OWN_LIMITS else ErrorKind.CONNECT
    reason = os.strerror(error.errno) if error.errno else str(error) or type(error).__name__
    return ExchangeError(kind, reason.lower())
