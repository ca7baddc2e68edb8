"""Tries every cell of the matrix: the owner looks first, then the forbidden call, then the owner again."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from campaign.canary import mint_of
from campaign.database.server import Server
from campaign.errors import CampaignError
from campaign.phase import PhaseContext
from phases.safety.cast.principal import Heard, Principal
from phases.safety.cast.settings import CHANGES, ResourceSettings, Verb
from phases.safety.isolation.matrix import Cell, cells, may, planned, relation_of
from phases.safety.scene import Scene
from phases.safety.stores import Shelf, count_on
from phases.safety.stores import shelves as shelves_of

PART = "isolation"

TOO_MANY = 429
WAITS = 3
LOOKS: tuple[Verb, ...] = ("read", "list", "search", "export")
"""How an owner looks at its own data, the first that the file names."""


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of a cell: `seen` whose data was shown, `changed` what the owner or the database missed
    afterwards, `why` it settles nothing ("" where it does).
    """

    cell: Cell
    exchanges: tuple[str, ...]
    status: int | None
    seen: tuple[str, ...] = ()
    changed: str = ""
    why: str = ""

    def plain(self) -> dict[str, Any]:
        """The cell as JSON data."""
        cell = self.cell
        return {
            "resource": cell.resource,
            "verb": cell.verb,
            "owner": cell.owner.name,
            "attacker": cell.attacker.name,
            "relation": cell.relation,
            "allowed": cell.allowed,
            "status": self.status,
            "seen": list(self.seen),
            "changed": self.changed,
            "why": self.why,
            "exchanges": list(self.exchanges),
        }


async def collect_isolation(scene: Scene) -> None:
    """Try all cells, those of a resource and verb after those of another, and record what came of them."""
    settings, people = scene.settings, scene.cast.people
    rows = Rows(scene.context)
    everything = list(planned(settings))
    shelves, looks = Shelves(), Looks()
    try:
        for place, (name, verb) in enumerate(everything):
            if scene.stopping:
                rows.ended = True
                break
            scene.tell(f"isolation: {name} {verb}", place / len(everything))
            resource = settings.resources[name]
            tried = list(cells(name, resource, verb, people=people, settings=settings))
            found = await _all(scene, tried, resource, shelves, looks)
            rows.add(found)
            _alert(scene, found)
    finally:
        rows.record()


class Rows:
    """The cells so far. All of them are masked and written each time, so that is done ever more rarely: it
    takes a twentieth of the time at most.
    """

    def __init__(self, context: PhaseContext) -> None:
        self._context, self._rows = context, list[dict[str, Any]]()
        self._next_ns = 0
        self.ended = False

    def add(self, rows: list[dict[str, Any]]) -> None:
        """Keep some more."""
        self._rows += rows
        if self._context.clock.now_ns() >= self._next_ns:
            self.record()

    def record(self) -> None:
        """Write all of them."""
        began = self._context.clock.now_ns()
        self._context.record.fact(PART, {"cells": self._rows, **({"ended": True} if self.ended else {})})
        took = self._context.clock.now_ns() - began
        self._next_ns = began + 20 * took


async def _all(
    scene: Scene, tried: list[Cell], resource: ResourceSettings, shelves: Shelves, looks: Looks
) -> list[dict[str, Any]]:
    """What came of these cells: one after the other for each owner, owners beside each other."""
    by_owner: dict[str, list[Cell]] = {}
    for cell in tried:
        by_owner.setdefault(cell.owner.name, []).append(cell)

    async def of(owner: str) -> list[dict[str, Any]]:
        return [(await _try(scene, cell, resource, shelves, looks)).plain() for cell in by_owner[owner]]

    found = await asyncio.gather(*map(of, by_owner))
    return [row for rows in found for row in rows]


def _alert(scene: Scene, rows: list[dict[str, Any]]) -> None:
    for row in rows:
        if not row["allowed"] and (row["seen"] or row["changed"]):
            scene.exchanges.named.update(row["exchanges"])
            check = f"{PART}.{row['resource']}.{row['verb']}"
            if check not in scene.told:
                scene.exchanges.show(row["exchanges"])
            scene.warn(check, f"{told(row)} [{', '.join(row['exchanges'])}]")


def told(row: dict[str, Any]) -> str:
    """What a forbidden attempt that got through came to, in words."""
    if row["changed"]:
        return f"{row['attacker']} was answered {row['status']}, and {row['changed']}"
    return f"{row['attacker']} was shown data of {' and '.join(row['seen'][:3])} (answered {row['status']})"


async def _try(scene: Scene, cell: Cell, resource: ResourceSettings, shelves: Shelves, looks: Looks) -> Tried:
    """One cell. An owner who cannot see its own: not tested, so that nothing is secure by being broken."""
    if cell.allowed and cell.verb == "delete":
        return Tried(cell, (), None)  # it would take the owner's data away from the forbidden attempts
    operation = resource.operation(cell.verb)
    assert operation is not None  # noqa: S101 - `planned` names what is there
    try:
        before = await looks.before(cell.owner, resource)
        if before is None or not before.shows(cell.owner.canary):
            return Tried(cell, _ids(before), None, why=_blind(cell, before))
        rows = await _in_database(scene, cell, shelves)
        heard = await _patiently(cell, operation)
    except CampaignError as error:
        return Tried(cell, (), None, why=f"the request could not be made: {error}")
    seen = tuple(_shown(scene, cell, heard))
    if cell.verb in CHANGES:
        looks.forget(cell.owner)
    if cell.allowed:
        return Tried(cell, (heard.id,), heard.status, seen)
    if heard.status in {None, TOO_MANY}:
        return Tried(
            cell, (heard.id,), heard.status, seen, why="" if seen else f"no answer settles it: {heard.why}"
        )
    changed, looked = await _changed(
        scene, cell, resource, before=before, rows=rows, shelves=shelves, looks=looks
    )
    return Tried(cell, (heard.id, *looked), heard.status, seen, changed)


class Looks:
    """What owners saw of their own last, for as long as nobody has tried to change anything of theirs."""

    def __init__(self) -> None:
        self._seen: dict[str, dict[str, Heard]] = {}

    async def before(self, owner: Principal, resource: ResourceSettings) -> Heard | None:
        """What the owner sees of its own now; None where the file names no way to look."""
        operation = next((name for verb in LOOKS if (name := resource.operation(verb))), None)
        if operation is None:
            return None
        seen = self._seen.setdefault(owner.name, {})
        if operation not in seen:
            heard = await _again(owner, operation)
            if not heard.shows(owner.canary):
                return heard
            seen[operation] = heard
        return seen[operation]

    def forget(self, owner: Principal) -> None:
        """Somebody may have changed what the owner has."""
        self._seen.pop(owner.name, None)


async def _patiently(cell: Cell, operation: str) -> Heard:
    """The forbidden call; a rate limit is waited for, as it says nothing of access."""
    scope = cell.attacker.aimed_at(cell.owner)
    if operation in cell.attacker.operations and cell.attacker.operations[operation].script is not None:
        return await cell.attacker.talk(operation, scope=scope)
    for _ in range(WAITS):
        heard = await cell.attacker.do(operation, scope=scope, save=False)
        if heard.status != TOO_MANY:
            break
        await asyncio.sleep(1.0)
    return heard


async def _again(owner: Principal, operation: str) -> Heard:
    for _ in range(WAITS):
        heard = await owner.do(operation, save=False)
        if heard.status != TOO_MANY:
            break
        await asyncio.sleep(1.0)
    return heard


def _shown(scene: Scene, cell: Cell, heard: Heard) -> Iterator[str]:
    """Whose canaries the attacker was shown though it may not see that one's data in this way."""
    own = {cell.attacker.canary}
    whole = b"\n".join((heard.body, *(value.encode() for value in heard.headers.values())))
    for canary in sorted(mint_of(str(scene.context.seed)).found(whole) - own):
        whose = next((each for each in scene.cast.people if each.canary == canary), None)
        if whose is None or not _may_see(scene, cell, whose):
            yield whose.name if whose else "somebody"


def _may_see(scene: Scene, cell: Cell, whose: Principal) -> bool:
    attacker = cell.attacker
    relation = relation_of(attacker, whose)
    return _belongs(whose, attacker) or may(scene.settings, attacker.role, relation, cell.verb)


def _belongs(whose: Principal, attacker: Principal) -> bool:
    """What is the attacker's own, or that of those who belong to it, is no secret from it."""
    return whose.parent is attacker or attacker.parent is whose


async def _changed(
    scene: Scene,
    cell: Cell,
    resource: ResourceSettings,
    *,
    before: Heard,
    rows: int | None,
    shelves: Shelves,
    looks: Looks,
) -> tuple[str, tuple[str, ...]]:
    """What the owner misses, or finds that is not its own, after a call that may change something."""
    if cell.verb not in CHANGES:
        return "", ()
    after = await looks.before(cell.owner, resource)
    if after is None:
        return "", ()
    if not after.shows(cell.owner.canary):
        return f"{cell.owner.name} does not see its own data any more ({after.status or after.why})", (
            after.id,
        )
    wrote = after.shows(cell.attacker.canary) and not before.shows(cell.attacker.canary)
    if wrote and not _belongs(cell.owner, cell.attacker):
        return f"{cell.owner.name} sees what {cell.attacker.name} wrote", (after.id,)
    now = await _in_database(scene, cell, shelves)
    if rows is not None and now is not None and now < rows:
        return f"rows of {cell.owner.name} in the database fell from {rows} to {now}", (after.id,)
    return "", (after.id,)


async def _in_database(scene: Scene, cell: Cell, shelves: Shelves) -> int | None:
    """How many rows the owner has; None where nobody looks."""
    wanted = cell.verb in CHANGES and not cell.allowed and scene.settings.isolation.database
    if not wanted or scene.server is None:
        return None
    try:
        return await asyncio.to_thread(shelves.rows, scene.server, cell.owner)
    except SQLAlchemyError:  # then nobody looks: what its owner sees decides alone
        return None


class Shelves:
    """Where each owner's rows are: looked for once, by its canary, and counted by its ids from then on."""

    def __init__(self) -> None:
        self._known: dict[str, list[Shelf]] = {}

    def rows(self, server: Server, owner: Principal) -> int:
        """How many rows the owner has now. Blocks; raises SQLAlchemyError."""
        if owner.name not in self._known:
            ids = [value for value in owner.scope.values.values() if isinstance(value, str)]
            self._known[owner.name] = shelves_of(server, (owner.canary,), ids)
        return count_on(self._known[owner.name], server)


def _blind(cell: Cell, before: Heard | None) -> str:
    if before is None:
        return "the file names no operation by which its owner could look (read, list, search or export)"
    if not before.ok:
        return f"{cell.owner.name} cannot see its own: {before.why}"
    owner, what = cell.owner.name, cell.resource
    return f"{owner} does not find its canary in its own {what}; does `create` send {{{{ canary }}}}?"


def _ids(heard: Heard | None) -> tuple[str, ...]:
    return (heard.id,) if heard else ()
