"""What a role may not do at all: a child's token on the routes of parents and administrators.

Two families: in the first the one who may do it does it, so that a refusal says something; in the second the
other tries, and then the one who may, who would miss what a refusal did all the same.
"""

from __future__ import annotations

from campaign.target.scope import Scope
from phases.safety.asking import GOOD, NotTestedError, ask, fresh, pretending
from phases.safety.cast.principal import Principal
from phases.safety.probe import Answered, Probe
from phases.safety.scene import Scene
from phases.safety.sessions.plan import FUNCTIONS, SECTIONS, check_of
from phases.safety.sessions.settings import Forbidden

REMEDY = "Ask for the role, not only for a valid token, at each route; what is not allowed is forbidden."


async def function(scene: Scene, role: str, forbidden: Forbidden, operation: str) -> Probe:
    """One operation, tried by a principal of a role that may not do it."""
    other, may = await _family(scene, role, forbidden.by)
    before = await ask(may, operation, scope=_seen_by(may, other))
    if not before.ok:
        raise NotTestedError(f"{may.name} may do {operation} and cannot: {before.why} [{before.id}]")
    other, may = await _family(scene, role, forbidden.by)
    heard = await ask(_with_own_token(other, may), operation)
    said = f"{operation} with {other.name}'s token was "
    if heard.ok or heard.status in GOOD or heard.shows(may.canary):
        return _probe(role, operation, Answered.FAILED, f"{said}answered ({heard.status})", (heard.id,))
    after = await ask(may, operation, scope=_seen_by(may, other))
    if not after.ok:
        said += f"answered {heard.status}, and {may.name} cannot do it any more: {after.why}"
        return _probe(role, operation, Answered.FAILED, said, (heard.id, after.id))
    return _probe(role, operation, Answered.PASSED, f"{said}refused ({heard.status})", (heard.id,))


async def _family(scene: Scene, role: str, by: str) -> tuple[Principal, Principal]:
    """A principal of the role and the one who may, related where the file says so."""
    may = await fresh(scene, by)
    settings = scene.settings.roles.get(role)
    parent = may if settings is not None and settings.of == by else None
    return await fresh(scene, role, parent=parent), may


def _seen_by(may: Principal, other: Principal) -> Scope:
    return may.aimed_at(other)


def _with_own_token(other: Principal, may: Principal) -> Principal:
    """The same, in whose requests its own token stands wherever that of the one who may would."""
    token = next((other.scope.values.get(name) for name in other.credentials), None)
    if not token:
        raise NotTestedError(f"{other.name} has no token of its own (roles.{other.role}.credentials)")
    return pretending(other, dict.fromkeys(may.credentials, token))


def _probe(role: str, operation: str, answered: Answered, said: str, ids: tuple[str, ...]) -> Probe:
    failed = answered is Answered.FAILED
    check = check_of(FUNCTIONS, role, operation)
    return Probe(check, SECTIONS[FUNCTIONS][1], answered, said, REMEDY if failed else "", ids)
