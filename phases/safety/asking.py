"""Asks so that an answer settles something, with principals made for a probe alone."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import replace

from campaign.errors import CampaignError
from campaign.target.scope import Scope
from phases.safety.cast.principal import Heard, Principal
from phases.safety.cast.settings import ANONYMOUS
from phases.safety.changes import Change
from phases.safety.scene import Scene

FAMILY = "S"
"""The family of those who are made for these probes alone."""

TOO_MANY, WAITS = 429, 3
GOOD = range(200, 300)


class NotTestedError(CampaignError):
    """A probe cannot be asked, or what came back settles nothing; the text says why."""

    slug = "not-tested"


async def ask(
    who: Principal,
    operation: str,
    *,
    scope: Scope | None = None,
    save: bool = False,
    change: Change | None = None,
) -> Heard:
    """What came of it; a limit of requests is waited for, as it says nothing of rights.

    Raises NotTestedError where there is no answer that settles anything.
    """
    for _ in range(WAITS):
        heard = await who.do(operation, scope=scope, save=save, change=change)
        if heard.status != TOO_MANY:
            break
        await asyncio.sleep(1.0)
    if heard.status in {None, TOO_MANY}:
        raise NotTestedError(f"{operation} got no answer that settles it: {heard.why} [{heard.id}]")
    return heard


async def must(who: Principal, operations: Iterable[str], *, scope: Scope | None = None) -> None:
    """Do them in turn, keeping what they save. Raises NotTestedError where one does not go well."""
    for operation in operations:
        heard = await ask(who, operation, scope=scope, save=True)
        if not heard.ok:
            raise NotTestedError(f"{operation} did not go well: {heard.why} [{heard.id}]")


async def fresh(scene: Scene, role: str, *, parent: Principal | None = None) -> Principal:
    """One more principal of a role, with a parent of its own where it needs one. Raises NotTestedError."""
    settings = scene.settings.roles.get(role)
    if settings is None:
        raise NotTestedError(f"the campaign file has no role {role!r}")
    if settings.of and parent is None:
        parent = await fresh(scene, settings.of)
    made = await scene.cast.more(role, FAMILY, parent=parent)
    if made.trouble:
        raise NotTestedError(f"{made.name} could not be made: {made.trouble}")
    return made


def one_of(scene: Scene, role: str, family: str = "") -> Principal:
    """One of those who are there from the beginning. Raises NotTestedError."""
    found = scene.cast.of(role, family)
    if not found:
        raise NotTestedError(f"no {role} could be made{f' in family {family}' if family else ''}")
    return found[0]


def pretending(who: Principal, values: dict[str, object], *, name: str = "") -> Principal:
    """The same principal with other values, its token say; nothing of it is kept in the first one."""
    scope = Scope(who.scope.number, who.scope.kind, seed=who.seed, feeds=who.scope.feeds, wall=who.scope.wall)
    scope.values = {**who.scope.values, **values}
    return replace(who, name=name or who.name, scope=scope)


def nobody(scene: Scene, victim: Principal) -> tuple[Principal, Scope]:
    """Somebody without any credentials, and what it takes to ask for what the victim has."""
    anonymous = one_of(scene, ANONYMOUS)
    return anonymous, anonymous.aimed_at(victim)
