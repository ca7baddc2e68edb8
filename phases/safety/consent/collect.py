"""Brings fresh children into each state of consent, tries to collect from them, looks what was stored."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from campaign.clock import SECOND
from campaign.errors import CampaignError
from campaign.records import Measurement, Severity
from campaign.stats.histogram import Histogram
from phases.safety.cast.principal import Heard, Principal
from phases.safety.consent.children import fresh_child
from phases.safety.consent.race import race
from phases.safety.probe import Answered, Probe
from phases.safety.scene import Scene
from phases.safety.stores import Search, search

PART = "consent"
REMEDY = (
    "Check consent in the transaction that stores, with a lock that a revocation waits for, in every "
    "operation that collects; answer 403 and store nothing."
)
GOOD = range(200, 300)


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try to collect: what was answered, and where the word of it is."""

    heard: Heard
    found: Search
    read: tuple[str, ...] = ()

    @property
    def stored(self) -> bool:
        """Whether anything of it is anywhere."""
        return bool(self.found.places or self.read)


async def collect_consent(scene: Scene) -> None:
    """Every state with every operation, each with a fresh child; then the race, then the load."""
    settings = scene.settings.consent
    probes: list[Probe] = []
    for state, steps in settings.states.items():
        for operation in settings.collect:
            if scene.stopping:
                return
            scene.tell(f"consent: {state}, {operation}", len(probes) / (2 * len(settings.states) + 1))
            probes.append(await _probe(scene, state, steps, operation))
            scene.record(PART, probes)
    if settings.race and settings.revoke and not scene.stopping:
        scene.tell("consent: revocation beside messages", 0.6)
        probes.append(await race(scene))
        scene.record(PART, probes)
    if settings.load and not scene.stopping:
        scene.tell("consent: operations while consents change", 0.9)
        await _load(scene)


async def _probe(scene: Scene, state: str, steps: tuple[str, ...], operation: str) -> Probe:
    check, severity = f"consent.{state}.{operation}", Severity.BLOCKER
    try:
        control = await _attempt(scene, scene.settings.consent.give, operation)
        if isinstance(control, str):
            return Probe(check, severity, Answered.NOT_TESTED, control)
        if not control.heard.ok or not control.stored:
            return Probe(check, severity, Answered.NOT_TESTED, _no_control(operation, control))
        tried = await _attempt(scene, steps, operation)
    except CampaignError as error:
        return Probe(check, severity, Answered.NOT_TESTED, str(error))
    if isinstance(tried, str):
        return Probe(check, severity, Answered.NOT_TESTED, tried)
    return _judged(check, state, operation, tried)


def _no_control(operation: str, control: Attempt) -> str:
    if not control.heard.ok:
        return f"with consent, {operation} did not go well either: {control.heard.why} [{control.heard.id}]"
    unread = f" ({'; '.join(control.found.unread)})" if control.found.unread else ""
    return f"with consent, what {operation} sent was found nowhere{unread}; does it send {{{{ canary }}}}?"


def _judged(check: str, state: str, operation: str, tried: Attempt) -> Probe:
    accepted = tried.heard.status in GOOD
    where = " and ".join(
        filter(None, (str(tried.found) if tried.found.places else "", ", ".join(tried.read)))
    )
    ids = (tried.heard.id,)
    if tried.stored:
        said = f"consent {state}: {operation} was answered {tried.heard.status}, and stored in {where}"
        return Probe(check, Severity.BLOCKER, Answered.FAILED, said, REMEDY, ids)
    if accepted:
        said = f"consent {state}: {operation} was accepted ({tried.heard.status}), and found nowhere"
        return Probe(check, Severity.BLOCKER, Answered.FAILED, said, REMEDY, ids)
    if tried.heard.status is None or tried.found.unread:
        why = tried.heard.why if tried.heard.status is None else "; ".join(tried.found.unread)
        return Probe(
            check, Severity.BLOCKER, Answered.NOT_TESTED, f"consent {state}: {operation}: {why}", "", ids
        )
    said = f"consent {state}: {operation} was refused ({tried.heard.status}), and nothing of it is stored"
    return Probe(check, Severity.BLOCKER, Answered.PASSED, said, "", ids)


async def _attempt(scene: Scene, steps: tuple[str, ...], operation: str) -> Attempt | str:
    """A fresh child, brought to a state, and one try; a text where it could not be brought there."""
    child = await fresh_child(scene)
    if child.trouble:
        return f"a fresh {child.role} could not be made: {child.trouble}"
    for step in steps:
        heard = await child.do(step)
        if not heard.ok:
            return f"{step} did not go well: {heard.why} [{heard.id}]"
    scope = child.another_word()
    heard = await child.do(operation, scope=scope)
    found = await search(scene.server, scene.redis, (scope.canary,))
    return Attempt(heard, found, await _read(scene, child, scope.canary))


async def _read(scene: Scene, child: Principal, word: str) -> tuple[str, ...]:
    """By which reading operations the word is seen."""
    seen = []
    for name in scene.settings.consent.reads:
        try:
            heard = await child.do(name, save=False)
        except CampaignError:  # what it needs, a session say, was never made
            continue
        if heard.shows(word):
            seen.append(name)
    return tuple(seen)


async def _load(scene: Scene) -> None:
    """Times of a consented operation, while another child's consent is given and revoked at a rate."""
    settings = scene.settings.consent
    load = settings.load
    assert load is not None  # noqa: S101 - whoever calls has looked
    quiet, restless = await fresh_child(scene), await fresh_child(scene)
    for step in settings.give:
        await quiet.do(step)
    times, failed = Histogram(), 0
    until = scene.context.clock.now_ns() + round(load.hold * SECOND)
    changing = asyncio.create_task(_change(scene, restless, until))
    due = scene.context.clock.now_ns()
    while due < until and not scene.stopping:
        await scene.context.clock.sleep_until(due)
        due += round(SECOND / load.rate)  # as often as consents change: no limit of the target is in its way
        heard = await quiet.do(load.operation, scope=quiet.another_word())
        failed += not heard.ok
        times.record((heard.ended - heard.sent) // 1000)
    changes = await changing
    p95 = times.percentile(0.95)
    scene.context.record.fact("consent_load", {"requests": times.count, "failed": failed, "changes": changes})
    scene.context.record.measurement(
        Measurement.exact("consent.load", None if p95 is None else p95 / 1e6, unit="s", count=times.count)
    )


async def _change(scene: Scene, child: Principal, until: int) -> int:
    """Give and revoke in turn at the rate; how often."""
    settings = scene.settings.consent
    assert settings.load is not None  # noqa: S101
    clock = scene.context.clock
    steps = [*settings.give, *([settings.revoke] if settings.revoke else [])]
    done, due = 0, clock.now_ns()
    while clock.now_ns() < until and not scene.stopping:
        await clock.sleep_until(due)
        await child.do(steps[done % len(steps)])
        done += 1
        due += round(SECOND / settings.load.rate)
    return done
