"""The service's sessions as the server lists them, looked at again and again while something goes on."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from campaign.database.server import Server
from campaign.database.sessions import foreign_sessions

LOOK_EVERY = 0.05
IN_TRANSACTION = "idle in transaction"


class Watch:
    """What was seen of other people's sessions."""

    def __init__(self) -> None:
        self.looks = 0
        self.most = 0
        self.states: Counter[str] = Counter()
        self.longest_in_transaction = 0.0

    async def look(self, server: Server) -> None:
        """Look once."""
        listed = await asyncio.to_thread(foreign_sessions, server)
        self.looks += 1
        self.most = max(self.most, len(listed))
        self.states.update(each.state for each in listed)
        waiting = (each.seconds for each in listed if each.state.startswith(IN_TRANSACTION))
        self.longest_in_transaction = max(self.longest_in_transaction, *waiting, 0.0)

    def facts(self) -> dict[str, Any]:
        """Plain data; `states` are how many sessions there were of each on average."""
        states = {state or "none": count / self.looks for state, count in self.states.items()}
        return {
            "looks": self.looks,
            "most": self.most,
            "states": states,
            "longest_in_transaction": self.longest_in_transaction,
        }


@asynccontextmanager
async def watching(server: Server | None) -> AsyncIterator[Watch]:
    """Looks in the background until the block ends; sees nothing where there is no server."""
    watch = Watch()

    async def look_again_and_again(there: Server) -> None:
        while True:
            await watch.look(there)
            await asyncio.sleep(LOOK_EVERY)

    task = None if server is None else asyncio.create_task(look_again_and_again(server))
    try:
        yield watch
    finally:
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
