"""Sends our commands to Redis through the load engine."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from campaign.cache.territory import RedisPlace
from campaign.load.fleet import run_load
from campaign.load.outcome import LoadOutcome, Second
from campaign.load.profile import Segment
from campaign.load.spec import LoadPlan, Model, ScenarioSpec
from campaign.phase import PhaseContext
from campaign.target.journey import WaitSpec
from campaign.target.spec import UserSpec, Vocabulary
from phases.database.cache.life import Work
from phases.database.cache.settings import CacheSettings
from phases.database.scene import Scene

LIFE = "phases.database.cache.life:make"
KIND = "cache"


async def send_commands(scene: Scene, place: RedisPlace) -> LoadOutcome:
    """What came of the commands that the settings ask for."""
    context, settings = scene.context, scene.settings.cache

    def see(second: Second) -> None:
        context.record.points(round(began + second.at, 3), _points(second))
        scene.tell(f"cache: {second.rate:,.0f} commands/s", second.at / settings.seconds, **_figures(second))

    began = context.record.elapsed()
    stop = asyncio.Event()
    waiting = asyncio.create_task(_pass_on(context, stop))
    try:
        return await run_load(_plan(context, settings, place), clock=context.clock, stop=stop, on_second=see)
    finally:
        waiting.cancel()


async def _pass_on(context: PhaseContext, stop: asyncio.Event) -> None:
    await context.stop.wait()
    stop.set()


def _plan(context: PhaseContext, settings: CacheSettings, place: RedisPlace) -> LoadPlan:
    work = Work(
        url=context.target.stores["redis"],
        prefix=f"{place.name}:",
        mix=dict(settings.mix),
        keys=settings.keys,
        size=settings.value,
        timeout=settings.timeout,
    )
    user = UserSpec(KIND, 1, WaitSpec(), (), {}, life=LIFE, options=work)
    return LoadPlan(context.target, Vocabulary(users={KIND: user}), _scenario(settings), context.seed)


def _scenario(settings: CacheSettings) -> ScenarioSpec:
    lead, hold = settings.warm_up, settings.hold
    level = settings.users or settings.rate
    spec = ScenarioSpec(
        "cache",
        (Segment(level, 0.0), Segment(level, lead + hold)),
        (lead, lead + hold),
        graceful_stop=settings.timeout + 5.0,
        warm_up=lead,
    )
    if settings.users:
        return spec
    return replace(spec, model=Model.OPEN, ready=settings.connections, most=settings.connections)


def _points(second: Second) -> dict[str, tuple[float | None, str]]:
    return {
        "cache.command_p95": (second.p95, "s"),
        "cache.command_rate": (second.rate, "1/s"),
        "cache.command_error_rate": (second.error_rate, "share"),
    }


def _figures(second: Second) -> dict[str, float]:
    found = {"rate": second.rate, "p95": second.p95, "error_rate": second.error_rate}
    return {name: value for name, value in found.items() if value is not None}
