"""What has ended: expired tokens, used refresh tokens, and tokens after logout, a new password, deletion."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from campaign.clock import SECOND
from phases.safety.asking import NotTestedError, ask, fresh, must, pretending
from phases.safety.cast.principal import Heard, Principal
from phases.safety.probe import Answered, Probe
from phases.safety.scene import Scene
from phases.safety.sessions.plan import SIGN_IN, check_of
from phases.safety.sessions.settings import SignIn
from phases.safety.sessions.taken import control, taken

AGAIN = 0.1
"""Seconds between two looks at whether an ended token is still good."""

REMEDY = (
    "End a token where it is checked, in every cache as well: on logout, on a new password, on deletion, and "
    "once its time is over; a refresh token is good for one use, and its second use ends the whole sign-in."
)


async def expired(scene: Scene, role: str, sign_in: SignIn) -> Probe:
    """A token whose time is over."""
    settings = sign_in.expired
    assert settings is not None  # noqa: S101 - the plan has looked
    who = await fresh(scene, role)
    made = scene.context.clock.now_ns()
    await must(who, settings.make)
    shown = await control(who, sign_in)
    await scene.context.clock.sleep_until(made + round(settings.after * SECOND))
    heard = await ask(who, sign_in.protected)
    return _probe(who, "expired", heard, shown=shown, when=f"{settings.after:g} s after it was made")


async def refresh_reuse(scene: Scene, role: str, sign_in: SignIn) -> Probe:
    """A refresh token that was used before."""
    assert sign_in.refresh is not None  # noqa: S101 - the plan has looked
    who = await fresh(scene, role)
    used = who.scope.values.get(sign_in.refresh_token)
    if not used:
        raise NotTestedError(f"{who.name} has no value {sign_in.refresh_token!r}")
    shown = await control(who, sign_in)
    await must(who, (sign_in.refresh,))
    if who.scope.values.get(sign_in.refresh_token) == used:
        said = f"{sign_in.refresh} gave the same refresh token again, so it never ends by being used"
        return Probe(check_of(role, "refresh_reuse"), SIGN_IN["refresh_reuse"], Answered.FAILED, said, REMEDY)
    thief = pretending(who, {sign_in.refresh_token: used}, name=f"a thief of {who.name}")
    heard = await ask(thief, sign_in.refresh, save=True)
    if not heard.ok:
        said = f"a refresh token that was used before was refused ({heard.status})"
        said += await _after_theft(who, sign_in, shown=shown)
        return Probe(
            check_of(role, "refresh_reuse"), SIGN_IN["refresh_reuse"], Answered.PASSED, said, "", (heard.id,)
        )
    said = f"{sign_in.refresh} took a refresh token that was used before ({heard.status})"
    return Probe(
        check_of(role, "refresh_reuse"), SIGN_IN["refresh_reuse"], Answered.FAILED, said, REMEDY, (heard.id,)
    )


async def _after_theft(who: Principal, sign_in: SignIn, *, shown: bool) -> str:
    """Whether its second use ended the sign-in, as RFC 9700, section 4.14 wants it: told, not judged."""
    heard = await ask(who, sign_in.protected)
    good = taken(heard, who.canary, shown=shown)
    return f", and the sign-in {'goes on' if good else 'ended'} with its second use"


async def after_logout(scene: Scene, role: str, sign_in: SignIn) -> Probe:
    """The token of a sign-in that was ended."""
    return await _after(scene, role, "after_logout", sign_in=sign_in, ending=sign_in.logout)


async def after_deletion(scene: Scene, role: str, sign_in: SignIn) -> Probe:
    """The token of somebody who is not there any more."""
    return await _after(scene, role, "after_deletion", sign_in=sign_in, ending=sign_in.delete)


async def after_password_change(scene: Scene, role: str, sign_in: SignIn) -> Probe:
    """The token of a sign-in of before the password was changed in another one."""
    who = await fresh(scene, role)
    old = who.scope.values.get(sign_in.token)
    shown = await control(who, sign_in)
    await must(who, sign_in.login)
    if who.scope.values.get(sign_in.token) == old:
        raise NotTestedError("to sign in once more gave the same token, so there is no other sign-in to end")
    await must(who, sign_in.change_password)
    earlier = pretending(who, {sign_in.token: old}, name=f"{who.name} in an earlier sign-in")
    heard = await _until_refused(scene, earlier, sign_in, shown=shown)
    when = "after the password was changed in another sign-in"
    return _probe(earlier, "after_password_change", heard, shown=shown, when=when, role=role)


async def _after(scene: Scene, role: str, kind: str, *, sign_in: SignIn, ending: Iterable[str]) -> Probe:
    who = await fresh(scene, role)
    shown = await control(who, sign_in)
    before = pretending(who, {})
    await must(who, ending)
    heard = await _until_refused(scene, before, sign_in, shown=shown)
    return _probe(before, kind, heard, shown=shown, when=f"after {' and '.join(ending)}", role=role)


async def _until_refused(scene: Scene, who: Principal, sign_in: SignIn, *, shown: bool) -> Heard:
    """The first answer that refuses the token, or the last one within the time that the file allows."""
    clock = scene.context.clock
    until = clock.now_ns() + round(sign_in.within * SECOND)
    while True:
        heard = await ask(who, sign_in.protected)
        if not taken(heard, who.canary, shown=shown) or clock.now_ns() >= until:
            return heard
        await asyncio.sleep(AGAIN)


def _probe(who: Principal, kind: str, heard: Heard, *, shown: bool, when: str, role: str = "") -> Probe:
    through = taken(heard, who.canary, shown=shown)
    said = f"{heard.operation} with {who.name}'s token {when} was {'answered' if through else 'refused'}"
    answered = Answered.FAILED if through else Answered.PASSED
    return Probe(
        check_of(role or who.role, kind),
        SIGN_IN[kind],
        answered,
        f"{said} ({heard.status})",
        REMEDY if through else "",
        (heard.id,),
    )
