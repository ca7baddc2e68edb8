"""All that is sent while a scenario runs: probes, writes, requests around a SIGTERM, and load beside them."""

from __future__ import annotations

from campaign.clock import SECOND
from campaign.faults.fault import Fault
from phases.failover.beside import WINDOW_NS, Beside
from phases.failover.choice import Chosen
from phases.failover.points import Points
from phases.failover.probing import Ask, Diary, Stream, UnderFire, Volley, by_turns
from phases.failover.scene import Scene
from phases.failover.writes import Writer, mark_of


class Traffic:
    """Begins when it is made, and goes on until `end` or `drop`.

    `writer` is None where the file names no writes. Raises OSError where their ledger cannot be made.
    """

    def __init__(self, scene: Scene, chosen: Chosen, *, diary: Diary) -> None:
        self.diary = diary
        self.writer = _writer(scene, chosen)
        self.trouble = ""
        self.p95_before: float | None = None
        self.p95_after: float | None = None
        self._scene = scene
        self._volleys: list[Volley] = []
        settings, people = scene.settings, scene.people
        self._beside = (
            Beside(scene.context, settings.load, name=f"beside {chosen.name}") if settings.load else None
        )
        self._streams = [self._stream("read", settings.probes.rate, by_turns(people.probing, scene.reads))]
        if self.writer is not None and settings.writes is not None:
            self._streams.append(self._stream("write", settings.writes.rate, self.writer.write, shift=0.5))
        self._points = Points(chosen.name, scene.context.record, diary, timeout=settings.probes.timeout)
        self._points.begin()

    @property
    def ramp_ns(self) -> int:
        """How long the load beside it takes until it is all there."""
        return round(self._beside.ramp_seconds * SECOND) if self._beside else 0

    @property
    def known_ns(self) -> int:
        """Until when the end of every request is known, in nanoseconds since the scenario began."""
        waiting = [each.oldest_ns for each in self._streams]
        return min([each for each in waiting if each is not None], default=self.diary.now_ns())

    def under_fire(self, fault: Fault) -> Fault:
        """The fault, with requests in flight when it is made."""
        probes, persons = self._scene.settings.probes, self._scene.people.probing
        operations = (probes.in_flight,) if probes.in_flight else self._scene.reads

        def begin() -> Volley:
            self._volleys.append(Volley(persons, operations, diary=self.diary))
            return self._volleys[-1]

        return UnderFire(fault, begin, self._scene.context.clock)

    def note_steady(self) -> None:
        """Now all is well, and about to be broken."""
        now = self.diary.clock.now_ns()
        self.p95_before = self._beside.p95(now - WINDOW_NS, now) if self._beside else None

    async def end(self) -> None:
        """Send no more, and wait for the last answers."""
        now = self.diary.clock.now_ns()
        for stream in self._streams:
            await stream.end()
        for volley in self._volleys:
            await volley.end()
        if self._beside is not None:
            self.p95_after = self._beside.p95(now - WINDOW_NS, now)
        await self._close()

    async def drop(self) -> None:
        """End everything at once."""
        for each in self._streams:
            await each.drop()
        for volley in self._volleys:
            await volley.drop()
        await self._close()

    async def _close(self) -> None:
        await self._points.end()
        if self.writer is not None:
            self.writer.close()
        if self._beside is not None:
            self.trouble = await self._beside.end()

    def _stream(self, kind: str, rate: float, ask: Ask, *, shift: float = 0.0) -> Stream:
        return Stream(kind, rate, ask, diary=self.diary, shift=shift)


def _writer(scene: Scene, chosen: Chosen) -> Writer | None:
    context, settings = scene.context, scene.settings.writes
    if settings is None:
        return None
    context.workdir.mkdir(parents=True, exist_ok=True)
    return Writer(
        settings,
        scene.people.probing,
        path=context.workdir / f"{chosen.name}.ledger",
        mark=mark_of(context.seed, chosen.name, context.clock.wall()),
        clock=context.clock,
    )
