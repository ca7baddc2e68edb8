"""Does what a scenario says: makes its faults in their order, waits, and puts them back.

Whatever happens in between, what was broken here is put back before any of this returns.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from random import Random
from typing import Protocol

from campaign.clock import SECOND, Clock
from campaign.errors import CampaignError
from campaign.faults.breaker import Struck
from campaign.faults.catalogue import make_fault
from campaign.faults.fault import Fault, Healed
from campaign.faults.means import FaultKind, Means, Strength
from campaign.phase import Stop
from phases.failover.catalogue import Blow
from phases.failover.choice import Chosen
from phases.failover.story import Strike

MARGIN = 10.0
"""Seconds that the guardian waits on top of what a fault is to last, before it puts it back itself."""

SHORTEST_CHAOS, LONGEST_CHAOS = 1.0, 5.0
"""How long a fault at random, and a rest between two, lasts in seconds."""

Make = Callable[[FaultKind, str, Strength], Fault]
Wrap = Callable[[Fault], Fault]


class Striking(Protocol):
    """What makes faults and puts them back: `campaign.faults.breaker.Breaker` is one."""

    async def strike(self, fault: Fault, *, seconds: float) -> Struck:
        """Make it. Raises FaultError and RefusedError."""

    async def heal(self, struck: Struck) -> Healed:
        """Put it back; never raises for what the target does."""


@dataclass(slots=True)
class Acts:
    """The faults of one scenario as they happen: `strikes` is what became of them.

    `trouble` is why it broke off. `began_ns` is of the clock; the moments of a strike count from it. `wrap`
    may put something around a fault. `tell` hears of what comes next.
    """

    chosen: Chosen
    breaker: Striking
    make: Make
    clock: Clock
    stop: Stop
    began_ns: int
    longest: float
    tell: Callable[[str], None]
    wrap: Wrap = lambda fault: fault
    strikes: list[Strike] = field(default_factory=list)
    trouble: str = ""
    _open: list[tuple[int, Struck]] = field(default_factory=list)

    async def run(self, random: Random) -> None:
        """Make all faults and put them back."""
        try:
            if self.chosen.form.random:
                await self._at_random(random)
            else:
                await self._rounds()
        finally:
            await self._put_all_back()

    @property
    def over(self) -> bool:
        """Whether no more faults are to be made."""
        return self.stop.requested or bool(self.trouble)

    async def _rounds(self) -> None:
        form = self.chosen.form
        for number in range(form.times):
            if number:
                await self._rest(form.apart)
            await self._round()
            if self.over:
                return

    async def _round(self) -> None:
        """All faults of a round, one after the other, then all back, the latest first."""
        form = self.chosen.form
        for number, blow in enumerate(form.blows):
            if number:
                await self._rest(form.apart)
            if self.over:
                break
            left = self.chosen.span - number * form.apart
            await self._strike(blow, blow.kinds[0], seconds=left)
        if self._open and not all(struck.fault.heals_itself for _, struck in self._open):
            await self._rest(form.seconds)
        await self._put_all_back()

    async def _at_random(self, random: Random) -> None:
        """One fault after the other, drawn anew each time, until the time is over."""
        until = self.clock.now_ns() + round(self.chosen.form.seconds * SECOND)
        while not self.over and self.clock.now_ns() < until:
            blow = random.choice(self.chosen.form.blows)
            seconds = random.uniform(SHORTEST_CHAOS, LONGEST_CHAOS)
            await self._strike(blow, random.choice(blow.kinds), seconds=seconds)
            if self._open and not self._open[0][1].fault.heals_itself:
                await self._rest(seconds)
            await self._put_all_back()
            await self._rest(random.uniform(SHORTEST_CHAOS, LONGEST_CHAOS))

    async def _strike(self, blow: Blow, kind: FaultKind, *, seconds: float) -> None:
        """Make one fault; one that cannot be made ends the scenario, and says why."""
        index = len(self.strikes)
        try:
            fault = self.wrap(self.make(kind, blow.role, self.chosen.strength))
        except CampaignError as error:
            self._failed(Strike(blow.role, f"{kind} {blow.role}"), error)
            return
        self.strikes.append(Strike(fault.subject, fault.describe()))
        self.tell(fault.describe())
        try:
            struck = await self.breaker.strike(fault, seconds=min(self.longest, seconds + MARGIN))
        except CampaignError as error:
            self._failed(self.strikes.pop(), error)
            return
        self._open.append((index, struck))
        self.strikes[index] = replace(
            self.strikes[index],
            what=fault.describe(),
            sent_ns=self._at(struck.injected.sent_ns),
            confirmed_ns=self._at(struck.injected.confirmed_ns),
            proved=struck.effect.proved,
            proof=struck.effect.detail,
            heals_itself=fault.heals_itself,
        )

    def _failed(self, strike: Strike, error: CampaignError) -> None:
        self.trouble = str(error)
        self.strikes.append(replace(strike, trouble=str(error), restored=True))

    async def _put_all_back(self) -> None:
        cancelled: asyncio.CancelledError | None = None
        while self._open:
            try:
                await self._put_back(*self._open[-1])
            except asyncio.CancelledError as error:  # raised once all of it is put back
                cancelled = error
            self._open.pop()
        if cancelled is not None:
            raise cancelled

    async def _put_back(self, index: int, struck: Struck) -> None:
        self.tell(f"putting back: {struck.record.what}")
        healed = await self.breaker.heal(struck)
        self.strikes[index] = replace(
            self.strikes[index],
            heals_itself=healed.by_itself,
            start_ns=self._at(healed.started_ns),
            running_ns=self._at(healed.running_ns),
            healthy_ns=self._at(healed.healthy_ns),
            restored=healed.restored,
            restored_detail=healed.detail,
            by_hand=() if healed.restored else struck.record.by_hand,
        )

    def _at(self, moment: int | None) -> int | None:
        return None if moment is None else moment - self.began_ns

    async def _rest(self, seconds: float) -> None:
        """Wait, unless the campaign is to stop."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self.stop.wait()


def maker(means: Mapping[str, Means], clock: Clock) -> Make:
    """What makes a fault of a kind on a role. Raises FaultError."""

    def make(kind: FaultKind, role: str, strength: Strength) -> Fault:
        return make_fault(kind, role=role, means=means[role], clock=clock, strength=strength)

    return make
