"""Races through the API: two requests at once, again and again, and whether what was confirmed is true."""

from __future__ import annotations

import asyncio
import json
import statistics
from collections import Counter
from collections.abc import Callable, Mapping
from random import Random
from typing import Any

from campaign.target.jsonpath import MISSING, compile_path
from campaign.target.scope import type_of
from campaign.target.template import compile_text
from phases.database.service.actor import SERVER_ERROR, TOO_MANY, Actor, Done
from phases.database.service.settings import LostUpdate, Race, ReadYourWrites, WriteAfter

SHOWN = 3
WARM_UP = 3
SETTLED = 0.3
"""Seconds after which a read is asked once more, to see whether what was missing came late."""


class Course:
    """The runs of one race: counts of what happened, and the first few violations in words."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.counts: Counter[str] = Counter()
        self.examples: list[str] = []
        self.refusals: Counter[str] = Counter()
        self.refusals_alone: Counter[str] = Counter()

    def violated(self, how: str, example: str) -> None:
        """Note one proven violation."""
        self.counts[how] += 1
        if len(self.examples) < SHOWN:
            self.examples.append(example)

    def refused(self, *exchanges: Done) -> None:
        """Note why requests were not confirmed."""
        self.refusals.update(f"{each.operation}: {each.why}" for each in exchanges if not each.ok)

    def refused_alone(self, exchange: Done) -> None:
        """Note why a request was refused that raced with nothing."""
        self.refusals_alone.update([] if exchange.ok else [f"{exchange.operation}: {exchange.why}"])

    def facts(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "kind": self.kind,
            **self.counts,
            "examples": self.examples,
            "refusals": dict(self.refusals.most_common(SHOWN)),
            "refusals_alone": dict(self.refusals_alone.most_common(SHOWN)),
        }


async def run_race(
    race: Race, actor: Actor, *, times: int, random: Random, stopping: Callable[[], bool]
) -> dict[str, Any]:
    """The facts of a race after `times` runs, or fewer where we must stop. Raises NotDoneError."""
    course = Course(race.kind)
    course.counts["runs"] = 0
    run = _runner(race, actor, course=course, random=random)
    for _ in range(times):
        if stopping():
            break
        actor.scope.next_iteration()
        await actor.surely(*race.before)
        await run()
        course.counts["runs"] += 1
    return course.facts()


def _runner(race: Race, actor: Actor, *, course: Course, random: Random) -> Callable[[], Any]:
    match race:
        case LostUpdate():
            return _LostUpdates(race, actor, course=course, random=random).run
        case WriteAfter():
            return _WritesAfter(race, actor, course=course, random=random).run
        case ReadYourWrites():
            return _OwnReads(race, actor, course=course).run


class _LostUpdates:
    def __init__(self, race: LostUpdate, actor: Actor, *, course: Course, random: Random) -> None:
        self._race, self._actor, self._course, self._random = race, actor, course, random
        self._expected = _Expected(race.expect)
        self._typical: list[float] = []

    async def run(self) -> None:
        """One pair of changes, the one or the other a little later, and what is there afterwards."""
        race, actor = self._race, self._actor
        names = (race.first, race.second) if self._random.random() < 0.5 else (race.second, race.first)
        offset = self._random.uniform(0, statistics.median(self._typical or [0.0]) / 4)
        first, second = await asyncio.gather(actor.do(names[0]), _later(actor, names[1], offset))
        self._typical.append(first.seconds)
        self._course.refused(first, second)
        if not (first.ok and second.ok):
            return
        self._course.counts["confirmed"] += 1
        self._course.counts["overlapped"] += _overlap(first, second)
        wrong = await self._lasting_wrong()
        if wrong is None:
            self._course.counts["unread"] += 1
        elif len(wrong) == len(self._expected.paths) and not await self._shown_in_turn():
            self._course.counts["old_read"] += 1
        elif wrong:
            self._course.violated(
                "lost", f"{names[0]} and {names[1]} were confirmed, then {'; '.join(wrong)}"
            )

    async def _lasting_wrong(self) -> list[str] | None:
        """What is wrong and still is a moment later."""
        wrong = await self._expected.wrong(self._actor, self._race.read)
        if wrong:
            await asyncio.sleep(SETTLED)
            return await self._expected.wrong(self._actor, self._race.read)
        return wrong

    async def _shown_in_turn(self) -> bool:
        """Whether the read shows the same changes done one after the other: if not, it shows something old,
        and that it shows neither of two at once is no proof that they were lost.
        """
        for name in (self._race.first, self._race.second):
            if not (await self._actor.patiently(name)).ok:
                return False
        return await self._lasting_wrong() == []


class _OwnReads:
    def __init__(self, race: ReadYourWrites, actor: Actor, *, course: Course) -> None:
        self._race, self._actor, self._course = race, actor, course
        self._expected = _Expected(race.expect)

    async def run(self) -> None:
        """A read, a change, and a read that must show it."""
        race, actor = self._race, self._actor
        await actor.patiently(race.read)
        done = await actor.patiently(race.write)
        self._course.refused(done)
        if not done.ok:
            return
        self._course.counts["confirmed"] += 1
        wrong = await self._expected.wrong(actor, race.read)
        if wrong is None:
            self._course.counts["unread"] += 1
        elif wrong:
            still = "" if len(self._course.examples) == SHOWN else await self._lasting()
            self._course.violated("stale", f"{race.write} was confirmed, then {'; '.join(wrong)}{still}")

    async def _lasting(self) -> str:
        """Whether it is still so a moment later, in words."""
        await asyncio.sleep(SETTLED)
        later = await self._expected.wrong(self._actor, self._race.read)
        return f", still so {SETTLED * 1000:.0f} ms later" if later else ", but no longer a moment later"


class _WritesAfter:
    def __init__(self, race: WriteAfter, actor: Actor, *, course: Course, random: Random) -> None:
        self._race, self._actor, self._course, self._random = race, actor, course, random
        self._count = compile_path(race.count)
        self._typical: list[float] = []

    async def run(self) -> None:
        """A write, the event somewhere within it, and whether anything was stored after its answer."""
        race, actor = self._race, self._actor
        if len(self._typical) < WARM_UP:
            await self._alone()
        writing = asyncio.create_task(actor.do(race.write))
        try:
            offset = self._random.uniform(0, 0.9 * statistics.median(self._typical))
            event = await _later(actor, race.event, offset)
            before = await self._counted()
        finally:
            write = await writing
        self._course.refused(event)
        if not event.ok:
            return
        self._course.counts["confirmed"] += 1
        self._course.counts["overlapped"] += _overlap(write, event) and not _turned_away(write)
        self._course.counts["written"] += write.ok
        after = await self._counted()
        if before is None or after is None:
            self._course.counts["unread"] += 1
        elif after > before:
            self._course.violated(
                "stored_after",
                f"{race.event} was answered, {race.count} read {before:g}, then {after:g} "
                f"when {race.write} was answered ({write.status}) {write.ended - event.ended:.3f} s later",
            )

    async def _alone(self) -> None:
        """A write without the event: how long it takes says where "within it" is, and the count must show it
        in every run, or nothing that is stored later could be seen.
        """
        before = await self._counted()
        alone = await self._actor.patiently(self._race.write)
        after = await self._counted()
        self._typical.append(alone.seconds)
        self._course.counts["alone"] += 1
        self._course.counts["alone_stored"] += before is not None and after is not None and after > before
        self._course.refused_alone(alone)

    async def _counted(self) -> float | None:
        done = await self._actor.patiently(self._race.read)
        value = self._count(_document(done)) if done.ok else MISSING
        return float(value) if isinstance(value, int | float) else None


class _Expected:
    """What an answer must hold, by path."""

    def __init__(self, expect: Mapping[str, Any]) -> None:
        self.paths = {path: compile_path(path) for path in expect}
        self._wanted = {
            path: compile_text(value) if isinstance(value, str) else value for path, value in expect.items()
        }
        self._ours: set[str] = set()

    async def wrong(self, actor: Actor, read: str) -> list[str] | None:
        """What is not as it must be; None where it could not be read."""
        done = await actor.patiently(read)
        if not done.ok:
            return None
        document = _document(done)
        found = {path: find(document) for path, find in self.paths.items()}
        wanted = {
            path: want.render(actor.scope) if hasattr(want, "render") else want
            for path, want in self._wanted.items()
        }
        self._ours |= {str(value) for value in wanted.values()}
        return [
            f"{read} gave {path} = {self._told(found[path])}, not {_short(wanted[path])}"
            for path in self.paths
            if str(found[path]) != str(wanted[path])
        ]

    def _told(self, value: Any) -> str:
        """The value where it is one that we have written; anything else may be somebody's own."""
        if value is MISSING:
            return "nothing"
        return _short(value) if str(value) in self._ours else f"another value ({type_of(value)})"


async def _later(actor: Actor, name: str, seconds: float) -> Done:
    if seconds > 0:
        await asyncio.sleep(seconds)
    return await actor.do(name)


def _overlap(one: Done, other: Done) -> bool:
    return one.sent < other.ended and other.sent < one.ended


def _turned_away(write: Done) -> bool:
    """Whether it never came as far as the thing that it races for: too many requests, a fault, no answer."""
    return write.status is None or write.status == TOO_MANY or write.status >= SERVER_ERROR


def _document(done: Done) -> Any:
    try:
        return json.loads(done.body)
    except ValueError:
        return None


def _short(value: Any) -> str:
    return repr(value)[:60]
