"""Sends our commands to Redis through the load engine."""

from __future__ import annotations

from campaign.cache.territory import RedisPlace
from campaign.load.fleet import run_load
from campaign.load.outcome import LoadOutcome
from campaign.load.spec import LoadPlan
from campaign.phase import PhaseContext
from campaign.target.journey import WaitSpec
from campaign.target.spec import UserSpec, Vocabulary
from phases.database.cache.life import Work
from phases.database.cache.settings import CacheSettings
from phases.database.running.figures import onlooker
from phases.database.running.run import scenario
from phases.database.scene import Scene

LIFE = "phases.database.cache.life:make"
KIND = "cache"


async def send_commands(scene: Scene, place: RedisPlace) -> LoadOutcome:
    """What came of the commands that the settings ask for."""
    context, settings = scene.context, scene.settings.cache
    whole = settings.warm_up + settings.hold
    return await run_load(
        _plan(context, settings, place),
        clock=context.clock,
        stop=context.stop,
        on_second=onlooker(scene, "cache", what="commands", seconds=whole, of="command"),
    )


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
    spec = scenario(
        "cache",
        rate=None if settings.users else settings.rate,
        users=settings.users or None,
        connections=settings.connections,
        hold=settings.hold,
        warm_up=settings.warm_up,
        timeout=settings.timeout,
    )
    return LoadPlan(context.target, Vocabulary(users={KIND: user}), spec, context.seed)
