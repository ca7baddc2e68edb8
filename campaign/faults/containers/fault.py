"""What faults on containers share: the look before, the undo step, and putting back with its moments."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from campaign.clock import SECOND, Clock
from campaign.faults.containers import kernel
from campaign.faults.containers.choosing import choose
from campaign.faults.containers.engine import Engine, GoneError
from campaign.faults.containers.kernel import HostProcess
from campaign.faults.containers.seen import Seen, heal_step, seen
from campaign.faults.fault import Effect, FaultError, Healed, Injected
from campaign.faults.healing.put_back import put_back
from campaign.faults.record import HealStep
from campaign.faults.settled import settled

LOOK_NS = SECOND // 50
"""Between two looks at the engine while a moment is waited for."""

SETTLE = 2.0
"""Seconds on top of what an engine takes for a fault, until it cannot come any more."""

PATIENCE_NS = 2 * SECOND
"""How long a container may lie there before its restart policy is taken to have given up."""


@dataclass(frozen=True, slots=True)
class Aim:
    """Which container (as the file names it), in which role, on which engine.

    `ready`: seconds for which a restart policy is waited for.
    """

    role: str
    chosen: str
    engine: Engine
    clock: Clock
    ready: float


class ContainerFault:
    """One fault on one container; the kinds say what they do, what proves it and when it is undone."""

    does: ClassVar[str]
    """What it does, before the container's name."""

    ends_it: ClassVar[bool] = True
    """Whether the container's process ends by it."""

    takes: float = 0.0
    """Seconds that the engine takes for it at most."""

    def __init__(self, aim: Aim) -> None:
        """The fault, for one use."""
        self.aim = aim
        self.before: Seen | None = None
        self.process: HostProcess | None = None
        self._step: HealStep | None = None
        self._running_ns: int | None = None
        self._healthy_ns: int | None = None

    @property
    def subject(self) -> str:
        """The role of the container."""
        return self.aim.role

    @property
    def heals_itself(self) -> bool:
        """Whether something else is expected to bring it back; known after `look`."""
        return False

    def describe(self) -> str:
        """What it does, for people."""
        return f"{self.does} the container {self.aim.chosen if self.before is None else self.before.name}"

    async def look(self) -> tuple[HealStep, ...]:
        """How the container is now. Raises FaultError where it cannot be broken or not be put back."""
        try:
            return await self._looked()
        except BaseException:
            self.aim.engine.close()
            raise

    async def _looked(self) -> tuple[HealStep, ...]:
        container = await choose(self.aim.engine, self.aim.chosen, role=self.aim.role)
        self.refuse_all(container)
        if self.aim.engine.place.is_local:
            self.process = kernel.host_process(container.pid, container=container.id)
        self.refuse(container)
        self.before = container
        self._step = heal_step(
            self.aim.engine.place, container, by_hand=self.by_hand(container), settle=self.takes + SETTLE
        )
        return (self._step,)

    def refuse_all(self, container: Seen) -> None:
        """Raise FaultError for what no fault may be made on."""
        name = f"the container {container.name} ({self.aim.role})"
        if not container.is_up:
            raise FaultError(f"{name} cannot be broken: {container.says()}; bring it up first")
        if container.health not in {"", "healthy"}:
            raise FaultError(
                f"{name} is {container.health}, says its own health check; nothing was done to it"
            )
        if self.ends_it and container.removes_itself:
            raise FaultError(
                f"{name} was started with --rm, so the engine would remove it when it ends, "
                "and it could not be put back; start it without --rm"
            )
        if kernel.runs_in(container.id):
            raise FaultError(f"{name} is the one this campaign runs in; run it from outside")

    def refuse(self, container: Seen) -> None:
        """Raise FaultError for what this kind cannot be made on."""

    def by_hand(self, container: Seen) -> tuple[str, ...]:
        """What a person would give the docker command to put it back."""
        return (f"start {container.name}",)

    async def inject(self) -> Injected:
        """Break it. Raises FaultError."""
        container = self.looked_at()
        sent = self.aim.clock.now_ns()
        try:
            await self.strike(container)
        except GoneError as error:
            why = "was removed or made anew since it was looked at"
            raise FaultError(f"the container {container.name} {why}; nothing was done to it") from error
        confirmed = self.aim.clock.now_ns()
        await self.settle(container)
        return Injected(sent, confirmed)

    async def settle(self, container: Seen) -> None:
        """Wait until the engine knows what was done behind its back."""

    async def strike(self, container: Seen) -> None:
        """Do it; return when what does it has confirmed it."""
        raise NotImplementedError

    async def took_effect(self) -> Effect:
        """What the engine and the kernel say now, against what they said before."""
        container = self.looked_at()
        try:
            return await self.proof(container, await self.now())
        except FaultError as error:
            return Effect(proved=False, detail=str(error))

    async def proof(self, before: Seen, now: Seen) -> Effect:
        """Whether it happened."""
        raise NotImplementedError

    def is_back(self, now: Seen) -> bool:
        """Whether it is undone, as far as this kind goes."""
        return now.is_up

    async def heal(self) -> Healed:
        """Put it back, however it is now; never raises for what the engine says."""
        try:
            return await self._healed()
        finally:
            self.aim.engine.close()

    async def _healed(self) -> Healed:
        started = self.aim.clock.now_ns()
        step = self._step
        if step is None:
            return Healed(started, None, None, restored=True, detail="nothing was broken")
        alone = self.heals_itself and await self._comes_back()
        watch = asyncio.ensure_future(self._moments())
        try:
            answer = await settled(lambda: put_back(step))
            if answer.restored:
                await asyncio.wait([watch], timeout=1)
        finally:
            watch.cancel()
        running = (await self.since() if alone else None) or self._running_ns
        detail = f"it came back by itself; {answer.detail}" if alone else answer.detail
        return Healed(started, running, self._healthy_ns, answer.restored, detail, by_itself=alone)

    def looked_at(self) -> Seen:
        """The container as it was. Raises FaultError before `look`."""
        if self.before is None:
            raise FaultError(f"{self.describe()}: it was not looked at before")
        return self.before

    async def now(self) -> Seen:
        """The container as it is."""
        return seen(await self.aim.engine.inspect(self.looked_at().id))

    async def until(self, condition: Callable[[], Awaitable[bool]], *, seconds: float, step_ns: int) -> bool:
        """Whether it came to hold within so many seconds."""
        clock = self.aim.clock
        end = clock.now_ns() + round(seconds * SECOND)
        while not await condition():
            if clock.now_ns() >= end:
                return False
            await clock.sleep_until(clock.now_ns() + step_ns)
        return True

    async def _comes_back(self) -> bool:
        """Whether what watches over it brings it back; soon False where nothing is tried."""
        clock = self.aim.clock
        end = clock.now_ns() + round(self.aim.ready * SECOND)
        tried_ns = clock.now_ns()
        while clock.now_ns() < min(end, tried_ns + PATIENCE_NS):
            try:
                now = await self.now()
            except FaultError:
                return False
            if self.is_back(now):
                return True
            if now.restarting:
                tried_ns = clock.now_ns()
            await clock.sleep_until(clock.now_ns() + LOOK_NS)
        return False

    async def _moments(self) -> None:
        """Note when it was back, and when its own health check was content, until both were seen."""
        self._running_ns = self._healthy_ns = None
        clock = self.aim.clock
        with suppress(FaultError):
            while True:
                now = await self.now()
                if self._running_ns is None and self.is_back(now):
                    self._running_ns = clock.now_ns()
                if self._running_ns is not None and now.health in {"", "healthy"}:
                    self._healthy_ns = clock.now_ns() if now.health else None
                    return
                await clock.sleep_until(clock.now_ns() + LOOK_NS)

    async def since(self) -> int | None:
        """When its process was started, on our clock; only an engine on this machine has the same time."""
        if not self.aim.engine.place.is_local:
            return None
        try:
            started = datetime.fromisoformat(_six_digits((await self.now()).started_at)).timestamp()
        except (FaultError, ValueError):
            return None
        clock = self.aim.clock
        return clock.now_ns() - round((clock.wall() - started) * SECOND)


def _six_digits(moment: str) -> str:
    """A moment of Docker's (nanoseconds, `Z`) as Python reads it."""
    head, _, tail = moment.rstrip("Z").partition(".")
    return f"{head}.{tail[:6] or '0'}+00:00"
