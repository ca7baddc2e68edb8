"""Leaves out what is optional, and sends what nobody asked for."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from campaign.errors import CampaignError
from campaign.records import Severity
from campaign.target.operation import compile_operation
from phases.safety.probe import Answered, Probe
from phases.safety.stores import search

if TYPE_CHECKING:
    from phases.safety.cast.principal import Heard, Principal
    from phases.safety.scene import Scene

OPTIONAL, EXTRA = "retention.minimal.optional", "retention.minimal.extra"
TOO_MANY, TRIES, PAUSE = 429, 12, 0.3
GOOD = range(200, 300)
LET_GO = "Let children take part without it (16 CFR 312.7): make the field optional where it is checked."
DROP = "Store named fields alone; never the whole of what was sent (a JSON column, a log of requests)."


async def fresh(scene: Scene) -> Principal:
    """Somebody new of the role, in a family of its own. Raises CampaignError."""
    role = scene.settings.retention.role
    if role not in scene.settings.roles:
        raise CampaignError(f"retention.role: there is no role {role!r} in roles")
    above = scene.settings.roles[role].of
    parent = _made(await scene.cast.more(above, "A")) if above else None
    return _made(await scene.cast.more(role, "A", parent=parent))


def _made(principal: Principal) -> Principal:
    if principal.trouble:
        raise CampaignError(f"a fresh {principal.role} could not be made: {principal.trouble}")
    return principal


async def left_out(scene: Scene) -> list[Probe]:
    """A probe per optional field: left out, null and empty; afterwards everything must go well."""
    probes = []
    for operation, fields in scene.settings.retention.optional.items():
        for field in fields:
            try:
                probes.append(await _without(scene, await fresh(scene), operation, field))
            except CampaignError as error:
                check = f"{OPTIONAL}.{operation}.{field}"
                probes.append(Probe(check, Severity.IMPORTANT, Answered.NOT_TESTED, str(error)))
    return probes


async def _without(scene: Scene, who: Principal, operation: str, field: str) -> Probe:
    check, severity = f"{OPTIONAL}.{operation}.{field}", Severity.IMPORTANT
    body = who.operations[operation].spec.body.json
    if not isinstance(body, dict) or field not in body:
        return Probe(check, severity, Answered.NOT_TESTED, f"{operation} sends no JSON field {field}")
    whole = await patiently(who, operation)
    if not whole.ok:
        said = f"{operation} did not go well with it either: {whole.why} [{whole.id}]"
        return Probe(check, severity, Answered.NOT_TESTED, said)
    without = {name: value for name, value in body.items() if name != field}
    others = [await _sent(scene, who, operation, {**body, field: value}) for value in (None, "")]
    heard = await _sent(scene, who, operation, without)
    if not heard.ok:
        said = f"{operation} without {field} was refused ({heard.status}): {heard.why}"
        return Probe(check, severity, Answered.FAILED, said, LET_GO, (heard.id,))
    for name in scene.settings.retention.works:
        after = await patiently(who, name)
        if not after.ok:
            said = f"after {operation} without {field}, {name} does not work: {after.why}"
            return Probe(check, severity, Answered.FAILED, said, LET_GO, (after.id, heard.id))
    null, empty = ("accepted" if each.ok else f"refused ({each.status})" for each in others)
    said = (
        f"{operation} works without {field}, and what comes after it; null is {null}, an empty text {empty}"
    )
    return Probe(check, severity, Answered.PASSED, said, "", (heard.id,))


async def _sent(scene: Scene, who: Principal, operation: str, body: dict[str, Any]) -> Heard:
    """What is answered to the operation with another body."""
    spec = who.operations[operation].spec
    name = f"{operation} (changed)"
    changed = replace(spec, name=name, body=replace(spec.body, json=body))
    who.operations[name] = compile_operation(changed, scene.context.target)
    try:
        return await patiently(who, name)
    finally:
        del who.operations[name]


async def unasked(scene: Scene) -> list[Probe]:
    """A probe per operation that is sent fields nobody asked for."""
    probes = []
    for operation in scene.settings.retention.extra:
        try:
            probes.append(await _with_more(scene, await fresh(scene), operation))
        except CampaignError as error:
            check = f"{EXTRA}.{operation}"
            probes.append(Probe(check, Severity.IMPORTANT, Answered.NOT_TESTED, str(error)))
    return probes


async def _with_more(scene: Scene, who: Principal, operation: str) -> Probe:
    check, severity = f"{EXTRA}.{operation}", Severity.IMPORTANT
    body = who.operations[operation].spec.body.json
    if not isinstance(body, dict):
        return Probe(check, severity, Answered.NOT_TESTED, f"{operation} sends no JSON object")
    word = who.another_word().canary
    more = {"favourite_teacher": word, "device_id": f"d-{word}", "details": {"school": word}}
    heard = await _sent(scene, who, operation, {**body, **more})
    found = await search(scene.server, scene.redis, (word,))
    if found.places:
        said = f"{operation} stored a field that nobody asked for, in {found}"
        return Probe(check, severity, Answered.FAILED, said, DROP, (heard.id,))
    if found.unread or heard.status is None:
        why = "; ".join(found.unread) or heard.why
        return Probe(check, severity, Answered.NOT_TESTED, why, "", (heard.id,))
    if heard.status not in GOOD:
        said = f"{operation} refuses fields that it does not know ({heard.status})"
        return await _refused(who, operation, said, heard)
    said = (
        f"{operation} was answered {heard.status}, and stored none of the {len(more)} fields nobody asked for"
    )
    return Probe(check, severity, Answered.PASSED, said, "", (heard.id,))


async def _refused(who: Principal, operation: str, said: str, heard: Heard) -> Probe:
    """A refusal counts where the same goes well without the fields."""
    check, severity = f"{EXTRA}.{operation}", Severity.IMPORTANT
    control = await patiently(who, operation)
    if not control.ok:
        why = f"{operation} did not go well without them either: {control.why} [{control.id}]"
        return Probe(check, severity, Answered.NOT_TESTED, why)
    return Probe(check, severity, Answered.PASSED, said, "", (heard.id, control.id))


async def patiently(who: Principal, operation: str) -> Heard:
    """What is answered, once no rate limit is in the way."""
    for _ in range(TRIES):
        heard = await who.do(operation)
        if heard.status != TOO_MANY:
            break
        await asyncio.sleep(PAUSE)
    return heard
