"""A route in standby passes on both ways, and is gone afterwards."""

import asyncio
import contextlib
import socket

import pytest

from campaign.faults.standby import standby


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as found:
        return found.getsockname()[1]


async def echo(reader, writer):
    """Says all that it was told once the other side has ended."""
    writer.write(await reader.read())
    writer.close()


async def asked(port, words):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(words)
        writer.write_eof()
        return await reader.read()
    finally:
        writer.close()


def test_it_passes_on_both_ways_and_is_gone_afterwards():
    async def run():
        server = await asyncio.start_server(echo, "127.0.0.1", 0)
        to, listen = server.sockets[0].getsockname()[:2], ("127.0.0.1", free_port())
        async with server:
            async with standby([("speech", listen, to)]) as missing:
                answers = await asyncio.gather(asked(listen[1], b"a" * 300_000), asked(listen[1], b"b"))
            with pytest.raises(OSError, match="Connect"):
                await asked(listen[1], b"c")
        return missing, answers

    assert asyncio.run(run()) == ("", [b"a" * 300_000, b"b"])


def test_an_end_that_is_not_there_breaks_the_connection_off():
    async def run():
        listen = ("127.0.0.1", free_port())
        async with standby([("speech", listen, ("127.0.0.1", free_port()))]):
            with contextlib.suppress(ConnectionError):
                return await asyncio.wait_for(asked(listen[1], b"c"), 10)

    assert not asyncio.run(run())


def test_an_address_that_is_taken_is_named_and_the_others_are_open():
    async def run():
        server = await asyncio.start_server(echo, "127.0.0.1", 0)
        to, listen = server.sockets[0].getsockname()[:2], ("127.0.0.1", free_port())
        async with server, standby([("taken", to, to), ("speech", listen, to)]) as missing:
            return missing, await asked(listen[1], b"x")

    missing, answer = asyncio.run(run())
    assert missing.startswith("the route taken at 127.0.0.1:")
    assert answer == b"x"
