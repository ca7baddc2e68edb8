"""Brings fresh children into one state, has each send one kind of thing, and looks what became of all."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from sqlalchemy.exc import SQLAlchemyError

from campaign.clock import SECOND
from campaign.errors import CampaignError
from campaign.target.scope import RenderError, Scope
from phases.safety.cast.principal import Heard, Principal
from phases.safety.consent.children import fresh_child, is_spoken, patiently
from phases.safety.consent.deltas import Rows, added, cannot_look, rows_of, where_words_are
from phases.safety.consent.settings import ConsentState
from phases.safety.scene import Scene

T = TypeVar("T")

AT_ONCE = 3
"""Children that are made and speak beside each other."""

SETTLE = 0.25
"""Seconds after the last answer in which something that was queued may still be stored."""

SHORTEST_ID = 6


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try to collect: what was answered, where its word is, by which reads it was seen, and by how many
    rows tables grew for the child. `spoken`: over a WebSocket, which lets in whom it then refuses.
    """

    heard: Heard
    spoken: bool
    places: tuple[str, ...] = ()
    read: tuple[str, ...] = ()
    grown: tuple[tuple[str, int], ...] = ()
    unread: tuple[str, ...] = ()

    @property
    def words_stored(self) -> bool:
        """Whether its word is anywhere."""
        return bool(self.places or self.read)

    @property
    def stored(self) -> bool:
        """Whether anything of it is anywhere."""
        return bool(self.words_stored or self.grown)

    @property
    def where(self) -> str:
        """Where something of it is, for a reader."""
        rows = (
            f"{count} more row{'s' * (count > 1)} of the child in table {table}"
            for table, count in self.grown
        )
        return ", ".join((*self.places, *self.read)) or ", ".join(rows)


@dataclass(frozen=True, slots=True)
class Unasked:
    """It could not be tried, and why; `needless`: in this state nobody could send such a thing."""

    why: str
    needless: bool = False


STOPPED = Unasked("it was stopped before")


@dataclass(slots=True)
class _Ready:
    """A child in the state, and what it will send."""

    child: Principal
    operation: str
    scope: Scope
    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Try:
    """One kind of thing that a child in one state is to send; "" is the state of consent."""

    state: str
    how: ConsentState
    operation: str


async def tried(scene: Scene, tries: Sequence[Try]) -> list[Attempt | Unasked]:
    """What came of each, in their order, each by a child of its own.

    All are brought into their states, then all send; the stores are looked through once, before and after:
    that is what takes long.
    """
    ready = await _side_by_side(_brought(scene, each) for each in tries)
    await _waited(scene, tries)
    ids = [each for one in ready if isinstance(one, _Ready) for each in one.ids]
    before, trouble = await _rows(scene, ids)
    heard = await _side_by_side(_sent(scene, each) for each in ready)
    await asyncio.sleep(SETTLE)
    words = [each.scope.canary for each in ready if isinstance(each, _Ready)]
    looked = await where_words_are(scene, words)
    after, trouble_after = await _rows(scene, ids)
    unread = (*looked.unread, *filter(None, (trouble or trouble_after,)))
    return [
        replace(
            one,
            places=looked.places.get(place.scope.canary, ()),
            read=await _read(scene, place),
            grown=tuple(added(before, after, place.ids, but=scene.settings.consent.notes).items()),
            unread=unread,
        )
        if isinstance(one, Attempt) and isinstance(place, _Ready)
        else one
        for one, place in zip(heard, ready, strict=True)
    ]


async def _waited(scene: Scene, tries: Sequence[Try]) -> None:
    """Return when the longest of the states has had its time."""
    clock = scene.context.clock
    longest = max((each.how.after for each in tries), default=0.0)
    if longest:
        await clock.sleep_until(clock.now_ns() + round(longest * SECOND))


async def _side_by_side(tries: Iterable[Awaitable[T]]) -> list[T]:
    """What came of all, in their order; a few at once."""
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(each: Awaitable[T]) -> T:
        async with gate:
            return await each

    return list(await asyncio.gather(*map(one, tries)))


async def _brought(scene: Scene, each: Try) -> _Ready | Unasked:
    """A fresh child in the state."""
    if scene.stopping:
        return STOPPED
    scene.tell(f"consent: {each.state or 'given'}")
    try:
        child = await fresh_child(scene)
        if child.trouble:
            return Unasked(f"a fresh {child.role} could not be made: {child.trouble}")
        for step in each.how.do:
            heard = await patiently(child, step)
            if not heard.ok:
                return Unasked(f"{step} did not go well: {heard.why} [{heard.id}]")
    except CampaignError as error:
        return Unasked(str(error))
    scene.exchanges.rests[child.name] = each.how.after
    return _Ready(child, each.operation, child.another_word(), _ids(scene, child))


def _ids(scene: Scene, child: Principal) -> tuple[str, ...]:
    """The values that were saved when it was made: they are this child's alone."""
    start = scene.settings.roles[child.role].start
    saved = {name for operation in start for name in child.operations[operation].spec.save}
    values = (str(child.scope.values.get(name, "")) for name in saved)
    return tuple(sorted(value for value in values if len(value) >= SHORTEST_ID))


async def _sent(scene: Scene, place: _Ready | Unasked) -> Attempt | Unasked:
    if isinstance(place, Unasked):
        return place
    if scene.stopping:
        return STOPPED
    try:
        heard = await patiently(place.child, place.operation, scope=place.scope)
    except RenderError as error:
        return Unasked(str(error), needless=True)
    except CampaignError as error:
        return Unasked(str(error))
    return Attempt(heard, is_spoken(place.child, place.operation))


async def _rows(scene: Scene, ids: list[str]) -> tuple[Rows, str]:
    try:
        return await rows_of(scene, ids), ""
    except SQLAlchemyError as error:
        return {}, cannot_look(error)


async def _read(scene: Scene, place: _Ready) -> tuple[str, ...]:
    """By which reading operations the word is seen."""
    seen = []
    for name in scene.settings.consent.reads:
        try:
            heard = await patiently(place.child, name)
        except CampaignError:  # what it needs, a session say, was never made
            continue
        if heard.shows(place.scope.canary):
            seen.append(name)
    return tuple(seen)
