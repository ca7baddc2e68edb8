"""A child is deleted while writers for it go on: nothing of it may be there once its time is over.

What a quiet deletion leaves (a finding of its own) is left out here, so that what is found now came back, or
came in, because somebody was writing.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from campaign.clock import SECOND
from campaign.errors import CampaignError
from campaign.records import Severity
from phases.safety.cast.principal import Heard, Principal
from phases.safety.deletion.erasure import Look, in_database
from phases.safety.deletion.people import deleter, fresh_child, ids_of, patiently
from phases.safety.probe import Answered, Probe
from phases.safety.scene import Scene

RESURRECTION = "deletion.resurrection"
BETWEEN = 0.01
"""Seconds from a writer's answer to its next request."""

MOST_WRITES = 40
"""Of one writer in one run."""

FIRST_ANSWERS = 3.0
"""Seconds that writers get until each has had an answer."""

AFTER = 0.3
"""Seconds for which writers go on after the deletion was answered."""

SETTLE, TWICE = 0.25, 2
"""Seconds between looks: what was queued may come a moment later."""

REMEDY = (
    "Delete in a transaction that writers of the child wait for, and let a foreign key refuse what comes "
    "later; never store what was read before (an upsert, a merge), and empty queues of what is deleted."
)


@dataclass(frozen=True, slots=True)
class Leftovers:
    """Tables in which a quiet deletion left something: words of the child, or its ids alone."""

    tables: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Run:
    """What was left after a deletion with writers; `overlapped` requests were under way when it was answered,
    `stored` ones had been accepted before.
    """

    left: Look
    overlapped: int
    stored: int
    exchange: str


async def resurrection(scene: Scene, parent: Principal | None, leftovers: Leftovers) -> Probe:
    """What came of all runs."""
    settings = scene.settings.deletion
    assert settings.race is not None  # noqa: S101 - whoever calls has looked
    runs: list[Run] = []
    troubles: list[str] = []
    for number in range(settings.race.runs):
        if scene.stopping:
            break
        scene.tell("deletion: writers beside it", 0.7 + 0.3 * number / settings.race.runs)
        try:
            outcome = await _run(scene, parent, leftovers)
        except CampaignError as error:
            outcome = str(error)
        if isinstance(outcome, str):
            troubles.append(outcome)
        else:
            runs.append(outcome)
    return _judged(runs, troubles, leftovers)


def _judged(runs: list[Run], troubles: list[str], leftovers: Leftovers) -> Probe:
    severity = Severity.BLOCKER
    back = [run for run in runs if run.left.still]
    if back:
        said = (
            f"in {len(back)} of {len(runs)} runs with writers something of the child was there after its "
            f"deletion was answered and its time was over: {back[0].left.still}"
        )
        return Probe(
            RESURRECTION, severity, Answered.FAILED, said, REMEDY, tuple(run.exchange for run in back[:3])
        )
    proving = [run for run in runs if run.overlapped and run.stored and not run.left.unsettled]
    if not proving:
        why = next((run.left.unsettled for run in runs if run.left.unsettled), "") or next(iter(troubles), "")
        said = why or f"in none of {len(runs)} runs was a write under way when the child was deleted"
        return Probe(RESURRECTION, severity, Answered.NOT_TESTED, said)
    but = f" (tables {', '.join(leftovers.tables)} are left out: a quiet deletion leaves rows there too)"
    said = (
        f"nothing of a child came back in {len(proving)} deletions with "
        f"{sum(run.overlapped for run in proving)} writes under way{but if leftovers.tables else ''}"
    )
    return Probe(RESURRECTION, severity, Answered.PASSED, said)


@dataclass(slots=True)
class Writers:
    """Those who write for one child: their words, what they heard, and whether they should end."""

    child: Principal
    words: list[str] = field(default_factory=list)
    heard: list[Heard] = field(default_factory=list)
    over: bool = False

    async def write(self, operation: str) -> None:
        """Write again and again until it is over."""
        for _ in range(MOST_WRITES):
            if self.over:
                return
            scope = self.child.another_word()
            self.words.append(scope.canary)
            self.heard.append(await self.child.do(operation, scope=scope, save=False))
            await asyncio.sleep(BETWEEN)


async def _run(scene: Scene, parent: Principal | None, leftovers: Leftovers) -> Run | str:
    """One deletion beside writers; a text where it proves nothing. Raises CampaignError."""
    settings = scene.settings.deletion
    assert settings.race is not None  # noqa: S101 - whoever calls has looked
    assert settings.delete is not None  # noqa: S101
    child = await fresh_child(scene, parent)
    writers = Writers(child)
    names = [settings.race.write[n % len(settings.race.write)] for n in range(settings.race.at_once)]
    tasks = [asyncio.create_task(writers.write(name)) for name in names]
    try:
        await _begun(scene, writers, len(names))
        deleted = await patiently(deleter(child), settings.delete, child=child)
        await asyncio.sleep(AFTER)
    finally:
        writers.over = True
        await asyncio.gather(*tasks, return_exceptions=True)
    if not deleted.ok:
        return f"{settings.delete} did not go well beside writers: {deleted.why} [{deleted.id}]"
    left = await _left(scene, child, writers, leftovers, since=deleted.ended)
    overlapped = sum(each.sent < deleted.ended and each.ended > deleted.sent for each in writers.heard)
    stored = sum(each.ok and each.ended < deleted.ended for each in writers.heard)
    return Run(left, overlapped, stored, deleted.id)


async def _begun(scene: Scene, writers: Writers, count: int) -> None:
    """Return when as many writes have been answered as there are writers, or it takes too long."""
    clock = scene.context.clock
    until = clock.now_ns() + round(FIRST_ANSWERS * SECOND)
    while len(writers.heard) < count and clock.now_ns() < until:
        await clock.sleep_until(clock.now_ns() + SECOND // 50)


async def _left(
    scene: Scene, child: Principal, writers: Writers, leftovers: Leftovers, *, since: int
) -> Look:
    """What is there of the child when nothing was left twice in a row, or its time is over."""
    clock, words = scene.context.clock, (child.canary, *writers.words, *ids_of(scene, child))
    until = since + round(scene.settings.deletion.within * SECOND)
    empty = 0
    while True:
        look = await in_database(scene, child, words, but=leftovers.tables)
        empty = empty + 1 if look.gone else 0
        if empty == TWICE or (not empty and clock.now_ns() >= until) or scene.stopping:
            return look
        await clock.sleep_until(clock.now_ns() + round(SETTLE * SECOND))
