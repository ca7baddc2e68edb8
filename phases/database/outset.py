"""A look at the stores before the campaign begins: do they let us in, and what have they counted so far."""

from __future__ import annotations

import asyncio
from typing import Any

from campaign.cache.aside import ours
from campaign.cache.client import open_redis
from campaign.cache.view import look
from campaign.database.address import read_address
from campaign.database.server import open_server, tag_of
from campaign.target.spec import TargetSpec


async def look_at_stores(target: TargetSpec) -> dict[str, Any]:
    """What each store said, by its name. Raises ConfigurationError where one does not let us in, and what its
    driver raises where it is not there.
    """
    said: dict[str, Any] = {}
    if url := target.stores.get("database", ""):
        server = await asyncio.to_thread(open_server, read_address(url), tag=tag_of("look"))
        await asyncio.to_thread(server.close)
    if url := target.stores.get("redis", ""):
        async with open_redis(url) as client:
            said["redis"] = await look(client)
            said["redis_aside"] = ours(said["redis"])
    return said
