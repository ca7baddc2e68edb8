"""A session that somebody else knows: the id from before the sign-in must be worth nothing after it."""

from __future__ import annotations

import secrets

from campaign.target.template import compile_text
from phases.safety.asking import NotTestedError, ask, fresh
from phases.safety.cast.principal import Heard, Principal
from phases.safety.changes import Change, with_header
from phases.safety.cookies import cookies_of
from phases.safety.probe import Answered, Probe
from phases.safety.scene import Scene
from phases.safety.sessions.plan import FIXATION, SECTIONS, check_of
from phases.safety.sessions.settings import Fixation

REMEDY = "Give a browser a new session id when it signs in, and never take one that the service did not make."


async def fixation(scene: Scene, settings: Fixation) -> Probe:
    """An id that the service gave before the sign-in, and one that it never gave."""
    who = await fresh(scene, settings.role)
    who.auth = compile_text("")  # a browser sends its cookies, and no token
    visited = await ask(who, settings.visit)
    given = _value(visited, settings)
    if not given:
        raise NotTestedError(f"{settings.visit} set no cookie {settings.cookie} [{visited.id}]")
    for what, before in (("given before the sign-in", given), ("made up by us", secrets.token_urlsafe(24))):
        if probe := await _fixed(who, settings, what, before):
            return probe
    said = "a session id from before the sign-in, or one made up by us, is worth nothing after it"
    return _probe(Answered.PASSED, said)


async def _fixed(who: Principal, settings: Fixation, what: str, before: str) -> Probe | None:
    """What is wrong with this id; None where it is worth nothing. Raises NotTestedError."""
    signed_in = await ask(who, settings.login, save=True, change=_cookie(settings, before))
    if not signed_in.ok and not what.startswith("given"):
        return None  # who brings an id that the service never gave is not signed in at all
    if not signed_in.ok:
        raise NotTestedError(f"{settings.login} did not go well: {signed_in.why} [{signed_in.id}]")
    after = _value(signed_in, settings) or before
    heard = await ask(who, settings.protected, change=_cookie(settings, before))
    if _is(who, heard):
        said = f"the session id {what} is signed in afterwards: {settings.protected} was answered to it"
        return _probe(Answered.FAILED, f"{said} ({heard.status})", (heard.id, signed_in.id))
    control = await ask(who, settings.protected, change=_cookie(settings, after))
    if not _is(who, control) and what.startswith("given"):
        raise NotTestedError(
            f"no cookie that {settings.login} set is signed in: {control.why} [{control.id}]"
        )
    return None


def _value(heard: Heard, settings: Fixation) -> str:
    return next((each.value for each in cookies_of(heard.headers) if each.name == settings.cookie), "")


def _is(who: Principal, heard: Heard) -> bool:
    return heard.ok or heard.shows(who.canary)


def _cookie(settings: Fixation, value: str) -> Change:
    return with_header("Cookie", f"{settings.cookie}={value}")


def _probe(answered: Answered, said: str, ids: tuple[str, ...] = ()) -> Probe:
    failed = answered is Answered.FAILED
    return Probe(check_of(FIXATION), SECTIONS[FIXATION][1], answered, said, REMEDY if failed else "", ids)
