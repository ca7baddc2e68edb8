"""The probes of a scenario as series for charts, recorded while they come in: a point per quarter second."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress

import numpy as np

from campaign.clock import SECOND
from campaign.phase import Record
from phases.failover.probing import Diary
from phases.failover.story import Ending, Probe

STEP_NS = SECOND // 4


class Points:
    """Records a step as soon as the last probe that was due in it has ended or timed out."""

    def __init__(self, name: str, record: Record, diary: Diary, *, timeout: float) -> None:
        self._name, self._record, self._diary = name, record, diary
        self._late_ns = round(timeout * SECOND) + STEP_NS
        self._offset = record.elapsed()
        self._next = 0
        self._watching: asyncio.Task[None] | None = None

    def begin(self) -> None:
        """Record from now on."""
        self._watching = asyncio.create_task(self._watch())

    async def end(self) -> None:
        """Record what is left."""
        if self._watching is None:
            return
        self._watching.cancel()
        with suppress(asyncio.CancelledError):
            await self._watching
        self._watching = None
        self._upto(self._diary.now_ns())

    async def _watch(self) -> None:
        clock = self._diary.clock
        while True:
            await clock.sleep_until(clock.now_ns() + SECOND)
            self._upto(self._diary.now_ns() - self._late_ns)

    def _upto(self, until_ns: int) -> None:
        """Record every whole step before that moment."""
        last = until_ns // STEP_NS
        if last <= self._next:
            return
        steps: list[list[Probe]] = [[] for _ in range(self._next, last)]
        for each in self._diary.probes:
            index = each.due_ns // STEP_NS - self._next
            if 0 <= index < len(steps) and each.kind != "volley":
                steps[index].append(each)
        for index, probes in enumerate(steps):
            at = self._offset + (self._next + index + 0.5) * STEP_NS / SECOND
            self._record.points(round(at, 3), self._point(probes))
        self._next = last

    def _point(self, probes: Sequence[Probe]) -> dict[str, tuple[float | None, str]]:
        good = [(each.done_ns - each.due_ns) / SECOND for each in probes if each.ending is Ending.OK]
        p95 = round(float(np.percentile(good, 95)), 6) if good else None
        failed = None if not probes else (len(probes) - len(good)) / len(probes)
        return {f"{self._name}.p95": (p95, "s"), f"{self._name}.error_rate": (failed, "share")}
