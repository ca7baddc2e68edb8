"""What a Redis counted while our own commands ran: those lookups are none of the target's."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

from campaign.cache.view import CacheView, Counters, look

if TYPE_CHECKING:
    from redis.asyncio import Redis

_OURS: dict[str, Counters] = {}
"""By the run of each Redis. Phases know nothing of each other, and the counters of a Redis are all one."""


@asynccontextmanager
async def aside(client: Redis) -> AsyncIterator[None]:
    """Leaves out of the target's count whatever Redis counts meanwhile, the target's own lookups too."""
    from redis.exceptions import RedisError  # noqa: PLC0415 - only where a cache is asked

    begins = await look(client)
    try:
        yield
    finally:
        with suppress(RedisError):  # it is gone, and what it counted with it
            ends = await look(client)
            _OURS[ends.run] = ours(ends).plus(ends.counters.since(begins.counters))


def ours(view: CacheView) -> Counters:
    """What was left out so far, of that run of Redis."""
    return _OURS.get(view.run, Counters(*[0] * len(Counters.__slots__)))


def targets(now: CacheView, before: CacheView | None, left_out: Counters | None) -> Counters:
    """What Redis counted without us since `before`, when `left_out` was what `ours` said; since its start
    where there is none.
    """
    if before is None or left_out is None:
        return now.counters.since(ours(now))
    return now.counters.since(before.counters).since(ours(now).since(left_out))
