"""A user keeps one connection per origin, and not too many of them."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

import pytest

from campaign.clock import RealClock
from campaign.load.failure import ExchangeError
from campaign.load.links import MAX_CONNECTIONS, Links
from campaign.load.tally import ErrorKind
from campaign.target.origin import Origin

ORIGINS = [Origin("http", "127.0.0.1", port) for port in range(9000, 9020)]


class FakeConnection:
    def __init__(self) -> None:
        self.closed = self.unasked = False
        self.last_used, self.idle_limit = 0, 10**18

    def close(self) -> None:
        self.closed = True


class FakeDialer:
    """Gives connections without a network; `slow` ones take for ever."""

    def __init__(self, *, slow: bool = False) -> None:
        self.made: list[FakeConnection] = []
        self._slow = slow

    async def dial(self, origin: Origin) -> FakeConnection:
        await asyncio.sleep(3600 if self._slow else 0)
        self.made.append(FakeConnection())
        return self.made[-1]


def make_links(dialer: FakeDialer) -> tuple[Links, SimpleNamespace]:
    recorder = SimpleNamespace(reconnects=0)
    return Links(dialer, clock=RealClock(), recorder=recorder), recorder


def test_redirects_to_any_number_of_origins_keep_few_connections_open():
    dialer = FakeDialer()
    links, recorder = make_links(dialer)

    async def visit():
        for origin in ORIGINS:
            await links.open(origin)

    asyncio.run(visit())
    assert [connection.closed for connection in dialer.made] == [True] * 12 + [False] * MAX_CONNECTIONS
    assert links.kept(ORIGINS[-1]) is dialer.made[-1]
    assert links.kept(ORIGINS[0]) is None
    assert recorder.reconnects == 0


def test_a_second_connection_to_the_same_origin_is_counted():
    links, recorder = make_links(FakeDialer())

    async def visit():
        (await links.open(ORIGINS[0])).close()
        assert links.kept(ORIGINS[0]) is None
        await links.open(ORIGINS[0])

    asyncio.run(visit())
    assert recorder.reconnects == 1


def test_what_expires_while_it_connects_is_a_timeout_and_a_cancelled_user_stays_cancelled():
    async def end_by(ending) -> None:
        links, _ = make_links(FakeDialer(slow=True))
        opening = asyncio.create_task(links.open(ORIGINS[0]))
        await asyncio.sleep(0.01)
        ending(links, opening)
        await opening

    with pytest.raises(ExchangeError) as raised:
        asyncio.run(end_by(lambda links, opening: links.expire()))
    assert raised.value.kind is ErrorKind.TIMEOUT
    with pytest.raises(asyncio.CancelledError):
        asyncio.run(end_by(lambda links, opening: opening.cancel()))
