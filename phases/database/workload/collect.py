"""The workload's evidence: tables filled, patterns run, what the server kept of our writes."""

from __future__ import annotations

import asyncio
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from campaign.database.failure import failure_of
from campaign.database.server import Server
from campaign.load.outcome import LoadOutcome
from phases.database.crosscheck import watched
from phases.database.pattern import Pattern
from phases.database.running.figures import measurements, onlooker, plain
from phases.database.running.run import run_patterns
from phases.database.scene import Scene
from phases.database.workload.explained import plan_of_slowest
from phases.database.workload.fill import FILLING, fill
from phases.database.workload.patterns import patterns
from phases.database.workload.rows import counts
from phases.database.workload.schema import tables
from phases.database.workload.settings import WorkloadSettings

WRITES = "activity_log"


async def run_workload(scene: Scene) -> None:
    """Record what the database did with the statements of the settings, in tables of our own."""
    settings, server, place = scene.settings.workload, scene.server, scene.territory
    if server is None or place is None:
        return
    made = tables(place)
    await asyncio.to_thread(place.create, *made.all)
    if not await fill(scene, server, made, scale=settings.scale):
        return
    chosen = patterns(place, settings)
    outcome, view = await watched(server, chosen, lambda: _run(scene, settings, chosen))
    facts = plain(outcome, chosen)
    facts["server"] = view
    facts["rows"] = counts(settings.scale)
    if WRITES in settings.weights:
        facts["kept"] = await asyncio.to_thread(_kept, server, place.full("activities"), settings, outcome)
    for each in measurements(outcome, "workload", chosen):
        scene.context.record.measurement(each)
    scene.context.record.fact("workload", facts)
    if not scene.stopping:
        facts["plan"] = await plan_of_slowest(scene, server, chosen, facts)
        scene.context.record.fact("workload", facts)


async def _run(scene: Scene, settings: WorkloadSettings, chosen: tuple[Pattern, ...]) -> LoadOutcome:
    whole = settings.warm_up + settings.hold
    return await run_patterns(
        scene,
        chosen,
        name="workload",
        rate=settings.offered,
        users=settings.users,
        connections=settings.connections,
        hold=settings.hold,
        warm_up=settings.warm_up,
        timeout=settings.timeout,
        on_second=onlooker(scene, "workload", what="statements", seconds=whole, begins=FILLING),
    )


def _kept(server: Server, table: str, settings: WorkloadSettings, outcome: LoadOutcome) -> dict[str, Any]:
    """How many writes were acknowledged, and how many of them the server has."""
    acknowledged = outcome.counts.get(f"{WRITES}.rows", 0)
    try:
        there = int(server.scalar(f"SELECT COUNT(*) FROM {table}"))  # noqa: S608 - ours
    except SQLAlchemyError as error:
        return {"acknowledged": acknowledged, "found": None, "why": str(failure_of(error))}
    return {"acknowledged": acknowledged, "found": there - counts(settings.scale)["activities"], "why": ""}
