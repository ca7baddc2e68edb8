"""Two queues on a Dask scheduler between a run and one of its outposts: what one puts in, the other gets, in
order.

A plain dict travels as it is, so that the first words are understood by any version; all else is pickled.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

from campaign.load.messages import decode, encode


class Wire:
    """One direction, known by its name; `client` is a Dask client that speaks to the scheduler.

    Who listens waits `patience` seconds for the next message.
    """

    def __init__(self, name: str, client: Any, patience: float = 0.0) -> None:
        self._name = name
        self._client = client
        self._patience = patience
        self._queue: Any = None

    async def open(self) -> None:
        """Make the queue, if it is not there yet."""
        from distributed import Queue  # noqa: PLC0415 - Dask is loaded only where it is wanted

        self._queue = await Queue(self._name, client=self._client)

    async def put(self, message: object) -> None:
        """Send a message; OSError where the scheduler is gone."""
        await self._queue.put(message if isinstance(message, dict) else encode(message))

    async def get(self) -> Any:
        """The next message; OSError where the scheduler is gone."""
        message = await self._queue.get()
        return decode(message) if isinstance(message, bytes) else message

    async def next(self) -> Any:
        """The next message, or None where the other end is silent for too long or the scheduler is gone."""
        with contextlib.suppress(TimeoutError, OSError):
            async with asyncio.timeout(self._patience):
                return await self.get()
        return None

    def close(self) -> None:
        """Give the queue back, with all that is left in it."""
        if self._queue is not None:
            self._queue.close()


def up(token: str) -> str:
    """The name of the queue that a shard's outposts speak into."""
    return f"campaign-{token}-up"


def down(token: str, attempt: str) -> str:
    """The name of the queue that one attempt to run the shard listens to."""
    return f"campaign-{token}-{attempt}-down"
