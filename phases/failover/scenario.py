"""One scenario, from a steady state to what is true afterwards, told as a story.

1. Probes and writes begin, and go on to the end.
2. All must be well for a while before anything is broken; else nothing is.
3. The faults are made and put back.
4. It is waited until all is well again and stays so, or until the limit is over.
5. Probes and writes end; what was written is looked for, and what must hold is looked at.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass, replace
from random import Random

from sqlalchemy.exc import SQLAlchemyError

from campaign.clock import SECOND
from campaign.database.address import Kind
from campaign.database.server import Server
from campaign.database.sessions import foreign_sessions
from campaign.faults.fault import Fault
from phases.failover.acts import Acts
from phases.failover.beside import WINDOW_NS, Beside
from phases.failover.choice import Chosen
from phases.failover.consistency import Outset, look_at_all, outset
from phases.failover.people import Person
from phases.failover.points import Points
from phases.failover.probing import Ask, Diary, Stream, UnderFire, Volley, by_turns
from phases.failover.readback import in_database, read_back, through_api
from phases.failover.recovering import limit_ns, unsteady, well_since
from phases.failover.scene import Scene
from phases.failover.story import Readback, Story
from phases.failover.writes import Writer, mark_of

LOOK_NS = SECOND // 4
PATIENT_TIMES = 4
"""For so many times as long as a steady state must last it is waited for one."""

INTERRUPTED = "the campaign was interrupted"
NO_DATABASE = "the target has no database (target.database)"


@dataclass(slots=True)
class _Before:
    """What was there before the first fault."""

    sessions: int = 0
    pool: int | None = None
    outset: Outset = Outset()  # noqa: RUF009 - frozen


class Scenario:
    """One run of one scenario; `story` is what was seen so far, whenever it is asked."""

    def __init__(self, scene: Scene, chosen: Chosen) -> None:
        self._scene, self._chosen = scene, chosen
        context = scene.context
        self._clock, self._stop = context.clock, context.stop
        self._tell = scene.teller(chosen)
        self._diary = Diary.begin(self._clock)
        self._points = Points(chosen.name, context.record, self._diary, timeout=scene.settings.probes.timeout)
        self._acts = Acts(
            chosen=chosen,
            breaker=scene.breaker,
            make=scene.make,
            clock=self._clock,
            stop=self._stop,
            began_ns=self._diary.began_ns,
            longest=scene.settings.longest,
            tell=self._tell,
            wrap=self._under_fire if chosen.form.volley else lambda fault: fault,
        )
        self._streams: list[Stream] = []
        self._volleys: list[Volley] = []
        self._writer: Writer | None = None
        self._beside: Beside | None = None
        self._before = _Before()
        self._steady_ns = 0
        self._loaded: tuple[float | None, float | None] = (None, None)
        self._why = ""
        self._notes: list[str] = []

    async def run(self) -> Story:
        """The whole story. Raises only what ends the phase; what was broken is put back before."""
        try:
            self._begin()
            await self._until_steady()
            if not self._why:
                await self._look_before()
                self._steady_ns = self._diary.now_ns()
                await self._acts.run(Random(f"{self._scene.context.seed}/{self._chosen.name}"))
                self._why = self._acts.trouble or (INTERRUPTED if self._stop.requested else "")
                await self._until_well()
            await self._end()
        except BaseException:
            await self._drop()
            raise
        told = self.story()
        return await self._look_after(told) if self._acts.strikes and not self._stop.requested else told

    def story(self) -> Story:
        """What was seen so far."""
        form, settings = self._chosen.form, self._scene.settings
        return Story(
            name=self._chosen.name,
            title=form.title,
            during=form.during,
            rate=self._scene.rate,
            timeout=settings.probes.timeout,
            probes=tuple(self._diary.probes),
            strikes=tuple(self._acts.strikes),
            steady_ns=self._steady_ns,
            ended_ns=self._diary.now_ns(),
            why=self._why,
            sessions_before=self._before.sessions,
            pool_sessions_before=self._before.pool,
            load_p95_before=self._loaded[0],
            load_p95_after=self._loaded[1],
            notes=tuple(self._notes),
        )

    def _begin(self) -> None:
        """Send the first probes."""
        scene, settings = self._scene, self._scene.settings
        people = scene.people
        if settings.load is not None:
            self._beside = Beside(scene.context, settings.load, name=f"beside {self._chosen.name}")
        self._stream("read", settings.probes.rate, by_turns(people.probing, scene.reads))
        if settings.writes is not None:
            mark = mark_of(scene.context.seed, self._chosen.name, scene.context.clock.wall())
            path = scene.context.workdir / f"{self._chosen.name}.ledger"
            path.parent.mkdir(parents=True, exist_ok=True)
            self._writer = Writer(settings.writes, people.probing, path=path, mark=mark, clock=self._clock)
            self._stream("write", settings.writes.rate, self._writer.write, shift=0.5)
        self._points.begin()

    def _stream(self, kind: str, rate: float, ask: Ask, *, shift: float = 0.0) -> None:
        self._streams.append(Stream(kind, rate, ask, diary=self._diary, shift=shift))

    async def _until_steady(self) -> None:
        """Wait for a steady state; `why` says that there was none."""
        seconds = self._scene.settings.steady
        span = round(seconds * SECOND)
        self._tell(f"is all well for {seconds:g} s?")
        first = round((self._beside.ramp_seconds if self._beside else 0.0) * SECOND)
        give_up = first + PATIENT_TIMES * span
        trouble = f"only {seconds:g} s were given"
        while (now := self._diary.now_ns()) < give_up and not self._stop.requested:
            await self._wait(LOOK_NS)
            if now < first + span:
                continue
            trouble = unsteady(self._diary.probes, since_ns=now - span, seconds=seconds)
            if not trouble:
                return
        self._why = INTERRUPTED if self._stop.requested else f"all was not well before it: {trouble}"

    async def _look_before(self) -> None:
        scene = self._scene
        self._before.pool = await _pool_sessions(scene.server)
        self._before.outset = await outset(scene.server, scene.settings.consistency)
        self._before.sessions = await self._signed_in()
        if scene.people.staying and not self._before.sessions:
            self._notes.append("nobody who signed in was known to the service before the fault")

    async def _until_well(self) -> None:
        """Wait until all has been well for a while, or the limit is over."""
        if not self._acts.strikes or self._stop.requested:
            return
        self._tell("waiting until all is well again")
        stay = round(self._scene.settings.steady * SECOND)
        give_up = limit_ns(self.story(), self._chosen.within)
        while not self._stop.requested:
            story = self.story()
            since, known = well_since(story), self._known_ns()
            if since is not None and known - since >= stay:
                return
            if known >= (give_up if since is None else give_up + stay):
                return
            await self._wait(LOOK_NS)

    def _known_ns(self) -> int:
        """Until when the end of every request is known."""
        waiting = [each.oldest_ns for each in self._streams]
        return min([each for each in waiting if each is not None], default=self._diary.now_ns())

    async def _end(self) -> None:
        """Send no more and wait for the last answers; what the load beside it saw."""
        now = self._clock.now_ns()
        for each in (*self._streams, *self._volleys):
            await each.end()
        await self._points.end()
        if self._writer is not None:
            self._writer.close()
        if self._beside is None:
            return
        before_ns = self._diary.began_ns + self._steady_ns
        self._loaded = (
            self._beside.p95(before_ns - WINDOW_NS, before_ns),
            self._beside.p95(now - WINDOW_NS, now),
        )
        if trouble := await self._beside.end():
            self._notes.append(trouble)

    async def _drop(self) -> None:
        """End everything at once."""
        for each in (*self._streams, *self._volleys):
            await each.drop()
        await self._points.end()
        if self._writer is not None:
            self._writer.close()
        if self._beside is not None:
            await self._beside.end()

    async def _look_after(self, story: Story) -> Story:
        """What is true now that all is over."""
        scene = self._scene
        self._tell("reading back what was written")
        readbacks = await self._read_back()
        self._tell("looking whether all is consistent")
        person = scene.people.probing[0]
        consistent = await look_at_all(
            scene.server,
            scene.settings.consistency,
            self._before.outset,
            person=person,
            clock=self._clock,
        )
        return replace(
            story,
            readbacks=readbacks,
            consistent=consistent,
            sessions_after=await self._signed_in() if self._before.sessions else None,
            pool_sessions_after=await _pool_sessions(scene.server, tries=5),
            notes=tuple(self._notes),
        )

    async def _read_back(self) -> tuple[Readback, ...]:
        writer, settings, scene = self._writer, self._scene.settings.writes, self._scene
        if writer is None or settings is None:
            return ()
        try:
            book = writer.book()
        except OSError as error:
            return (Readback("api", None, f"the ledger cannot be read: {error.strerror}"),)
        found = []
        if settings.read is not None:
            specification = scene.context.vocabulary.operations[settings.read]
            look = through_api(writer, specification, book=book)
            found.append(await read_back("api", look, book=book, clock=self._clock))
        if settings.stored is not None and scene.server is None:
            found.append(Readback("database", None, NO_DATABASE))
        elif settings.stored is not None and scene.server is not None:
            look = in_database(writer, scene.server, settings.stored)
            found.append(await read_back("database", look, book=book, clock=self._clock))
        return tuple(found)

    async def _signed_in(self) -> int:
        """How many of those who signed in before are still known to the service."""
        operation = self._scene.settings.probes.session
        if operation is None:
            return 0
        return sum([await _is_known(each, operation) for each in self._scene.people.staying])

    def _under_fire(self, fault: Fault) -> Fault:
        probes, scene = self._scene.settings.probes, self._scene
        operations = (probes.in_flight,) if probes.in_flight else scene.reads

        def begin() -> Volley:
            self._volleys.append(Volley(scene.people.probing, operations, diary=self._diary))
            return self._volleys[-1]

        return UnderFire(fault, begin, self._clock)

    async def _wait(self, nanoseconds: int) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(nanoseconds / SECOND):
                await self._stop.wait()


async def _is_known(person: Person, operation: str) -> bool:
    return (await person.surely(operation)).ok


async def _pool_sessions(server: Server | None, *, tries: int = 1) -> int | None:
    """How many sessions others have in the database; None where it has no list, or does not answer."""
    if server is None or server.kind is Kind.SQLITE:
        return None
    for attempt in range(tries):
        if attempt:
            await asyncio.sleep(LOOK_NS / SECOND)
        server.engine.dispose()
        with suppress(SQLAlchemyError, OSError):
            return len(await asyncio.to_thread(foreign_sessions, server))
    return None
