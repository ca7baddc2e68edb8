"""Looks again and again after a deletion, until nothing is left of a child or its time is over."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from campaign.clock import SECOND
from campaign.errors import CampaignError
from campaign.records import Measurement
from phases.safety.cast.principal import Heard, Principal
from phases.safety.deletion.people import View, deleter, export_of, shown
from phases.safety.held import Held, held, in_logs
from phases.safety.scene import Scene
from phases.safety.stores import search

DATABASE, REDIS, LOGS, READS = "database", "redis", "logs", "reads"
PAUSE = 0.15
SERVER_ERROR = 500
TOO_MANY = 429


@dataclass(frozen=True, slots=True)
class Look:
    """One look into a store: `still` says where something is ("" where nothing is), `unsettled` why that says
    nothing.
    """

    still: str = ""
    unsettled: str = ""
    exchanges: tuple[str, ...] = ()
    seen: str = ""
    tables: tuple[str, ...] = ()

    @property
    def gone(self) -> bool:
        """Whether all was looked at, and nothing is there."""
        return not self.still and not self.unsettled


@dataclass(slots=True)
class Erased:
    """What became of a store: the last look, and the seconds since the deletion was answered at which
    something was last seen, and first seen no more (None: never).
    """

    look: Look
    looks: int = 0
    there: float = 0.0
    gone: float | None = None

    def measurement(self, store: str) -> Measurement:
        """The time to erasure: between the last look that found something and the first that did not."""
        low = self.there if self.gone is not None else None
        return Measurement(f"deletion.erased.{store}", self.gone, "s", self.looks, low, self.gone)


Looking = Callable[[], Awaitable[Look]]


async def watched(scene: Scene, places: Mapping[str, Looking], *, since: int) -> dict[str, Erased]:
    """What became of each store; all are looked into once more when all seem to be empty."""
    clock, within = scene.context.clock, scene.settings.deletion.within
    erased = {
        store: await _look(look, Erased(Look()), since=since, scene=scene) for store, look in places.items()
    }
    while not scene.stopping and (clock.now_ns() - since) / SECOND < within:
        left = [store for store, each in erased.items() if each.gone is None]
        if not left:
            break
        await clock.sleep_until(clock.now_ns() + round(PAUSE * SECOND))
        for store in left:
            await _look(places[store], erased[store], since=since, scene=scene)
    for store, look in places.items():
        await _look(look, erased[store], since=since, scene=scene)
    return erased


async def _look(look: Looking, erased: Erased, *, since: int, scene: Scene) -> Erased:
    erased.look = await look()
    erased.looks += 1
    at = (scene.context.clock.now_ns() - since) / SECOND
    if not erased.look.gone:
        erased.there, erased.gone = at, None
    elif erased.gone is None:
        erased.gone = at
    return erased


async def in_database(
    scene: Scene, child: Principal, words: tuple[str, ...], *, but: tuple[str, ...] = ()
) -> Look:
    """Whether any table, but those named, has one of the words."""
    assert scene.server is not None  # noqa: S101 - whoever calls has looked
    more = tuple(word for word in words if not word.startswith(child.canary[:4]))
    now: Held = await held(scene.server, child.canary, more=more)
    tables = now.of(words, but=but)
    places = ", ".join(f"table {name} ({_count(count)})" for name, count in tables.items())
    return Look(places, "; ".join(now.unread), tables=tuple(tables))


def _count(words: int) -> str:
    return "1 word" if words == 1 else f"{words} words"


async def in_redis(scene: Scene, words: tuple[str, ...]) -> Look:
    """Whether any key has one of the words."""
    found = await search(None, scene.redis, words)
    return Look(str(found) if found.places else "", "; ".join(found.unread))


async def in_log_files(scene: Scene, words: tuple[str, ...]) -> Look:
    """Whether a declared log file has one of the words."""
    found = await in_logs(scene.settings.deletion.logs, words)
    return Look(", ".join(found.found), "; ".join(found.unread), seen=f"{found.size:,} bytes")


async def in_reads(
    scene: Scene, child: Principal, words: tuple[str, ...], *, seeing: Sequence[View], export: bool
) -> Look:
    """Whether anybody is still shown one of the words, by what showed them before, and by the export."""
    still, unsettled, ids = [], [], []
    for view in seeing:
        heard = await view.look(child)
        if shown(heard, words):
            still.append(f"{view} ({heard.status})")
            ids.append(heard.id)
        elif heard.status is None or heard.status >= SERVER_ERROR or heard.status == TOO_MANY:
            unsettled.append(f"{view}: {heard.why} [{heard.id}]")
    exported = await _export(scene, child) if export else None
    if exported is not None and shown(exported, words):
        still.append(f"the export ({exported.status})")
        ids.append(exported.id)
    return Look(", ".join(still), "; ".join(unsettled), tuple(ids))


async def _export(scene: Scene, child: Principal) -> Heard | None:
    try:
        return await export_of(scene, deleter(child))
    except CampaignError:  # a child that deleted itself has no export to ask for
        return None
