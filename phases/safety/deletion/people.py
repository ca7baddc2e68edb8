"""A family of its own for these probes, and how each of it looks at a child's data."""

from __future__ import annotations

import asyncio
import string
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from random import Random

from campaign.errors import CampaignError
from campaign.target.scope import Scope
from phases.safety.cast.principal import Heard, Principal
from phases.safety.scene import Scene

TOO_MANY = 429
TRIES, PAUSE = 12, 0.3
"""A rate limit says nothing of what is stored, and is waited for."""

FIRST_FAMILY, OTHER_FAMILY = "A", "B"


def role_of(scene: Scene) -> str:
    """The role of the child. Raises CampaignError where the file names none that there is."""
    role = scene.settings.deletion.role
    if role not in scene.settings.roles:
        raise CampaignError(f"deletion.role: there is no role {role!r} in roles")
    return role


async def fresh_parent(scene: Scene) -> Principal | None:
    """Somebody of the role that the child is `of`, whom no other probe knows; None where it is of none."""
    above = scene.settings.roles[role_of(scene)].of
    return _made(await scene.cast.more(above, FIRST_FAMILY)) if above else None


def stranger(scene: Scene) -> Principal | None:
    """Who might delete children, and not this one: somebody of another family."""
    role = role_of(scene)
    return next(iter(scene.cast.of(scene.settings.roles[role].of or role, OTHER_FAMILY)), None)


async def fresh_child(
    scene: Scene, parent: Principal | None, *, family: str = FIRST_FAMILY, number: int | None = None
) -> Principal:
    """One more child. Raises CampaignError where it could not be made."""
    return _made(await scene.cast.more(role_of(scene), family, parent=parent, number=number))


def _made(principal: Principal) -> Principal:
    if principal.trouble:
        raise CampaignError(f"a fresh {principal.role} could not be made: {principal.trouble}")
    return principal


def deleter(child: Principal) -> Principal:
    """Who deletes it."""
    return child.parent or child


def own_token(child: Principal) -> bool:
    """Whether it signs in with something else than its parent does."""
    parent = child.parent
    if parent is None:
        return False
    mine, its = child.scope.values, parent.scope.values
    return child.auth is not None or any(mine.get(name) != its.get(name) for name in child.credentials)


async def patiently(
    who: Principal,
    operation: str,
    *,
    child: Principal | None = None,
    scope: Scope | None = None,
    save: bool = False,
) -> Heard:
    """What `who` is answered, aimed at the child's data where one is given, or built from `scope`.

    Raises CampaignError.
    """
    for _ in range(TRIES):
        if child is not None and child is not who:
            scope = who.aimed_at(child)
        heard = await who.do(operation, scope=scope, save=save)
        if heard.status != TOO_MANY:
            break
        await asyncio.sleep(PAUSE)
    return heard


async def export_of(scene: Scene, who: Principal) -> Heard | None:
    """The last answer of the export; None where the file says nothing of one. Raises CampaignError."""
    heard = None
    for operation in scene.settings.deletion.export:
        heard = await patiently(who, operation, save=True)
    return heard


@dataclass(frozen=True, slots=True)
class View:
    """One way to look at a child's data: who asks for what."""

    who: Principal
    operation: str

    def __str__(self) -> str:
        """As the report says it."""
        return f"{self.operation} as {self.who.name}"

    async def look(self, child: Principal) -> Heard:
        """What is seen of the child. Raises CampaignError."""
        return await patiently(self.who, self.operation, child=child)


def views(scene: Scene, child: Principal) -> Iterator[View]:
    """All that the file names, as the parent, and as the child where it has a token of its own."""
    settings = scene.settings.deletion
    asking = [deleter(child)]
    if own_token(child):
        asking.append(child)
    return (View(who, operation) for who in asking for operation in settings.reads)


def shown(heard: Heard, words: Iterable[str]) -> list[str]:
    """Those of the words that an answer holds, in whatever case."""
    lower = heard.body.lower()
    return [word for word in words if heard.shows(word) or word.lower().encode() in lower]


def secret_of(child: Principal) -> str:
    """A name that nobody has heard before, the same for the same child and run."""
    random = Random(child.canary)
    return "Zyr" + "".join(random.choice(string.ascii_lowercase) for _ in range(9))


def ids_of(scene: Scene, child: Principal) -> tuple[str, ...]:
    """The values that were saved when it was made: they are this child's alone."""
    start = scene.settings.roles[child.role].start
    saved = {name for operation in start for name in child.operations[operation].spec.save}
    values = {str(child.scope.values.get(name, "")) for name in saved}
    return tuple(sorted(value for value in values if len(value) >= SHORTEST_ID))


SECRET = "secret"  # noqa: S105 - the name of a template's variable
SHORTEST_ID = 6
