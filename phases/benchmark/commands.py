"""Redis commands one at a time, on keys of our own, which are gone afterwards."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from redis.exceptions import RedisError

from campaign.cache.aside import aside
from campaign.cache.client import open_redis
from campaign.cache.territory import RedisPlace, claim
from phases.benchmark.comparison import GIVE_UP
from phases.benchmark.settings import BenchmarkSettings
from phases.benchmark.timed import FINE, Timed

if TYPE_CHECKING:
    from redis.asyncio import Redis

VALUE = "x" * 100
LIFE = 3600
"""Seconds after which our keys are gone, whatever becomes of us."""

Act = Callable[[], Awaitable[Any]]


async def time_commands(
    url: str, commands: Collection[str], settings: BenchmarkSettings, *, over: Callable[[], bool]
) -> dict[str, Timed]:
    """The times of these commands, in turn, until all are done or it is `over`.

    Raises CampaignError where Redis is not there or does not let us in, RedisError where it refuses our keys.
    """
    times = {name: Timed(tick=FINE) for name in commands}
    async with open_redis(url) as client, aside(client):
        place = await claim(client)
        try:
            acts = await _acts(client, place, commands)
            for _ in range(settings.warm_up):
                await _round(acts, {name: Timed(tick=FINE) for name in acts}, over=over)
            for _ in range(settings.iterations):
                await _round(acts, times, over=over)
                if all(each.in_vain >= GIVE_UP for each in times.values()):
                    break  # each further one may wait for its time-out
        finally:
            with suppress(RedisError):  # it may be gone; what was measured until then is told all the same
                await asyncio.shield(place.drop())
    for timed in times.values():
        if not timed.asked:
            timed.trouble = "it was never reached"
    return times


async def _acts(client: Redis, place: RedisPlace, commands: Collection[str]) -> dict[str, Act]:
    """What each command does, its keys filled before."""
    one, counter, table = place.key("value"), place.key("counter"), place.key("hash")
    many = [place.key("value", number) for number in range(10)]
    call: Any = client
    for key in (one, *many):
        await call.set(key, VALUE, ex=LIFE)
    await call.set(counter, 0, ex=LIFE)
    await call.hset(table, "field", VALUE)
    await call.expire(table, LIFE)
    acts: dict[str, Act] = {
        "get": lambda: call.get(one),
        "set": lambda: call.set(one, VALUE, ex=LIFE),
        "mget": lambda: call.mget(many),
        "hget": lambda: call.hget(table, "field"),
        "hset": lambda: call.hset(table, "field", VALUE),
        "incr": lambda: call.incr(counter),
        "ping": call.ping,
    }
    return {name: acts[name] for name in commands}


async def _round(acts: Mapping[str, Act], times: Mapping[str, Timed], *, over: Callable[[], bool]) -> None:
    for name, act in acts.items():
        if over():
            return
        began = time.perf_counter_ns()
        try:
            await act()
        except RedisError as error:
            times[name].fail(f"{type(error).__name__}: {error}"[:120], time.perf_counter_ns() - began)
        else:
            times[name].add(time.perf_counter_ns() - began)
