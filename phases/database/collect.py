"""Runs the parts one after the other. One that fails costs its own evidence; tables of ours are dropped."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from campaign.database.address import read_address
from campaign.database.blocking import interrupted
from campaign.database.failure import FailureKind, failure_of
from campaign.database.server import Server, open_server, tag_of
from campaign.database.territory import Territory, claim, is_there
from campaign.database.uptime import is_full, restarted, started_at
from campaign.database.watch import WATCH
from campaign.errors import CampaignError
from campaign.phase import PhaseContext
from campaign.target.guard import is_production
from phases.database.parts import asked
from phases.database.scene import KEPT_RUNNING, NAMED, STORES, TERRITORY, TROUBLE, Part, Scene
from phases.database.settings import DatabaseSettings


async def run_parts(context: PhaseContext, *, before: Mapping[str, Any] | None = None) -> None:
    """Run every part that is asked for; `before` is what the stores said before the campaign.

    Raises CampaignError where the database cannot be used at all.
    """
    settings: DatabaseSettings = context.settings
    parts = list(asked(settings))
    context.record.fact(STORES, sorted(context.target.stores))
    context.record.fact(NAMED, sorted(settings.model_fields_set))
    needed = any(part.needs == "territory" for part in parts)
    WATCH.relax()
    async with (
        _hurried(context),
        _server(context) as server,
        _territory(context, server if needed else None) as (territory, why_not),
    ):
        scene = Scene(
            context,
            settings,
            server,
            context.target.stores.get("redis", ""),
            territory,
            no_territory=why_not,
            before=before or {},
        )
        if server is not None:
            context.record.fact("database", {"server": server.version.text, "url": server.address.shown})
        whole = sum(part.seconds(settings) for part in parts) or 1.0
        began = await _started(server)
        for part in parts:
            if context.stop.requested:
                break
            if part.name == RESTARTS:
                await _note_restart(scene, began)
            scene.part_share = part.seconds(settings) / whole
            scene.tell(part.name)
            await _contained(part, scene)
            if part.needs == "territory" and part.name != RESTARTS and await _taken(scene):
                _record_trouble(scene, part, TAKEN)
            scene.share += scene.part_share
        if RESTARTS not in {part.name for part in parts}:
            await _note_restart(scene, began)


RESTARTS = "recovery"
"""The part that may restart the server on purpose, and judges that itself."""


TAKEN = "our own tables were taken away meanwhile, by `campaign clean --all` or by hand"


async def _taken(scene: Scene) -> bool:
    """Whether our place is gone, so that what a part found says nothing of the database."""
    territory = scene.territory
    if territory is None:
        return False
    try:
        return not await asyncio.to_thread(is_there, territory.server, territory.name)
    except (SQLAlchemyError, OSError):  # the server is gone, which is its own fault
        return False


async def _started(server: Server | None) -> float | None:
    if server is None:
        return None
    await asyncio.to_thread(server.engine.dispose)  # connections from before a restart are of no use
    with suppress(SQLAlchemyError):
        return await asyncio.to_thread(started_at, server)
    return None


PATIENCE = 10.0
"""Seconds for a server that comes back by itself."""


async def _note_restart(scene: Scene, began: float | None) -> None:
    """Whether the server kept running while the parts looked at it: "yes", "restarted", "gone" or "full"."""
    if scene.server is None or began is None:
        return
    until = time.monotonic() + PATIENCE
    now = await _started(scene.server)
    while now is None and time.monotonic() < until and not scene.stopping:
        await asyncio.sleep(0.25)  # nothing tells us when it is back
        now = await _started(scene.server)
    if now is None:
        kept = "full" if await asyncio.to_thread(is_full, scene.server) else "gone"
    else:
        kept = "restarted" if restarted(scene.server.kind, began, now) else "yes"
    scene.context.record.fact(KEPT_RUNNING, kept)


@asynccontextmanager
async def _hurried(context: PhaseContext) -> AsyncIterator[None]:
    """Once the campaign is stopped, nobody waits long for a server that stands still."""

    async def hurry() -> None:
        await context.stop.wait()
        WATCH.hurry()

    waiting = asyncio.create_task(hurry())
    try:
        yield
    except asyncio.CancelledError:
        WATCH.hurry()
        raise
    finally:
        waiting.cancel()


async def _contained(part: Part, scene: Scene) -> None:
    """Run one part; what it raises is recorded as its trouble."""
    if lacking := _lacking(part, scene):
        _record_trouble(scene, part, lacking)
        return
    try:
        await part.collect(scene)
    except CampaignError as error:
        _record_trouble(scene, part, str(error))
    except (SQLAlchemyError, OSError) as error:
        _record_trouble(scene, part, str(failure_of(error)))
    except Exception as error:  # noqa: BLE001 - the other parts are worth having all the same
        failure = failure_of(error)
        drivers_own = failure.kind is not FailureKind.OTHER
        broke = f"it broke off: {type(error).__name__}: {failure.text}"
        _record_trouble(scene, part, str(failure) if drivers_own else broke)


def _lacking(part: Part, scene: Scene) -> str:
    """What a part needs and does not have; "" where it has all."""
    if part.needs in {"database", "territory"} and scene.server is None:
        return "the target has no database (target.database)"
    if part.needs == "territory" and scene.territory is None:
        return scene.no_territory
    if part.needs == "redis" and not scene.redis:
        return "the target has no Redis (target.redis)"
    return ""


def _record_trouble(scene: Scene, part: Part, why: str) -> None:
    scene.troubles[part.name] = why
    scene.context.record.fact(TROUBLE, scene.troubles)


@asynccontextmanager
async def _server(context: PhaseContext) -> AsyncIterator[Server | None]:
    url = context.target.stores.get("database", "")
    if not url:
        yield None
        return
    server = await asyncio.to_thread(open_server, read_address(url), tag=tag_of(f"{context.seed:08x}"[:8]))
    try:
        yield server
    except asyncio.CancelledError:
        await asyncio.shield(interrupted(server))
        raise
    finally:
        await asyncio.to_thread(server.close)


@asynccontextmanager
async def _territory(
    context: PhaseContext, server: Server | None
) -> AsyncIterator[tuple[Territory | None, str]]:
    """A place of our own, dropped at the end, also of a cancelled phase; None where we may not have one, and
    why.
    """
    if server is None:
        yield None, "the target has no database (target.database)"
        return
    if is_production(context.target.environment):
        yield None, f"the target is in {context.target.environment}, where nothing is written"
        return
    try:
        territory = await asyncio.to_thread(claim, server)
    except SQLAlchemyError as error:
        yield None, f"we may make no tables of our own: {failure_of(error)}"
        return
    context.record.fact(TERRITORY, {"name": territory.name})
    try:
        yield territory, ""
    finally:
        await asyncio.shield(asyncio.to_thread(_drop, territory, context))


def _drop(territory: Territory, context: PhaseContext) -> None:
    """Drop it, look whether it is gone, and record what became of it."""
    try:
        territory.drop()
        left, why = is_there(territory.server, territory.name), ""
    except (SQLAlchemyError, OSError) as error:
        left, why = True, str(failure_of(error))
    context.record.fact(TERRITORY, {"name": territory.name, "left": left, "why": why})
