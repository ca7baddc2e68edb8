"""Routes that only pass on: in place while nobody disturbs them, as the target goes through them always."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress

Address = tuple[str, int]

CHUNK = 1 << 16


@asynccontextmanager
async def standby(routes: Iterable[tuple[str, Address, Address]]) -> AsyncIterator[str]:
    """Within this block each (name, listen, to) leads from `listen` to `to`; afterwards the addresses are
    free. Yields what could not be opened and why, "" where all are open.
    """
    servers: list[asyncio.Server] = []
    talks: set[asyncio.Task[None]] = set()
    missing: list[str] = []
    for name, listen, to in routes:
        try:
            servers.append(await _open(listen, to, talks))
        except OSError as error:
            missing.append(f"the route {name} at {listen[0]}:{listen[1]} ({error.strerror or error})")
    try:
        yield " and ".join(missing)
    finally:
        for server in servers:
            server.close()
        for talk in tuple(talks):
            talk.cancel()
        await asyncio.gather(*talks, return_exceptions=True)


async def _open(listen: Address, to: Address, talks: set[asyncio.Task[None]]) -> asyncio.Server:
    def begin(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        talk = asyncio.create_task(_lead(reader, writer, to))
        talks.add(talk)
        talk.add_done_callback(talks.discard)

    return await asyncio.start_server(begin, *listen)


async def _lead(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, to: Address) -> None:
    """Pass on in both directions until both sides are silent, or one breaks off."""
    there = None
    try:
        answers, there = await asyncio.open_connection(*to)
        await asyncio.gather(_pour(reader, there), _pour(answers, writer))
    except OSError:
        writer.transport.abort()
    finally:
        for end in (writer, there):
            if end is not None:
                end.close()


async def _pour(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    while data := await source.read(CHUNK):
        sink.write(data)
        await sink.drain()
    with suppress(OSError):
        sink.write_eof()
