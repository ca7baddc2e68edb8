"""More than is allowed: one principal until it is refused, and one that floods beside a quiet one."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

from campaign.clock import SECOND, Clock
from campaign.records import Measurement
from campaign.stats.histogram import Histogram
from campaign.stats.intervals import percentile_limits
from phases.safety.cast.principal import Heard, Principal
from phases.safety.quotas.people import People
from phases.safety.quotas.settings import Fairness, RateLimit
from phases.safety.quotas.web import usable_retry_after
from phases.safety.scene import Scene

TOO_MANY = 429
WORKERS = 8
"""Who ask side by side as one principal."""

MOST_UNDER_WAY = 40
"""Requests of the flood that wait for their answers at once."""

REST = 1.1
"""Seconds after a flood in which nothing is asked, so that what comes next is not refused for it."""

CALM_WORKERS = 2
"""How many requests the one who does not flood makes side by side."""


@dataclass(slots=True)
class Tally:
    """Answers counted: `improper` refusals do not say when to come back, `failed` are all other misses."""

    served: int = 0
    refused: int = 0
    improper: int = 0
    failed: int = 0
    whys: dict[str, int] = field(default_factory=dict)
    exchanges: list[str] = field(default_factory=list)

    def take(self, heard: Heard) -> None:
        """Count one more."""
        if heard.ok:
            self.served += 1
            return
        if heard.status == TOO_MANY:
            self.refused += 1
            proper = usable_retry_after(heard.headers.get("retry-after", ""))
            self.improper += not proper
        else:
            self.failed += 1
            self.whys[heard.why] = self.whys.get(heard.why, 0) + 1
        if len(self.exchanges) < 2:
            self.exchanges.append(heard.id)

    def plain(self) -> dict[str, Any]:
        """The counts as JSON data."""
        return {name: getattr(self, name) for name in self.__slots__}


async def ask_too_often(scene: Scene, people: People, settings: RateLimit) -> dict[str, Any]:
    """What one principal was answered that asked as fast as it could."""
    asker = (await people.of(settings.role, 1))[0]
    clock, tally = scene.context.clock, Tally()
    began = clock.now_ns()
    until = began + round(settings.hold * SECOND)

    async def work() -> None:
        while clock.now_ns() < until and not scene.stopping:
            tally.take(await asker.do(settings.operation, save=False))

    await asyncio.gather(*(work() for _ in range(WORKERS)))
    seconds = (clock.now_ns() - began) / SECOND
    await asyncio.sleep(REST)
    return {**tally.plain(), "seconds": seconds}


async def flood_beside(scene: Scene, people: People, settings: Fairness) -> dict[str, Any]:
    """What the quiet one was answered while the other one flooded; its times are the measurement."""
    loud, quiet = await people.of(settings.role, 2)
    clock = scene.context.clock
    until = clock.now_ns() + round(settings.hold * SECOND)
    flooding = asyncio.create_task(_flood(scene, loud, settings, until=until))
    calm, times, lags = Tally(), Histogram(), Histogram()

    async def work() -> None:
        while clock.now_ns() < until and not scene.stopping:
            lags.record(await _lag(clock, CALM_WORKERS / settings.calm))
            heard = await quiet.do(settings.operation, save=False)
            calm.take(heard)
            times.record((heard.ended - heard.sent) // 1000)

    await asyncio.gather(*(work() for _ in range(CALM_WORKERS)))
    flood = await flooding
    await asyncio.sleep(REST)
    scene.context.record.measurement(_p95("quotas.fairness.p95", times))
    lag = lags.percentile(0.95)
    return {"flood": flood.plain(), "calm": calm.plain(), "lag": None if lag is None else lag / 1e6}


async def _flood(scene: Scene, loud: Principal, settings: Fairness, *, until: int) -> Tally:
    """Requests at the rate, whatever the answers take, but for those that there is no room for; what we were
    too late for is not made up for.
    """
    clock, tally = scene.context.clock, Tally()
    due, under_way = clock.now_ns(), set[asyncio.Task[None]]()

    async def one() -> None:
        tally.take(await loud.do(settings.flood, save=False))

    while due < until and not scene.stopping:
        await clock.sleep_until(due)
        if len(under_way) < MOST_UNDER_WAY:
            task = asyncio.create_task(one())
            under_way.add(task)
            task.add_done_callback(under_way.discard)
        due = max(due + round(SECOND / settings.rate), clock.now_ns())
    await asyncio.gather(*under_way)
    return tally


async def _lag(clock: Clock, rest: float) -> int:
    """Rest for so many seconds: by how many µs we were late ourselves."""
    due = clock.now_ns() + round(rest * SECOND)
    await clock.sleep_until(due)
    return max(0, clock.now_ns() - due) // 1000


def _p95(name: str, times: Histogram) -> Measurement:
    middle = times.percentile(0.95)
    if middle is None:
        return Measurement(name, None, "s")
    low, high = percentile_limits(times, 0.95)
    ends = [None if end is None else end / 1e6 for end in (low, high)]
    return Measurement(name, middle / 1e6, "s", times.count, *ends)
