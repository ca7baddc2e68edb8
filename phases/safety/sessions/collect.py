"""Asks every probe of `plan.py`, one after the other; what cannot be asked says why."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from functools import partial

from campaign.errors import CampaignError
from campaign.records import Severity
from phases.safety.probe import Answered, Probe
from phases.safety.scene import Scene
from phases.safety.sessions import ended, forged
from phases.safety.sessions.assigned import assigned
from phases.safety.sessions.fixation import fixation
from phases.safety.sessions.functions import function
from phases.safety.sessions.ids import foreseeable
from phases.safety.sessions.plan import (
    EXCESSIVE,
    FIXATION,
    FUNCTIONS,
    IDS,
    MASS,
    PAGES,
    SECTIONS,
    SIGN_IN,
    check_of,
    is_without,
    unmapped,
)
from phases.safety.sessions.settings import SessionsSettings, SignIn
from phases.safety.sessions.shown import excessive, page_size

PART = "sessions"

Ask = Callable[[Scene, str, SignIn], Awaitable[Probe]]

PROBES: dict[str, Ask] = {
    "no_token": forged.no_token,
    "garbage": forged.garbage,
    "tampered_subject": forged.tampered_subject,
    "alg_none": forged.alg_none,
    "weak_secret": forged.weak_secret,
    "expired": ended.expired,
    "refresh_reuse": ended.refresh_reuse,
    "after_logout": ended.after_logout,
    "after_password_change": ended.after_password_change,
    "after_deletion": ended.after_deletion,
}
"""What asks each probe of a sign-in."""


class Step:
    """One probe that will be asked: its check and severity, and what asks it."""

    def __init__(self, check: str, severity: Severity, ask: Callable[[Scene], Awaitable[Probe]]) -> None:
        self.check, self.severity, self.ask = check, severity, ask


async def collect_sessions(scene: Scene) -> None:
    """Every probe in turn, each recorded before the next begins."""
    settings = scene.settings.sessions
    probes = list(_excused(settings))
    everything = list(steps(settings))
    for place, step in enumerate(everything):
        if scene.stopping:
            break
        scene.tell(step.check.replace(".", ": ", 1), place / len(everything))
        probes.append(await _asked(scene, step))
        scene.record(PART, probes)
    scene.record(PART, probes)


def steps(settings: SessionsSettings) -> Iterator[Step]:
    """All that the file maps, the harmless first."""
    for role, sign_in in settings.sign_ins.items():
        for kind, ask in PROBES.items():
            if not unmapped(sign_in, kind) and not is_without(sign_in, kind):
                yield Step(check_of(role, kind), SIGN_IN[kind], _of_sign_in(ask, role, sign_in))
    if settings.fixation:
        yield _step(FIXATION, "", partial(fixation, settings=settings.fixation))
    for name, source in settings.ids.items():
        yield _step(IDS, name, partial(foreseeable, name=name, source=source))
    yield from _of_operations(settings)


def _of_operations(settings: SessionsSettings) -> Iterator[Step]:
    """What is asked of single operations."""
    for name, shown in settings.excessive.items():
        yield _step(EXCESSIVE, name, partial(excessive, operation=name, settings=shown))
    for name, page in settings.page_size.items():
        yield _step(PAGES, name, partial(page_size, operation=name, settings=page))
    for name, read in settings.mass_assignment.items():
        yield _step(MASS, name, partial(assigned, operation=name, settings=read))
    for role, forbidden in settings.functions.items():
        for name in forbidden.operations:
            ask = partial(function, role=role, forbidden=forbidden, operation=name)
            yield _step(FUNCTIONS, f"{role}.{name}", ask)


def _of_sign_in(ask: Ask, role: str, sign_in: SignIn) -> Callable[[Scene], Awaitable[Probe]]:
    return lambda scene: ask(scene, role, sign_in)


def _step(kind: str, name: str, ask: Callable[[Scene], Awaitable[Probe]]) -> Step:
    return Step(check_of(kind, name) if name else check_of(kind), SECTIONS[kind][1], ask)


def _excused(settings: SessionsSettings) -> Iterator[Probe]:
    """What a kind of sign-in does not have, as the file says."""
    for role, sign_in in settings.sign_ins.items():
        for kind, severity in SIGN_IN.items():
            if is_without(sign_in, kind):
                said = f"{role} has no such thing, says the file (sessions.sign_ins.{role}.lacks)"
                yield Probe(check_of(role, kind), severity, Answered.NOT_APPLICABLE, said)


async def _asked(scene: Scene, step: Step) -> Probe:
    try:
        return await step.ask(scene)
    except CampaignError as error:
        return Probe(step.check, step.severity, Answered.NOT_TESTED, str(error))
