"""Tries every limit that the file names, and records the counts."""

from __future__ import annotations

import asyncio
from typing import Any

from campaign.errors import CampaignError
from phases.safety.quotas.door import Door
from phases.safety.quotas.floods import ask_too_often, flood_beside
from phases.safety.quotas.people import People
from phases.safety.quotas.python import PythonDoor, make_manager
from phases.safety.quotas.rush import Contract, people_needed
from phases.safety.quotas.settings import SlotSettings
from phases.safety.quotas.web import HttpDoor, SocketDoor
from phases.safety.scene import Scene

PART = "quotas"


async def collect_quotas(scene: Scene) -> None:
    """Slots first, then the rate of requests, then one beside another who floods."""
    settings = scene.settings.quotas
    fact: dict[str, Any] = {"slots": {}}
    people = People(scene)
    steps = len(settings.slots) + 2
    for place, (name, slot) in enumerate(settings.slots.items()):
        if scene.stopping:
            break
        scene.tell(f"quotas: {name}", place / steps)
        fact["slots"][name] = {}
        await _try_slots(scene, people, name, slot=slot, fact=fact)
    if settings.rate and not scene.stopping:
        scene.tell("quotas: requests per second", (steps - 2) / steps)
        fact["rate"] = await _or_why(ask_too_often(scene, people, settings.rate))
        _record(scene, fact)
    if settings.fairness and not scene.stopping:
        scene.tell("quotas: a flood beside another", (steps - 1) / steps)
        fact["fairness"] = await _or_why(flood_beside(scene, people, settings.fairness))
        _record(scene, fact)


async def _try_slots(
    scene: Scene, people: People, name: str, *, slot: SlotSettings, fact: dict[str, Any]
) -> None:
    """The whole contract of one kind of slots; what it could not do is in `why`."""

    def keep(what: str, value: Any) -> None:
        fact["slots"][name][what] = value
        _record(scene, fact)

    door: Door | None = None
    try:
        door = await _door(people, slot)
        clock = scene.context.clock
        await Contract(door, slot, clock, keep, lambda: scene.stopping).whole()
    except CampaignError as error:
        keep("why", str(error))
    finally:
        if isinstance(door, PythonDoor):
            door.close()


async def _door(people: People, slot: SlotSettings) -> Door:
    if slot.python:
        manager = await asyncio.to_thread(make_manager, slot.python, slot.folder)
        return PythonDoor(manager, slot)
    principals = await people.of(slot.role, people_needed(slot))
    return SocketDoor(principals, slot) if slot.websocket else HttpDoor(principals, slot)


async def _or_why(work: Any) -> dict[str, Any]:
    try:
        done: dict[str, Any] = await work
    except CampaignError as error:
        return {"why": str(error)}
    return done


def _record(scene: Scene, fact: dict[str, Any]) -> None:
    """Keep it, and the exchanges that show where a limit did not hold."""
    for kept in fact["slots"].values():
        for each in _rounds(kept):
            scene.exchanges.named.update(each["exchanges"])
    for each in (fact.get("rate", {}), fact.get("fairness", {}).get("calm", {})):
        scene.exchanges.named.update(each.get("exchanges", ()))
    scene.context.record.fact(PART, fact)


def _rounds(kept: dict[str, Any]) -> list[dict[str, Any]]:
    several = [each for value in kept.values() if isinstance(value, list) for each in value]
    single = [value for value in kept.values() if isinstance(value, dict) and "exchanges" in value]
    return [*several, *single]
