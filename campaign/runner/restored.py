"""Breaking things on purpose, as seen by the runner: no run begins on what is broken, two never break one
target, and what a phase leaves broken is in its evidence whatever the phase said.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from campaign.errors import RefusedError
from campaign.faults.journal import Journal
from campaign.faults.leftovers import Leftover, Standing, Zeal, heal_leftovers, shouted, unsettled
from campaign.faults.lock import in_use, is_locked, same_target, take_lock
from campaign.faults.place import anything_open, state_folder
from campaign.phase import is_disruptive
from campaign.records import NOT_RESTORED, PhaseResult
from campaign.runner.plan import Step

ONE_TRY = Zeal(patience=1.0, wait=30.0)


async def check_whole(target: str) -> None:
    """Return when nothing is left broken by a run that died; what is, is put back first.

    Raises RefusedError where that cannot be done.
    """
    state = state_folder(os.environ)
    if not anything_open(state):
        return
    found = await asyncio.to_thread(heal_leftovers, state, ONE_TRY)
    broken = [*unsettled(found), *_elsewhere(found, target)]
    if broken:
        raise RefusedError(f"nothing was run, as a target is broken\n{shouted(broken)}")


def _elsewhere(found: Iterable[Leftover], target: str) -> Iterator[Leftover]:
    for each in found:
        ours = each.record is not None and same_target(each.record.target) == same_target(target)
        if each.standing is Standing.ELSEWHERE and ours:
            yield each


@contextmanager
def sole(target: str, steps: Iterable[Step], *, run: str) -> Iterator[None]:
    """Within this block nobody else breaks the target, where one of the steps does.

    Raises RefusedError where another campaign breaks it right now, also for a run that only measures. Where
    there is no folder for locks, a phase that breaks something says so itself.
    """
    state = state_folder(os.environ)
    breaks = any(step.left_out is None and is_disruptive(step.phase, step.settings) for step in steps)
    with ExitStack() as stack:
        with suppress(OSError):
            if breaks:
                stack.callback(take_lock(state, target, run=run).release)
            elif is_locked(state, target):
                raise RefusedError(
                    f"{target}: {in_use(state, target)}; it would be measured while it is broken"
                )
        yield


def with_what_is_left(result: PhaseResult, folder: Path) -> PhaseResult:
    """The result, whose evidence names every fault of this run that is still not undone."""
    left = [each.record for state in _states(folder) for each in Journal(state).entries() if each.record]
    ours = [each for each in left if Path(each.run).is_relative_to(folder.resolve())]
    facts = result.evidence.facts
    told = {str(each.get("what")) for each in facts.get(NOT_RESTORED, ())}
    missing = [
        {"what": each.what, "by_hand": list(each.by_hand), "why": "its undo record is still open"}
        for each in ours
        if each.what not in told
    ]
    if not missing:
        return result
    more = {**facts, NOT_RESTORED: [*facts.get(NOT_RESTORED, ()), *missing]}
    return replace(result, evidence=replace(result.evidence, facts=more))


def _states(folder: Path) -> Iterator[str]:
    """Where this run's undo records may be: in the account's folder, or beside its report."""
    for state in (state_folder(os.environ), *map(str, folder.rglob("undo"))):
        if anything_open(state):
            yield state
