"""Statements per request: an operation done alone so many times, while the server counts."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from campaign.clock import SECOND
from campaign.database.address import Kind
from campaign.database.server import Server
from campaign.database.territory import Territory, claim
from campaign.records import Measurement
from campaign.target.guard import is_production
from phases.database.scene import Scene
from phases.database.service.actor import Actor, NotDoneError
from phases.database.service.counters import Counter, NoCounter, open_counter
from phases.database.service.settings import UNIT

REQUESTS = 20
IDLE_SECONDS = 1.0
LATE_SECONDS = 1.2
FOR_ALL_SESSIONS = 8
"""Requests after which each session of the service has probably been used once more."""

OURS = 5
"""Transactions that are our own asking, at most."""

TOLERABLE = 0.1
"""The share of what was counted that others may have done, without taking the number away."""


async def count_statements(scene: Scene, actor: Actor, names: list[str]) -> dict[str, Any]:
    """Per operation: how many statements the server counted for so many requests, and the measurement
    recorded; `why` where it could not be counted.
    """
    if scene.server is None:
        return {"why": "the target's database is not given (target.database)"}
    async with _place(scene, scene.server) as territory:
        try:
            counter = await asyncio.to_thread(open_counter, scene.server, territory)
        except NoCounter as reason:
            return {"why": str(reason), "never": reason.never}
        try:
            return await _counted(scene, actor, counter, names=names)
        finally:
            await asyncio.to_thread(counter.close)


@asynccontextmanager
async def _place(scene: Scene, server: Server) -> AsyncIterator[Territory | None]:
    """A place of ours, in which a PostgreSQL can be made to show us what it counts; None where we may have
    none.
    """
    if scene.territory is not None or server.kind is not Kind.POSTGRESQL:
        yield scene.territory
        return
    territory = None
    if not is_production(scene.context.target.environment):
        with suppress(SQLAlchemyError):
            territory = await asyncio.to_thread(claim, server)
    try:
        yield territory
    finally:
        if territory is not None:
            await asyncio.shield(asyncio.to_thread(territory.drop))


async def _counted(scene: Scene, actor: Actor, counter: Counter, *, names: list[str]) -> dict[str, Any]:
    before = await asyncio.to_thread(counter.read)
    await asyncio.sleep(IDLE_SECONDS)
    others = (await asyncio.to_thread(counter.read) - before) / IDLE_SECONDS
    found: dict[str, Any] = {"source": counter.source, "others_per_second": others, "operations": {}}
    for name in names:
        if not scene.stopping:
            found["operations"][name] = await _of_one(scene, actor, counter, name=name, others=others)
    return found


async def _of_one(
    scene: Scene, actor: Actor, counter: Counter, *, name: str, others: float
) -> dict[str, Any]:
    clock = scene.context.clock
    try:
        await _told(actor, name, counter)  # and what is done only the first time is no part of it
        began, before = clock.now_ns(), await asyncio.to_thread(counter.read)
        for _ in range(REQUESTS):
            await actor.surely(name)
        requests = REQUESTS + await _told(actor, name, counter)
        total = await asyncio.to_thread(counter.read) - before
    except NotDoneError as error:
        return {"why": str(error)}
    foreign = others * (clock.now_ns() - began) / SECOND
    if foreign > TOLERABLE * total and foreign > 1:
        return {"why": f"others send about {others:.0f} statements/s to this database"}
    measured = _measurement(name, total, requests=requests, foreign=foreign, counter=counter)
    scene.context.record.measurement(measured)
    return {
        "requests": requests,
        "statements": total,
        "each": measured.value,
        "at_least": counter.at_least,
    }


async def _told(actor: Actor, name: str, counter: Counter) -> int:
    """How many requests it took for the server to hear of those before."""
    if not counter.at_least:
        await actor.surely(name)
        return 1
    await asyncio.sleep(LATE_SECONDS)
    for _ in range(FOR_ALL_SESSIONS):
        await actor.surely(name)
    return FOR_ALL_SESSIONS


def _measurement(name: str, total: float, *, requests: int, foreign: float, counter: Counter) -> Measurement:
    low = max(0.0, total - foreign - (OURS if counter.at_least else 0)) / requests
    high = None if counter.at_least else total / requests
    return Measurement(f"service.statements.{name}", total / requests, UNIT, requests, low, high)
