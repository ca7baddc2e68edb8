"""A fresh child for each probe, so that no state of consent lasts into the next one, and what it sends."""

from __future__ import annotations

import asyncio
from random import Random

from campaign.errors import CampaignError
from campaign.target.scope import Scope
from phases.safety.audio.recording import PLACE, base_of, once, put_in
from phases.safety.cast.principal import Heard, Principal
from phases.safety.scene import Scene

TOO_MANY = 429
TRIES, PAUSE = 12, 0.4
"""A rate limit says nothing of consent, and is waited for."""


async def fresh_child(scene: Scene) -> Principal:
    """One more child of the first family, for one probe. Raises CampaignError where there is no parent."""
    role = scene.settings.consent.role
    above = scene.settings.roles[role].of
    parents = scene.cast.of(above, "A") if above else []
    if above and not parents:
        raise CampaignError(f"no {above} of family A could be made")
    return await scene.cast.more(role, "A", parent=parents[0] if parents else None)


async def patiently(child: Principal, operation: str, *, scope: Scope | None = None) -> Heard:
    """What the child is answered, by WebSocket or not, a recording sent or not. Raises CampaignError."""
    for _ in range(TRIES):
        heard = await _once(child, operation, scope)
        if heard.status != TOO_MANY:
            break
        await asyncio.sleep(PAUSE)
    return heard


def is_spoken(child: Principal, operation: str) -> bool:
    """Whether it goes over a WebSocket."""
    return child.operations[operation].script is not None


async def _once(child: Principal, operation: str, scope: Scope | None) -> Heard:
    if is_spoken(child, operation):
        return await child.talk(operation, scope=scope)
    if scope is None or not _is_recording(child, operation):
        return await child.do(operation, scope=scope)
    place, base = base_of(child.operations[operation].spec.body)
    sound = once(base, scope.canary, random=Random(scope.number)).content
    scope.values[PLACE] = place.decode("latin-1")
    return await child.do(operation, scope=scope, change=lambda request: put_in(request, place, sound))


def _is_recording(child: Principal, operation: str) -> bool:
    parts = child.operations[operation].spec.body.multipart
    return any(PLACE in part.text and "{{" in part.text for part in parts)
