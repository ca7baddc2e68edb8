"""Load beside the probes, where the campaign file asks for it: a closed model that lasts as long as we do."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from statistics import median

from campaign.clock import SECOND, Clock
from campaign.errors import CampaignError
from campaign.load.fleet import run_load
from campaign.load.outcome import Second
from campaign.load.spec import LoadPlan, ramp_and_hold
from campaign.phase import PhaseContext
from phases.failover.settings import BesideSettings

LONGEST = 3 * 3600.0
"""Seconds after which it would end by itself."""

END_SECONDS = 15.0
WINDOW_NS = 5 * SECOND
"""Over so long its p95 is taken, before the first fault and at the end."""


class Beside:
    """The load; `p95(until)` is what its answers took, seconds after seconds' p95s, in the middle."""

    def __init__(self, context: PhaseContext, settings: BesideSettings, *, name: str) -> None:
        self._context = context
        self._over = asyncio.Event()
        self._seen: list[tuple[int, float]] = []
        self._clock: Clock = context.clock
        spec = ramp_and_hold(name, settings.users, settings.ramp, LONGEST, mix=settings.mix)
        seed = context.seed + 1  # other made-up people than those of the load phase
        plan = LoadPlan(context.target, context.vocabulary, spec, seed)
        self._running = asyncio.create_task(self._run(plan))
        self.ramp_seconds = settings.users / settings.ramp

    def p95(self, since_ns: int, until_ns: int) -> float | None:
        """The median of the seconds' 95th percentiles between two moments of the clock, in seconds."""
        seen = [p95 for at, p95 in self._seen if since_ns <= at < until_ns]
        return median(seen) if seen else None

    async def end(self) -> str:
        """Send no more; why it broke off before, or ""."""
        self._over.set()
        done, _ = await asyncio.wait([self._running], timeout=END_SECONDS)
        if not done:
            self._running.cancel()
            with suppress(asyncio.CancelledError):
                await self._running
            return ""
        error = None if self._running.cancelled() else self._running.exception()
        return f"the load beside it broke off: {error}" if isinstance(error, CampaignError) else ""

    async def _run(self, plan: LoadPlan) -> None:
        await run_load(plan, clock=self._clock, stop=self._over, on_second=self._see)

    def _see(self, second: Second) -> None:
        if second.p95 is not None:
            self._seen.append((self._clock.now_ns(), second.p95))
