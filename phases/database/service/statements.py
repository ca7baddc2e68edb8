"""Statements per request: an operation done alone so many times, while the server counts."""

from __future__ import annotations

import asyncio
from typing import Any

from campaign.records import Measurement
from phases.database.scene import Scene
from phases.database.service.actor import Actor, NotDoneError
from phases.database.service.counters import Counter, NoCounter, open_counter
from phases.database.service.settings import UNIT

REQUESTS = 20
IDLE_SECONDS = 1.0
TOLERABLE = 0.1
"""The share of what was counted that others may have done, without taking the number away."""


async def count_statements(scene: Scene, actor: Actor, names: list[str]) -> dict[str, Any]:
    """Per operation: how many statements the server counted for so many requests, and the measurement
    recorded; `why` where it could not be counted.
    """
    if scene.server is None:
        return {"why": "the target's database is not given (target.database)"}
    try:
        counter = await asyncio.to_thread(open_counter, scene.server, scene.territory)
    except NoCounter as reason:
        return {"why": str(reason), "never": reason.never}
    try:
        return await _counted(scene, actor, counter, names=names)
    finally:
        await asyncio.to_thread(counter.close)


async def _counted(scene: Scene, actor: Actor, counter: Counter, *, names: list[str]) -> dict[str, Any]:
    before = await asyncio.to_thread(counter.read)
    await asyncio.sleep(IDLE_SECONDS)
    others = (await asyncio.to_thread(counter.read) - before) / IDLE_SECONDS
    found: dict[str, Any] = {"others_per_second": others, "operations": {}}
    for name in names:
        if not scene.stopping:
            found["operations"][name] = await _of_one(scene, actor, counter, name=name, others=others)
    return found


async def _of_one(
    scene: Scene, actor: Actor, counter: Counter, *, name: str, others: float
) -> dict[str, Any]:
    clock = scene.context.clock
    try:
        await actor.surely(name)  # what is done only the first time is no part of it
        began, before = clock.now_ns(), await asyncio.to_thread(counter.read)
        for _ in range(REQUESTS):
            await actor.surely(name)
        total = await asyncio.to_thread(counter.read) - before
    except NotDoneError as error:
        return {"why": str(error)}
    foreign = others * (clock.now_ns() - began) / 1e9
    if foreign > TOLERABLE * total and foreign > 1:
        return {"why": f"others send about {others:.0f} statements/s to this database"}
    value = total / REQUESTS
    low = max(0.0, total - foreign) / REQUESTS
    measured = Measurement(f"service.statements.{name}", value, UNIT, REQUESTS, low, value)
    scene.context.record.measurement(measured)
    return {"requests": REQUESTS, "statements": total, "each": value}
