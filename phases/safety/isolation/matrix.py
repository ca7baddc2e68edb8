"""Which cells the matrix has: who does what to whose resource, and whether they may."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from phases.safety.cast.principal import Principal
from phases.safety.cast.settings import Allowed, CastSettings, ResourceSettings, Verb

ORDER: tuple[Verb, ...] = (
    "read", "list", "search", "export", "websocket", "batch", "write", "update", "delete",
)  # fmt: skip
"""What changes nothing comes first, what destroys comes last."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell. `relation` is what the attacker is to the owner: own, family or all (a stranger)."""

    resource: str
    verb: Verb
    owner: Principal
    attacker: Principal
    relation: str
    allowed: bool


def cells(
    name: str, resource: ResourceSettings, verb: Verb, *, people: list[Principal], settings: CastSettings
) -> Iterator[Cell]:
    """The cells of one resource and verb: every other principal against every owner."""
    owners = [each for each in people if each.role == resource.owner and not each.trouble]
    for owner in owners:
        for attacker in people:
            if attacker is owner or attacker.trouble:
                continue
            relation = relation_of(attacker, owner)
            yield Cell(name, verb, owner, attacker, relation, may(settings, attacker.role, relation, verb))


def relation_of(attacker: Principal, owner: Principal) -> str:
    """What the attacker is to the owner: `own` where the owner belongs to it, `family`, or `all`."""
    if owner.parent is attacker:
        return "own"
    return "family" if attacker.family and attacker.family == owner.family else "all"


def may(settings: CastSettings, role: str, relation: str, verb: Verb) -> bool:
    """Whether the file allows it; what it does not name is forbidden. What is allowed to all is to each."""
    allowed = settings.allow.get(role, Allowed())
    groups = {"own": allowed.own + allowed.family + allowed.all, "family": allowed.family + allowed.all}
    return verb in groups.get(relation, allowed.all)


def planned(settings: CastSettings) -> Iterator[tuple[str, Verb]]:
    """Every resource and verb that the file names, in the order in which they are tried."""
    for verb in ORDER:
        for name, resource in settings.resources.items():
            if resource.operation(verb):
                yield name, verb
