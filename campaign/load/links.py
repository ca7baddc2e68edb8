"""The connections of one user, one per origin, kept between requests as a browser keeps them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Protocol, TypeVar

from campaign.clock import Clock
from campaign.load.answer import Channel
from campaign.load.failure import ExchangeError
from campaign.load.recorder import Recorder
from campaign.load.tally import ErrorKind
from campaign.target.origin import Origin

T = TypeVar("T")

MAX_CONNECTIONS = 8
"""Origins that a user stays connected to; the first one goes, as redirects could lead to any number."""


class Dials(Protocol):
    """Who gives connections."""

    async def dial(self, origin: Origin) -> Channel:
        """One to `origin`. Raises ExchangeError."""


class Links:
    """What is open; a connection that takes the place of an earlier one to the same origin is counted."""

    __slots__ = ("_connections", "_dialer", "_expired", "_now_ns", "_opening", "_recorder")

    def __init__(self, dialer: Dials, *, clock: Clock, recorder: Recorder) -> None:
        self._dialer = dialer
        self._recorder = recorder
        self._now_ns = clock.now_ns
        self._connections: dict[Origin, Channel] = {}
        self._opening: asyncio.Task[Any] | None = None
        self._expired = False

    def kept(self, origin: Origin) -> Channel | None:
        """The connection from before, if it can be trusted to be open still."""
        connection = self._connections.get(origin)
        if connection is None:
            return None
        if not connection.closed and self._now_ns() - connection.last_used <= connection.idle_limit:
            return connection
        connection.close()
        return None

    async def open(self, origin: Origin) -> Channel:
        """A new connection, kept from now on. Raises ExchangeError."""
        connection = await self.in_time(lambda: self._dialer.dial(origin))
        self._keep(origin, connection)
        self._refuse_when_expired()
        if connection.unasked:
            raise ExchangeError(ErrorKind.PROTOCOL, "an answer before the request")
        return connection

    async def in_time(self, open_it: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """What `open_it` opens, unless time is over before. Raises ExchangeError."""
        self._refuse_when_expired()
        self._opening = opening = asyncio.get_running_loop().create_task(open_it())
        try:
            return await opening
        except asyncio.CancelledError:
            self._refuse_when_expired()
            raise
        finally:
            self._opening = None

    def expire(self) -> None:
        """Time is over: give up the connection that is being opened, and open no other until `begin`."""
        self._expired = True
        if self._opening is not None:
            self._opening.cancel()

    def begin(self) -> None:
        """There is time again."""
        self._expired = False

    def close(self) -> None:
        """Let go of every connection."""
        for connection in self._connections.values():
            connection.close()
        self._connections.clear()

    def _keep(self, origin: Origin, connection: Channel) -> None:
        if origin in self._connections:
            self._recorder.reconnects += 1
        elif len(self._connections) >= MAX_CONNECTIONS:
            self._connections.pop(next(iter(self._connections))).close()
        self._connections[origin] = connection

    def _refuse_when_expired(self) -> None:
        if self._expired:
            raise ExchangeError(ErrorKind.TIMEOUT, "no connection in time")
