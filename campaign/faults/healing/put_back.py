"""All steps of an undo record, put back in order and looked at until what was seen can be trusted.

What was sent to break something may still be on its way when the one who sent it is dead: an engine goes on
with a stop (and its grace) after its client has gone, a process that was asked to end may take its time. So
a record is done with only when nothing of it can come any more and all is still well.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import chain, repeat

from campaign.faults.healing.answer import PutBack
from campaign.faults.healing.command import put_back as by_command
from campaign.faults.healing.container import put_back as container
from campaign.faults.healing.process import put_back as process
from campaign.faults.record import HealStep, UndoRecord

ON_ITS_WAY = 12.0
"""Seconds for which a fault may still come: an engine's usual grace of 10 s, and something."""

AGAIN = 0.5
"""Seconds between two looks while it may."""

PAUSES = (0.5, 1.0, 2.0, 4.0, 8.0, 15.0)
"""Seconds between tries to put back what could not be; the last one repeats."""

WATCHED = ("container", "process")
"""Kinds that can be looked at over and over; a user's command is not run so."""

ClearRoute = Callable[[str], bool]
"""Makes the route of that name undisturbed; False where it is not ours."""


def no_routes(_name: str) -> bool:
    """Nobody's routes: those of a guardian that is dead went with it."""
    return False


@dataclass(frozen=True, slots=True)
class Healing:
    """What came of a whole record: `did` and `missing` in words, and how long it took until all was well
    (seconds; None: it never was).
    """

    restored: bool
    did: tuple[str, ...]
    missing: tuple[str, ...]
    seconds: float | None

    @property
    def detail(self) -> str:
        """All of it in a sentence."""
        return "; ".join((*self.did, *self.missing)) or "it was as before"


def heal(
    record: UndoRecord,
    *,
    injected: bool,
    patience: float,
    clear_route: ClearRoute = no_routes,
    well: Callable[[Healing], None] | None = None,
    long_ago: bool = False,
) -> Healing:
    """What came of putting all of it back; tries again for `patience` seconds.

    Where the fault is not known to be `injected` whole, nor so `long_ago` that nothing of it can still come,
    it is watched until nothing can; `well` is called when all was well for the first time, before that.
    """
    work = _Work(record, clear_route)
    first = work.until_well(patience)
    if not first.restored:
        return first
    if well is not None:
        well(first)
    if long_ago or not work.may_come(injected=injected):
        return first
    return work.watched(first)


class _Work:
    """One record being put back; gathers what was done for it."""

    def __init__(self, record: UndoRecord, clear_route: ClearRoute) -> None:
        self._steps, self._clear_route = record.steps, clear_route
        self._began = time.monotonic()
        self._did: list[str] = []
        self._latest: list[PutBack] = []

    def until_well(self, patience: float) -> Healing:
        """Put all of it back, again and again until it is, or cannot be, or the time is up."""
        pauses = chain(PAUSES, repeat(PAUSES[-1]))
        until = self._began + patience
        self._look(self._steps)
        while not self._settled() and time.monotonic() < until:
            time.sleep(min(next(pauses), max(until - time.monotonic(), 0.0)))
            self._look(self._steps)
        return self._healing(time.monotonic())

    def may_come(self, *, injected: bool) -> bool:
        """Whether something of the fault may still be on its way."""
        unsure = not injected and any(each.kind == "container" for each in self._steps)
        return unsure or any(each.passing for each in self._latest)

    def watched(self, first: Healing) -> Healing:
        """The same, or what came of it once what was on its way had come."""
        again = [each for each in self._steps if each.kind in WATCHED]
        seconds = max((float(each.state.get("settle", ON_ITS_WAY)) for each in again), default=0.0)
        until, done = time.monotonic() + seconds, len(self._did)
        latest = first
        while time.monotonic() < until or (not self._settled() and time.monotonic() < until + ON_ITS_WAY):
            time.sleep(AGAIN)
            self._look(again)
            if len(self._did) > done or not latest.restored:
                done, latest = len(self._did), self._healing(time.monotonic())
        return latest if self._settled() else self._healing(time.monotonic())

    def _look(self, steps: Iterable[HealStep]) -> None:
        self._latest = [put_back(each, self._clear_route) for each in steps]
        said = [text for each in self._latest for text in each.did]
        self._did += [each for each in said if each not in self._did]

    def _settled(self) -> bool:
        return all(each.restored or each.final for each in self._latest)

    def _healing(self, now: float) -> Healing:
        missing = tuple(each.missing for each in self._latest if not each.restored)
        return Healing(not missing, tuple(self._did), missing, None if missing else now - self._began)


def put_back(step: HealStep, clear_route: ClearRoute = no_routes) -> PutBack:
    """What came of putting back this one thing; never raises for what the record or the target holds."""
    try:
        return _by_kind(step, clear_route)
    except (KeyError, TypeError, ValueError, AttributeError, OSError) as error:
        missing = f"the undo record cannot be followed: {type(error).__name__}: {error}"
        return PutBack(restored=False, missing=missing, final=True)


def _by_kind(step: HealStep, clear_route: ClearRoute) -> PutBack:
    if step.kind == "container":
        return container(step.where, step.state)
    if step.kind == "process":
        return process(step.where, step.state)
    if step.kind == "command":
        return by_command(step.where, step.state)
    if step.kind == "route":
        return _route(str(step.where["name"]), clear_route)
    return PutBack(restored=False, missing=f"nobody here heals a {step.kind!r}", final=True)


def _route(name: str, clear_route: ClearRoute) -> PutBack:
    ours = clear_route(name)
    did = f"the route {name} is undisturbed" if ours else f"the route {name} went with its guardian"
    return PutBack(restored=True, did=(did,))
