"""Simulated networks: the round trip of a region and the bandwidth of a device, added to real connections.

Bytes wait in a delay line before they go out, and in another before we look at what came, so everything that
is timed (whole answers, first bytes, pieces of a stream) is as late as it would be from there. What this is
not: there is no loss, no jitter, no slow start and no shared bottleneck
(docs/decisions/013-simulated-networks.md).
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from campaign.clock import SECOND, SHORTEST_SLEEP
from campaign.load.connections import Dialer, MakeConnection
from campaign.load.transport import Connection
from campaign.target.devices import device_named
from campaign.target.origin import Origin
from campaign.target.spec import UserSpec, Vocabulary


@dataclass(frozen=True, slots=True)
class Network:
    """An added round trip in seconds; bytes per second down and up (0: as fast as the real network)."""

    round_trip: float = 0.0
    down: float = 0.0
    up: float = 0.0

    @property
    def slows(self) -> bool:
        """Whether it adds anything at all."""
        return bool(self.round_trip or self.down or self.up)


def network_of(user: UserSpec, region: str, vocabulary: Vocabulary) -> Network:
    """What lies between a user of this kind in this region ("" for none) and the target."""
    device = device_named(user.device, vocabulary.devices)
    round_trip = vocabulary.regions[region] if region else 0.0
    return Network(round_trip, device.down, device.up) if device else Network(round_trip)


def assign_regions(kinds: Sequence[str], users: Mapping[str, UserSpec]) -> list[str]:
    """The region of each user, "" for none: within each kind by weight, from the first users on.

    It depends on the users' numbers alone, so any split over workers gives the same.
    """
    given: dict[str, dict[str, int]] = {}
    return [_next_region(users[kind].regions, given.setdefault(kind, {})) for kind in kinds]


def _next_region(weights: Mapping[str, float], given: dict[str, int]) -> str:
    """The region that lags furthest behind its share."""
    total = sum(weights.values())
    if not total:
        return ""
    count = sum(given.values()) + 1
    wanted = {region: weight / total * count for region, weight in weights.items() if weight > 0}
    region = max(wanted, key=lambda name: wanted[name] - given.get(name, 0))
    given[region] = given.get(region, 0) + 1
    return region


class NetworkDialer:
    """Opens connections that have a network in front of them; opening one takes a round trip more, and one
    more with TLS (version 1.3).
    """

    def __init__(
        self,
        dialer: Dialer,
        network: Network,
        *,
        loop: asyncio.AbstractEventLoop,
        now_ns: Callable[[], int],
    ) -> None:
        self._dialer = dialer
        self._network = network
        self._loop = loop
        self._now_ns = now_ns

    async def dial(self, origin: Origin, make: MakeConnection | None = None) -> Connection:
        """A new connection. Raises ExchangeError."""
        made = make or self._dialer.make
        behind = cast(
            "Behind",
            await self._dialer.dial(
                origin, lambda: cast("Connection", self._behind(made())), tunnel=make is not None
            ),
        )
        trips = 2 if origin.secure else 1
        try:
            await asyncio.sleep(trips * self._network.round_trip)
        except asyncio.CancelledError:
            behind.connection.close()
            raise
        return behind.connection

    def _behind(self, connection: Connection) -> Behind:
        return Behind(connection, self._network, loop=self._loop, now_ns=self._now_ns)


class DelayLine:
    """Hands on what it is given, in order, each after its own time: that of its bytes, and half a trip."""

    __slots__ = ("_armed", "_free_ns", "_half_ns", "_loop", "_now_ns", "_per_byte_ns", "_things")

    def __init__(
        self,
        round_trip: float,
        bandwidth: float,
        *,
        loop: asyncio.AbstractEventLoop,
        now_ns: Callable[[], int],
    ) -> None:
        self._half_ns = round(round_trip * SECOND / 2)
        self._per_byte_ns = SECOND / bandwidth if bandwidth else 0.0
        self._loop = loop
        self._now_ns = now_ns
        self._free_ns = 0
        self._things: deque[tuple[int, Callable[[Any], object], Any]] = deque()
        self._armed = False

    def put(self, hand_on: Callable[[Any], object], thing: Any, *, size: int = 0) -> None:
        """Call `hand_on(thing)` when `size` bytes have gone through behind all that was put before."""
        begins = max(self._now_ns(), self._free_ns)
        self._free_ns = begins + round(size * self._per_byte_ns)
        self._things.append((self._free_ns + self._half_ns, hand_on, thing))
        if not self._armed:
            self._arm()

    def clear(self) -> None:
        """Drop what is on its way."""
        self._things.clear()

    def _arm(self) -> None:
        self._armed = True
        left = (self._things[0][0] - self._now_ns()) / SECOND
        self._loop.call_later(max(left, SHORTEST_SLEEP), self._fire)

    def _fire(self) -> None:
        while self._things and self._things[0][0] <= self._now_ns():
            _, hand_on, thing = self._things.popleft()
            hand_on(thing)
        self._armed = False
        if self._things:
            self._arm()


class Behind(asyncio.Protocol):
    """Stands between the real transport and a connection, whatever that speaks, and delays both ways."""

    def __init__(
        self,
        connection: Connection,
        network: Network,
        *,
        loop: asyncio.AbstractEventLoop,
        now_ns: Callable[[], int],
    ) -> None:
        self.connection = connection
        self._up = DelayLine(network.round_trip, network.up, loop=loop, now_ns=now_ns)
        self._down = DelayLine(network.round_trip, network.down, loop=loop, now_ns=now_ns)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Give the connection a transport that is slow."""
        slow = SlowTransport(cast("asyncio.Transport", transport), self._up, self._down)
        self.connection.connection_made(cast("asyncio.BaseTransport", slow))

    def data_received(self, data: bytes) -> None:
        """It is looked at when it is here."""
        self._down.put(self.connection.data_received, data, size=len(data))

    def eof_received(self) -> None:
        """The end comes after the bytes before it."""
        self._down.put(_call, self.connection.eof_received)

    def connection_lost(self, exc: Exception | None) -> None:
        """So does the loss."""
        self._down.put(self.connection.connection_lost, exc)


class SlowTransport:
    """A transport whose bytes go out later."""

    __slots__ = ("_down", "_transport", "_up")

    def __init__(self, transport: asyncio.Transport, up: DelayLine, down: DelayLine) -> None:
        self._transport = transport
        self._up = up
        self._down = down

    def write(self, data: bytes) -> None:
        """Send it when it has gone through."""
        self._up.put(self._transport.write, data, size=len(data))

    def close(self) -> None:
        """Close when all that was written has gone through."""
        self._up.put(_call, self._transport.close)

    def abort(self) -> None:
        """Drop the connection at once, and what is on its way."""
        self._up.clear()
        self._down.clear()
        self._transport.abort()

    def __getattr__(self, name: str) -> Any:
        """Everything else is as the transport does it."""
        return getattr(self._transport, name)


def _call(function: Callable[[], object]) -> None:
    function()
