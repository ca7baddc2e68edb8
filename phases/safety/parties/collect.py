"""Listens to outgoing calls with and without consent to disclosure, and reads the notice."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from typing import Any

from campaign.canary import mint_of
from campaign.errors import CampaignError
from campaign.target.guard import Guard
from phases.safety.cast.principal import Principal
from phases.safety.parties.notice import read_notice
from phases.safety.parties.recorder import Recorder, recording
from phases.safety.scene import Scene

PART = "parties"
WITHOUT, WITH = "without consent to disclosure", "with consent to disclosure"


async def collect_parties(scene: Scene) -> None:
    """Both stages under the recorder, then the notice."""
    settings = scene.settings.parties
    fact: dict[str, Any] = {"calls": [], "uses": []}
    if settings.notice:
        scene.tell("parties: the notice")
        fact["notice"] = await read_notice(scene.context.target, settings.notice)
        scene.context.record.fact(PART, fact)
    if settings.listen:
        try:
            await _listen(scene, settings.listen, fact)
        except CampaignError as error:
            fact["why"] = str(error)
    scene.context.record.fact(PART, fact)


async def _listen(scene: Scene, port: int, fact: dict[str, Any]) -> None:
    settings = scene.settings.parties
    child = _child(scene)

    def passes(host: str) -> bool:
        name = settings.party_of(host)
        return name is not None and settings.declared[name].forward

    guard = Guard(scene.context.target.allow_hosts)
    recorder = Recorder(mint_of(str(scene.context.seed)), guard, passes)
    async with recording(recorder, port):
        scene.tell("parties: without consent to disclosure", 0.1)
        await _use(scene, child, recorder, stage=WITHOUT, fact=fact)
        if settings.consent and not scene.stopping:
            scene.tell("parties: with consent to disclosure", 0.5)
            recorder.stage = "in between"
            for operation in settings.consent:
                heard = await child.do(operation)
                if not heard.ok:
                    fact["no_consent"] = f"{operation} did not go well: {heard.why} [{heard.id}]"
                    return
            await _use(scene, child, recorder, stage=WITH, fact=fact)


def _child(scene: Scene) -> Principal:
    settings = scene.settings
    role = settings.parties.role or next(iter(settings.roles), "")
    people = scene.cast.of(role)
    if not people:
        raise CampaignError(f"nobody of the role {role!r} could be made")
    return people[0]


async def _use(
    scene: Scene, child: Principal, recorder: Recorder, *, stage: str, fact: dict[str, Any]
) -> None:
    """Do what is declared once each, and keep what was called meanwhile."""
    recorder.stage = stage
    for operation in scene.settings.parties.use:
        heard = await child.do(operation, scope=child.another_word(), save=False)
        scene.exchanges.named.add(heard.id)
        fact["uses"].append(
            {"stage": stage, "operation": operation, "ok": heard.ok, "why": heard.why, "exchange": heard.id}
        )
    await asyncio.sleep(scene.settings.parties.settle)
    fact["calls"] = [{**asdict(call), "canaries": sorted(call.canaries)} for call in recorder.calls]
    scene.context.record.fact(PART, fact)
