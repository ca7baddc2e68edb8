"""Collects what Redis says before and after our own commands, and which of the target's keys never expire."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict
from typing import Any

from redis.exceptions import OutOfMemoryError, ResponseError

from campaign.cache.aside import aside, targets
from campaign.cache.client import open_redis
from campaign.cache.survey import Survey, survey
from campaign.cache.territory import RedisPlace, claim
from campaign.cache.view import CacheView, look, slow_log
from campaign.target.guard import is_production
from phases.database.cache.drive import send_commands
from phases.database.pattern import Pattern
from phases.database.running.figures import measurements, plain
from phases.database.scene import Scene

SURVEY_SECONDS = 10.0


async def collect_cache(scene: Scene) -> None:
    """Record all of it as the fact `cache`. Raises CampaignError where Redis cannot be used."""
    facts: dict[str, Any] = {}
    record = scene.context.record
    async with open_redis(scene.redis) as client:
        first = await look(client)
        logged = max((each.number for each in await slow_log(client)), default=-1)
        facts |= _said(scene, first)
        record.fact("cache", facts)
        facts["survey"] = await _survey(scene, client)
        record.fact("cache", facts)
        if is_production(scene.context.target.environment):
            facts["refused"] = (
                f"the target is in {scene.context.target.environment}, where nothing is written"
            )
        elif not scene.stopping:
            facts |= await _send(scene, client)
        facts["slow"] = [asdict(each) for each in await slow_log(client, after=logged)]
        facts["after"] = asdict(await look(client))
    record.fact("cache", facts)


async def _send(scene: Scene, client: Any) -> dict[str, Any]:
    """What came of our own commands, or why Redis takes none."""
    try:
        place = await claim(client)
    except ResponseError as error:
        full = isinstance(error, OutOfMemoryError) or "MISCONF" in str(error)
        return {"refused": f"Redis refuses to write: {error}", "full": full}
    commands = tuple(Pattern(name, weight) for name, weight in scene.settings.cache.mix.items() if weight)
    async with _dropped(place), aside(client):
        begins = await look(client)
        outcome = await send_commands(scene, place)
        ends = await look(client)
    for each in measurements(outcome, "cache", commands):
        scene.context.record.measurement(each)
    during = asdict(ends.counters.since(begins.counters))
    return {"commands": plain(outcome, commands), "during": during}


@asynccontextmanager
async def _dropped(place: RedisPlace) -> AsyncIterator[None]:
    """Keys of our own are gone afterwards, also when the phase is cancelled."""
    try:
        yield
    finally:
        await asyncio.shield(place.drop())


def _said(scene: Scene, now: CacheView) -> dict[str, Any]:
    """What Redis shows, and what the target's lookups came to since the campaign began."""
    before: CacheView | None = scene.before.get("redis")
    same = before is not None and before.run == now.run
    since = targets(now, before if same else None, scene.before.get("redis_aside"))
    return {
        "view": asdict(now),
        "lookups": {
            "since": "the campaign began" if same else "Redis was started",
            "hits": since.hits,
            "misses": since.misses,
            "evicted": since.evicted,
            "hit_ratio": since.hit_ratio,
        },
    }


async def _survey(scene: Scene, client: Any) -> dict[str, Any]:
    settings = scene.settings.cache
    ends = time.monotonic() + SURVEY_SECONDS
    found: Survey = await survey(
        client,
        most=settings.survey,
        until=lambda: scene.stopping or time.monotonic() > ends,
        skip="campaign:",
    )
    groups = [asdict(each) for each in found.patterns()]
    return {"seen": found.seen, "total": found.total, "whole": found.whole, "patterns": groups}
