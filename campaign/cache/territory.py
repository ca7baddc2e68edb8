"""Keys of our own in somebody else's Redis: all below one prefix, found again and dropped after a crash.

A place is the prefix `campaign:` and eight hex digits. Its key `owner` says who made it; it is written
before any other and dropped after them, so what has no such key is not ours and never touched. Keys are
found with SCAN and dropped with UNLINK, which do not stop a Redis that others use.
"""

from __future__ import annotations

import json
import re
import secrets
from typing import TYPE_CHECKING, Any

from campaign.target.owner import Owner

if TYPE_CHECKING:
    from redis.asyncio import Redis

PREFIX = "campaign:"
OWNER = "owner"
"""The key below a place that says whose it is, as JSON: host, process, began (seconds since 1970)."""

_NAME = re.compile(r"campaign:[0-9a-f]{8}")
_DIGITS = "[0-9a-f]" * 8
BATCH = 500
"""Keys in one UNLINK, and about as many looked at by one SCAN."""

MOST_ROUNDS = 5
"""A place in which somebody still writes is scanned so often, then left to the next."""


class RedisPlace:
    """Keys of our own below `name`; make them by `key`, take them all away with `drop`."""

    def __init__(self, client: Redis, name: str) -> None:
        self.client = client
        self.name = name

    def key(self, *parts: object) -> str:
        """The full name of a key of ours: `key("list", 7)` is `campaign:1a2b3c4d:list:7`."""
        return ":".join((self.name, *map(str, parts)))

    async def drop(self) -> int:
        """Take away every key of ours; how many there were."""
        return await drop(self.client, self.name)


async def claim(client: Redis) -> RedisPlace:
    """A new place of our own. Raises what redis-py raises where we may not write."""
    place = RedisPlace(client, f"{PREFIX}{secrets.token_hex(4)}")
    mine = Owner.here()
    mark = json.dumps({"host": mine.host, "process": mine.process, "began": mine.began})
    await client.set(place.key(OWNER), mark, nx=True)
    return place


async def places(client: Redis) -> dict[str, Owner]:
    """All places of this and of earlier runs in this Redis database, and who made each."""
    found: dict[str, Owner] = {}
    async for key in client.scan_iter(match=f"{PREFIX}{_DIGITS}:{OWNER}", count=BATCH):
        name = _text(key).removesuffix(f":{OWNER}")
        if _NAME.fullmatch(name) and (owner := await _owner(client, name)) is not None:
            found[name] = owner
    return dict(sorted(found.items()))


async def drop(client: Redis, name: str) -> int:
    """Drop every key of the place of that name; how many there were, 0 where it is dropped already.

    Raises ValueError for a name that is not one of ours.
    """
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} is not a place of ours")
    mark, dropped = f"{name}:{OWNER}", 0
    for _ in range(MOST_ROUNDS):  # a SCAN may miss what is written meanwhile
        count = await _drop_all(client, f"{name}:*", but=mark)
        dropped += count
        if not count:
            break
    return dropped + int(await client.unlink(mark))


async def _drop_all(client: Redis, pattern: str, *, but: str) -> int:
    batch: list[str | bytes] = []
    dropped = 0
    async for key in client.scan_iter(match=pattern, count=BATCH):
        if _text(key) != but:
            batch.append(key)
        if len(batch) >= BATCH:
            dropped += int(await client.unlink(*batch))
            batch.clear()
    return dropped + (int(await client.unlink(*batch)) if batch else 0)


def _text(key: str | bytes) -> str:
    return key.decode("utf-8", "replace") if isinstance(key, bytes) else key


async def _owner(client: Redis, name: str) -> Owner | None:
    """Who made it; None where the key is none of ours, or gone by now."""
    from redis.exceptions import ResponseError  # noqa: PLC0415

    try:
        said: Any = json.loads(await client.get(f"{name}:{OWNER}") or "null")
        return Owner(str(said["host"]), int(said["process"]), float(said["began"]))
    except (ResponseError, ValueError, TypeError, KeyError):
        return None
