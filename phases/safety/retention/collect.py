"""Looks at ages, purges, ends of keys, what is asked for, and what is kept undeclared."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from campaign.errors import CampaignError
from phases.safety.probe import Answered, Probe
from phases.safety.retention.ages import aged, classed
from phases.safety.retention.asking import fresh, left_out, unasked
from phases.safety.retention.expiry import expiring
from phases.safety.retention.personal import undeclared
from phases.safety.retention.plan import planned
from phases.safety.retention.purge import PURGE, purged

if TYPE_CHECKING:
    from phases.safety.scene import Scene

PART = "retention"
NO_DATABASE = "the target's database cannot be looked into (target.database)"


async def collect_retention(scene: Scene) -> None:
    """All probes of the part; what raises leaves its own probes untested."""
    probes: list[Probe] = []
    for said, step in _steps(scene):
        if scene.stopping:
            break
        scene.tell(f"retention: {said}", len(probes) / 20)
        probes += await step()
        scene.record(PART, probes, redis=bool(scene.redis))
    missing = _without_database(scene, probes)
    scene.record(PART, [*probes, *missing], redis=bool(scene.redis))


def _without_database(scene: Scene, probes: list[Probe]) -> list[Probe]:
    """What would have been asked of the database, where there is none to look into."""
    if scene.server is not None:
        return []
    asked = {each.check for each in probes}
    return [
        Probe(each.check, each.severity, Answered.NOT_TESTED, each.why_not or NO_DATABASE)
        for each in planned(scene.settings.retention)
        if each.check not in asked
    ]


Step = Callable[[], Awaitable[list[Probe]]]


def _steps(scene: Scene) -> list[tuple[str, Step]]:
    settings = scene.settings.retention
    steps: list[tuple[str, Step]] = []
    if scene.redis and settings.expiring:
        steps.append(("ends of keys", lambda: _expiring(scene)))
    if settings.optional:
        steps.append(("optional fields", lambda: left_out(scene)))
    if scene.server is None:
        return steps
    if settings.extra:
        steps.append(("fields that nobody asked for", lambda: unasked(scene)))
    if settings.policy:
        steps.append(("ages", lambda: _ages(scene)))
    if settings.data_map:
        steps.append(("undeclared personal data", lambda: undeclared(scene)))
    if settings.policy and settings.purge:
        steps.append(("the purge", lambda: _purged(scene)))
    return steps


async def _expiring(scene: Scene) -> list[Probe]:
    return [await expiring(scene)]


async def _ages(scene: Scene) -> list[Probe]:
    return [await classed(scene), *await aged(scene)]


async def _purged(scene: Scene) -> list[Probe]:
    try:
        child = await fresh(scene)
        people = [child] if child.parent is None else [child.parent, child]
        return await purged(scene, people)
    except CampaignError as error:
        return [
            Probe(each.check, each.severity, Answered.NOT_TESTED, str(error))
            for each in planned(scene.settings.retention)
            if each.check.startswith(f"{PURGE}.")
        ]
