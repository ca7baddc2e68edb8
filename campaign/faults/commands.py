"""Faults by the user's own commands: what breaks, what heals, and what tells whether the part is whole."""

from __future__ import annotations

from campaign.clock import SECOND, Clock
from campaign.faults.fault import Effect, FaultError, Healed, Injected
from campaign.faults.healing.command import run
from campaign.faults.healing.put_back import put_back
from campaign.faults.means import CommandMeans
from campaign.faults.record import HealStep
from campaign.faults.settled import settled

LOOK_NS = SECOND // 10
EFFECT_SECONDS = 5.0
"""How long after the breaking command the check may still be content."""


class CommandFault:
    """A pair of commands. Without a check nothing proves that they did anything."""

    heals_itself = False

    def __init__(self, *, role: str, means: CommandMeans, clock: Clock, seconds: float) -> None:
        """Each command has so many seconds."""
        self.subject = role
        self.means, self.clock, self.seconds = means, clock, seconds
        self._step: HealStep | None = None

    def describe(self) -> str:
        """What it does, for people."""
        return f"break {self.subject} by `{self.means.breaks}`"

    async def look(self) -> tuple[HealStep, ...]:
        """What heals it. Raises FaultError where the check says that it is broken before."""
        if not self.means.breaks.strip() or not self.means.heal.strip():
            raise FaultError(
                f"phases.failover.commands.{self.subject}: `break` and `heal` must both be given"
            )
        if self.means.check and (trouble := await self._ran(self.means.check)):
            raise FaultError(
                f"{self.subject} is not whole before the fault: {trouble} (check); put it right first"
            )
        where = {"heal": self.means.heal, "check": self.means.check}
        self._step = HealStep("command", where, {"seconds": max(self.seconds, 60.0)}, (self.means.heal,))
        return (self._step,)

    async def inject(self) -> Injected:
        """Run the breaking command. Raises FaultError where it does not succeed."""
        sent = self.clock.now_ns()
        if trouble := await self._ran(self.means.breaks):
            raise FaultError(f"{self.subject} was not broken: {trouble}")
        return Injected(sent, self.clock.now_ns())

    async def took_effect(self) -> Effect:
        """Whether the check fails now; that a command succeeded proves nothing."""
        if not self.means.check:
            missing = "so nothing proves it; give a command that fails while it is down"
            return Effect(proved=False, detail=f"no `check` is given for {self.subject}, {missing}")
        end = self.clock.now_ns() + round(EFFECT_SECONDS * SECOND)
        while not (trouble := await self._ran(self.means.check)) and self.clock.now_ns() < end:
            await self.clock.sleep_until(self.clock.now_ns() + LOOK_NS)
        if trouble:
            return Effect(proved=True, detail=f"the check fails: {trouble}")
        return Effect(proved=False, detail=f"`{self.means.check}` still succeeds {EFFECT_SECONDS:g} s later")

    async def heal(self) -> Healed:
        """Run the healing command, then the check until it succeeds."""
        started = self.clock.now_ns()
        step = self._step
        if step is None:
            return Healed(started, None, None, restored=True, detail="nothing was broken")
        answer = await settled(lambda: put_back(step))
        running = self.clock.now_ns() if answer.restored else None
        checked = running if self.means.check else None
        return Healed(started, running, checked, answer.restored, answer.detail)

    async def _ran(self, command: str) -> str:
        """Why it did not succeed, or ""."""
        return await settled(lambda: run(command, cwd=None, seconds=self.seconds))
