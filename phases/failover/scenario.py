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
from random import Random

from campaign.clock import SECOND
from phases.failover.acts import Acts
from phases.failover.aftermath import Before, look_after, look_before
from phases.failover.choice import Chosen, seconds_of
from phases.failover.probing import Diary
from phases.failover.recovering import limit_ns, unsteady, well_since
from phases.failover.scene import Scene
from phases.failover.story import Story
from phases.failover.traffic import Traffic

LOOK_NS = SECOND // 4
PATIENT_TIMES = 4
"""For so many times as long as a steady state must last it is waited for one."""

INTERRUPTED = "the campaign was interrupted"
BROKE_OFF = "it broke off"
STRANGERS = "nobody who had signed in was known to the service before the fault"


class Scenario:
    """One run of one scenario; `story` is what was seen so far, whenever it is asked.

    Making it sends the first probes. Raises OSError where the ledger of its writes cannot be made.
    """

    def __init__(self, scene: Scene, chosen: Chosen) -> None:
        self._scene, self._chosen = scene, chosen
        self._stop = scene.context.stop
        self._planned = seconds_of([chosen], scene.settings)
        self._diary = Diary.begin(scene.context.clock)
        self._traffic = Traffic(scene, chosen, diary=self._diary)
        self._acts = Acts(
            chosen=chosen,
            breaker=scene.breaker,
            make=scene.make,
            clock=scene.context.clock,
            stop=self._stop,
            began_ns=self._diary.began_ns,
            longest=scene.settings.longest,
            tell=self._tell,
            wrap=self._traffic.under_fire if chosen.form.volley else lambda fault: fault,
        )
        self._before = Before()
        self._steady_ns = 0
        self._why = BROKE_OFF
        self._notes: list[str] = []

    async def run(self) -> Story:
        """The whole story. Raises only what ends the phase; what was broken is put back before."""
        try:
            self._why = await self._until_steady()
            if not self._why:
                await self._break()
            await self._traffic.end()
        except BaseException:
            self._why = self._why or BROKE_OFF
            await self._traffic.drop()
            raise
        if self._traffic.trouble:
            self._notes.append(self._traffic.trouble)
        told = self.story()
        if not told.strikes or self._stop.requested:
            return told
        self._tell("reading back what was written, and looking at what must hold")
        return await look_after(self._scene, told, before=self._before, writer=self._traffic.writer)

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
            load_p95_before=self._traffic.p95_before,
            load_p95_after=self._traffic.p95_after,
            notes=tuple(self._notes),
        )

    async def _until_steady(self) -> str:
        """Wait for a steady state; why there was none, or ""."""
        seconds = self._scene.settings.steady
        span, first = round(seconds * SECOND), self._traffic.ramp_ns
        self._tell(f"is all well for {seconds:g} s?")
        trouble = ""
        while (now := self._diary.now_ns()) < first + PATIENT_TIMES * span and not self._stop.requested:
            if now >= first + span:
                trouble = unsteady(self._diary.probes, since_ns=now - span, seconds=seconds)
                if not trouble:
                    return ""
            await self._wait()
        return INTERRUPTED if self._stop.requested else f"all was not well before it: {trouble}"

    async def _break(self) -> None:
        """Make the faults, put them back, and wait until all is well."""
        scene = self._scene
        self._before = await look_before(scene)
        if scene.people.staying and not self._before.sessions:
            self._notes.append(STRANGERS)
        self._traffic.note_steady()
        self._steady_ns = self._diary.now_ns()
        await self._acts.run(Random(f"{scene.context.seed}/{self._chosen.name}"))
        self._why = self._acts.trouble or (INTERRUPTED if self._stop.requested else "")
        if self._acts.strikes and not self._stop.requested:
            await self._until_well()

    async def _until_well(self) -> None:
        """Wait until all has been well for a while, or the limit is over."""
        self._tell("waiting until all is well again")
        stay = round(self._scene.settings.steady * SECOND)
        give_up = limit_ns(self.story(), self._chosen.within)
        while not self._stop.requested:
            since, known = well_since(self.story()), self._traffic.known_ns
            if since is not None and known - since >= stay:
                return
            if known >= (give_up if since is None else give_up + stay):
                return
            await self._wait()

    def _tell(self, message: str) -> None:
        self._scene.tell(self._chosen, message, done=self._diary.now_ns() / SECOND / self._planned)

    async def _wait(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(LOOK_NS / SECOND):
                await self._stop.wait()
