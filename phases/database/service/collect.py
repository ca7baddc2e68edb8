"""Runs the part: races, statements per request, connections; what was changed is put back at the end."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from campaign.database.address import Kind
from campaign.database.failure import failure_of
from campaign.errors import CampaignError, RefusedError
from campaign.target.guard import is_production
from phases.database.scene import Scene
from phases.database.service.actor import Actor, actors
from phases.database.service.connections import after_leaks, beside_waiting, in_a_crowd
from phases.database.service.races import run_race
from phases.database.service.settings import Connections, Race, ServiceSettings, Waiting
from phases.database.service.statements import count_statements


async def observe(scene: Scene) -> None:
    """Record what was seen, piece by piece. Raises CampaignError where nobody can even begin."""
    settings = scene.settings.service
    facts: dict[str, Any] = {"races": {}}
    _check_vocabulary(scene, settings)
    count = _people(settings)
    async with actors(scene.context, operations_of(settings), first=settings.user, count=count) as people:
        for each in people:
            await each.surely(*settings.start)
        await _observe(scene, people, facts=facts)


async def _observe(scene: Scene, people: list[Actor], *, facts: dict[str, Any]) -> None:
    settings, record = scene.settings.service, scene.context.record
    record.fact("service", facts)
    random = Random(f"{scene.context.seed}/races")
    for index, (name, race) in enumerate(settings.races.items()):
        if scene.stopping:
            return
        scene.tell(f"service: race {name}", share=0.6 * index / len(settings.races))
        facts["races"][name] = await _raced(scene, people[0], race, random=random, facts=facts)
        record.fact("service", facts)
    if settings.statements and not scene.stopping:
        scene.tell("service: statements per request", share=0.6)
        facts["statements"] = await count_statements(scene, people[0], list(settings.statements))
        record.fact("service", facts)
    await _connections(scene, people, facts=facts)


async def _raced(
    scene: Scene, actor: Actor, race: Race, *, random: Random, facts: dict[str, Any]
) -> dict[str, Any]:
    """The facts of one race, after which all is as it was before."""
    settings = scene.settings.service
    try:
        return await run_race(
            race, actor, times=settings.times, random=random, stopping=lambda: scene.stopping
        )
    except CampaignError as error:
        return {"kind": race.kind, "why": str(error)}
    finally:
        await _put_back(actor, settings, facts=facts)


async def _connections(scene: Scene, people: list[Actor], *, facts: dict[str, Any]) -> None:
    """The leak comes last, as it leaves a service that has one without connections."""
    asked, record = scene.settings.service.connections, scene.context.record
    if asked.crowd is not None and not scene.stopping:
        scene.tell("service: a crowd", share=0.7)
        facts["crowd"] = await in_a_crowd(scene, people[: asked.crowd.users], asked.crowd)
        record.fact("service", facts)
    if asked.waiting is not None and not scene.stopping:
        scene.tell("service: beside statements that wait", share=0.8)
        facts["waiting"] = await _waiting(scene, people, asked.waiting)
        record.fact("service", facts)
    if asked.leak is not None and not scene.stopping:
        scene.tell("service: connections given back", share=0.9)
        facts["leak"] = await after_leaks(scene, people[0], asked.leak)
        record.fact("service", facts)


async def _waiting(scene: Scene, people: list[Actor], asked: Waiting) -> dict[str, Any]:
    if scene.server is None or scene.server.kind is Kind.SQLITE:
        return {"not_applicable": "it needs a lock on a table in a database server"}
    if is_production(scene.context.target.environment):
        return {"cannot": f"in {scene.context.target.environment} no table is locked"}
    try:
        return await beside_waiting(scene, scene.server, people[: asked.at_once + 1], asked)
    except SQLAlchemyError as error:
        return {"cannot": f"the table {asked.lock} could not be locked: {failure_of(error)}"}


async def _put_back(actor: Actor, settings: ServiceSettings, *, facts: dict[str, Any]) -> None:
    """Undo what a race changed; note what could not be."""
    facts["left"] = []
    for name in settings.finish:
        try:
            await actor.surely(name)
        except CampaignError as error:
            facts["left"].append(str(error))


def _people(settings: ServiceSettings) -> int:
    crowd, waiting = settings.connections.crowd, settings.connections.waiting
    return max(1, crowd.users if crowd else 0, waiting.at_once + 1 if waiting else 0)


def _check_vocabulary(scene: Scene, settings: ServiceSettings) -> None:
    unknown = [name for name in operations_of(settings) if name not in scene.context.vocabulary.operations]
    if unknown:
        raise RefusedError(f"the operation {unknown[0]} is not there")


def operations_of(settings: ServiceSettings) -> list[str]:
    """Every operation that the part may do, each once."""
    races = (name for race in settings.races.values() for name in _of_race(race))
    names = (*settings.start, *settings.finish, *races, *settings.statements)
    return list(dict.fromkeys((*names, *_of_connections(settings.connections))))


def _of_race(race: Any) -> Iterator[str]:
    yield from race.before
    yield from (
        getattr(race, name) for name in ("first", "second", "event", "write", "read") if hasattr(race, name)
    )


def _of_connections(asked: Connections) -> Iterator[str]:
    if asked.crowd is not None:
        yield from asked.crowd.operations
    if asked.waiting is not None:
        yield from (asked.waiting.operation, asked.waiting.beside)
    if asked.leak is not None:
        yield from (*asked.leak.operations, asked.leak.probe)
