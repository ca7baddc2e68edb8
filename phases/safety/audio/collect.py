"""Uploads recordings that occur once, hangs up on two of them, and looks for all until the time is over."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from random import Random
from typing import Any

from campaign.clock import SECOND
from campaign.errors import CampaignError
from campaign.records import Severity
from campaign.target.jsonpath import MISSING, compile_path
from phases.safety.audio.abort import send_and_leave
from phases.safety.audio.plan import CUT, DELETED, LEFT, TRANSCRIPT
from phases.safety.audio.recording import FILLED, PLACE, Recording, base_of, once, put_in
from phases.safety.audio.traces import find
from phases.safety.cast.principal import Heard, Principal
from phases.safety.probe import Answered, Probe
from phases.safety.scene import Scene
from phases.safety.stores import Search, search

PART = "audio"
PATIENCE = 10.0
"""Seconds that an upload may have taken."""

LOOK_AGAIN = 0.2
"""Seconds between two looks."""

CUT_OFF = 100
"""Bytes of the body that a client keeps back which hangs up in the middle."""

SHORTEST = 8
"""Characters; a shorter transcript may be anywhere for other reasons."""

REMEDY = (
    "Keep recordings in memory, or in a file that is removed in a `finally`, also when the client is gone; "
    "delete what waits in queues, buckets and tables when the words are there."
)


@dataclass(slots=True)
class Sent:
    """A recording under way: how it was sent, and where it was found at the last look."""

    check: str
    told: str
    recording: Recording
    exchange: str
    at: int
    last: Search = field(default_factory=Search)
    gone_after: float | None = None


async def collect_audio(scene: Scene) -> None:
    """Send, hang up, look, and look again until the declared time is over."""
    settings = scene.settings.audio
    assert settings.upload is not None  # noqa: S101 - whoever calls has looked
    scene.tell("audio: uploads")
    child = _child(scene)
    if why := await _blind(scene, child):
        scene.record(PART, _all_untested(why))
        return
    heard, sent = await _send_all(scene, child)
    if not heard.ok:
        why = f"{settings.upload} did not go well: {heard.why} [{heard.id}]"
        scene.record(PART, _all_untested(why))
        return
    await _watch(scene, sent)
    probes = [_judged(each, settings.within) for each in sent]
    if settings.transcript:
        probes.append(await _transcript(scene, heard))
    recordings = [
        {"sent": each.told, "bytes": len(each.recording.content), "gone_after": each.gone_after,
         "places": str(each.last)}
        for each in sent
    ]  # fmt: skip
    scene.record(PART, probes, recordings=recordings, within=settings.within)


def _child(scene: Scene) -> Principal:
    """Who speaks: one of the role, or of the first role that belongs to another."""
    settings = scene.settings
    role = settings.audio.role or next((name for name, how in settings.roles.items() if how.of), "")
    role = role or next(iter(settings.roles), "")
    people = scene.cast.of(role)
    if not people:
        raise CampaignError(f"nobody of the role {role!r} could be made")
    return people[0]


async def _blind(scene: Scene, child: Principal) -> str:
    """Why nothing would be proved by not finding a recording; "" where it would."""
    if scene.server is None and not scene.redis and not scene.settings.audio.folders:
        return "there is nowhere to look: target.database, target.redis and audio.folders are all unset"
    if scene.server is None:
        return ""
    control = await search(scene.server, "", (child.canary,))
    if control.places:
        return ""
    return f"{child.name}'s own data are not in target.database, so it is not looked into with any sense"


async def _send_all(scene: Scene, child: Principal) -> tuple[Heard, list[Sent]]:
    """One upload that is answered, one that is cut, and one whose client is gone before the answer."""
    settings = scene.settings.audio
    assert settings.upload is not None  # noqa: S101
    operation = child.operations[settings.upload]
    place, base = base_of(operation.spec.body)
    random = Random(scene.context.seed)
    scopes = [child.another_word() for _ in range(3)]
    recordings = [once(base, scope.canary, random=random) for scope in scopes]
    for scope in scopes:
        scope.values[PLACE] = FILLED
    first = recordings[0]
    heard = await child.do(
        settings.upload, scope=scopes[0], save=False, change=lambda each: put_in(each, place, first.content)
    )
    sent = [Sent(DELETED, "answered", first, heard.id, heard.ended)]
    for check, without, scope, recording in zip(
        (CUT, LEFT), (CUT_OFF, 0), scopes[1:], recordings[1:], strict=True
    ):
        request = put_in(child.built(settings.upload, scope), place, recording.content)
        count = await send_and_leave(request, child.target, without=without)
        told = f"hung up after {count:,} of {len(request.body):,} bytes"
        number = scene.exchanges.keep(child.name, settings.upload, request, told)
        sent.append(Sent(check, told, recording, number, scene.context.clock.now_ns()))
    return heard, sent


async def _watch(scene: Scene, sent: list[Sent]) -> None:
    """Look until the declared time after the last one is over; what counts is the last look."""
    clock = scene.context.clock
    since = clock.wall() - (clock.now_ns() - min(each.at for each in sent)) / SECOND - PATIENCE
    until = max(each.at for each in sent) + round(scene.settings.audio.within * SECOND)
    over = False
    while not over and not scene.stopping:
        over = clock.now_ns() >= until
        for each in sent:
            began = clock.now_ns()
            each.last = await find(scene, each.recording, scene.settings.audio.folders, since=since)
            if each.last.places:
                each.gone_after = None
            elif each.gone_after is None:
                each.gone_after = max(0.0, (began - each.at) / SECOND)
        await clock.sleep_until(min(until, clock.now_ns() + round(LOOK_AGAIN * SECOND)))


def _judged(sent: Sent, within: float) -> Probe:
    ids = (sent.exchange,)
    if sent.last.places:
        said = f"a recording ({sent.told}) is still there {within:g} s later: {sent.last}"
        return Probe(sent.check, Severity.BLOCKER, Answered.FAILED, said, REMEDY, ids)
    if sent.last.unread:
        why = f"not all could be looked at: {'; '.join(sent.last.unread[:3])}"
        return Probe(sent.check, Severity.BLOCKER, Answered.NOT_TESTED, why, "", ids)
    said = f"a recording ({sent.told}) was found nowhere {within:g} s later"
    return Probe(sent.check, Severity.BLOCKER, Answered.PASSED, said, "", ids)


async def _transcript(scene: Scene, heard: Heard) -> Probe:
    """Whether the words are only where the file says that they are kept."""
    transcript = scene.settings.audio.transcript
    assert transcript is not None  # noqa: S101 - whoever calls has looked
    words = _words(heard, transcript.json_path)
    ids, severity = (heard.id,), Severity.CRITICAL
    if len(words) < SHORTEST:
        why = f"the answer has no words of {SHORTEST} characters or more at {transcript.json_path}"
        return Probe(TRANSCRIPT, severity, Answered.NOT_TESTED, why, "", ids)
    found = await search(scene.server, scene.redis, (words,))
    elsewhere = [each for each in found.places if each.where not in transcript.kept_in]
    if elsewhere:
        said = f"what was heard is also in {Search(tuple(elsewhere))}, where the file does not say so"
        remedy = "Store the words in one place only, or declare the others (audio.transcript.kept_in)."
        return Probe(TRANSCRIPT, severity, Answered.FAILED, said, remedy, ids)
    if found.unread:
        return Probe(TRANSCRIPT, severity, Answered.NOT_TESTED, "; ".join(found.unread[:3]), "", ids)
    said = f"what was heard is in {found}, and nowhere that the file does not name"
    return Probe(TRANSCRIPT, severity, Answered.PASSED, said, "", ids)


def _words(heard: Heard, path: str) -> str:
    try:
        found: Any = compile_path(path)(json.loads(heard.body.decode()))
    except (ValueError, RecursionError):
        return ""
    return "" if found is MISSING else str(found)


def _all_untested(why: str) -> list[Probe]:
    checks = [(each, Severity.BLOCKER) for each in (DELETED, CUT, LEFT)]
    return [
        Probe(check, severity, Answered.NOT_TESTED, why)
        for check, severity in (*checks, (TRANSCRIPT, Severity.CRITICAL))
    ]
