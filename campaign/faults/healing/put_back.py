"""All steps of an undo record, put back in order and looked at until what was seen can be trusted.

What was sent to break something may still be on its way when the one who sent it is dead: an engine goes on
with a stop (and its grace) after its client has gone, a process that was asked to end may take its time. So
a record is done with only when nothing of it can come any more and all is still well.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

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
) -> Healing:
    """What came of putting all of it back; tries again for `patience` seconds.

    Where the fault is not known to be `injected` whole, it is watched until nothing can come any more; `well`
    is called when all was well for the first time, before that.
    """
    began = time.monotonic()
    latest = _all_steps(record.steps, clear_route)
    did = list(_did(latest))
    for pause in _pauses(until=began + patience):
        if _settled(latest):
            break
        time.sleep(pause)
        latest = _all_steps(record.steps, clear_route)
        did += [each for each in _did(latest) if each not in did]
    first = _summed(latest, did, began)
    if well is not None and first.restored:
        well(first)
    if not first.restored or not _may_come(record, latest, injected=injected):
        return first
    return _watched(record, first, clear_route=clear_route, seconds=_window(record))


def _watched(record: UndoRecord, first: Healing, *, clear_route: ClearRoute, seconds: float) -> Healing:
    """The same, or what came of it when what was on its way had come."""
    until = time.monotonic() + seconds
    did = list(first.did)
    began = time.monotonic()
    taken = first.seconds
    latest: list[PutBack] = []
    while time.monotonic() < until or (latest and not _settled(latest)):
        time.sleep(AGAIN)
        looked = time.monotonic()
        latest = _all_steps(_watchable(record.steps), clear_route)
        new = [each for each in _did(latest) if each not in did]
        if new:
            did += new
            taken = (first.seconds or 0.0) + time.monotonic() - began
        if time.monotonic() > until + ON_ITS_WAY:
            break
        del looked
    missing = tuple(each.missing for each in latest if not each.restored)
    return Healing(not missing, tuple(did), missing, taken if not missing else None)


def _watchable(steps: Iterable[HealStep]) -> tuple[HealStep, ...]:
    """Those that can be looked at without doing anything; a user's command is not run over and over."""
    return tuple(each for each in steps if each.kind in ("container", "process"))


def _may_come(record: UndoRecord, latest: list[PutBack], *, injected: bool) -> bool:
    kinds = {each.kind for each in record.steps}
    if any(each.passing for each in latest):
        return True
    return not injected and "container" in kinds


def _window(record: UndoRecord) -> float:
    """Seconds for which something may still come; a step may say so itself (`settle`)."""
    return max((float(each.state.get("settle") or ON_ITS_WAY) for each in record.steps), default=0.0)


def _pauses(*, until: float) -> Iterable[float]:
    number = 0
    while time.monotonic() < until:
        yield PAUSES[min(number, len(PAUSES) - 1)]
        number += 1


def _settled(latest: Iterable[PutBack]) -> bool:
    return all(each.restored or each.final for each in latest)


def _did(latest: Iterable[PutBack]) -> tuple[str, ...]:
    return tuple(text for each in latest for text in each.did)


def _summed(latest: list[PutBack], did: list[str], began: float) -> Healing:
    missing = tuple(each.missing for each in latest if not each.restored)
    return Healing(not missing, tuple(did), missing, None if missing else time.monotonic() - began)


def _all_steps(steps: Iterable[HealStep], clear_route: ClearRoute) -> list[PutBack]:
    return [put_back(each, clear_route) for each in steps]


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
