"""Containers that go down: stopped, killed, crashed, asked to end, restarted."""

from __future__ import annotations

import asyncio
import os
import signal
from contextlib import suppress
from dataclasses import replace

from campaign.clock import SECOND
from campaign.faults.containers import kernel
from campaign.faults.containers.fault import LOOK_NS, Aim, ContainerFault
from campaign.faults.containers.seen import Seen
from campaign.faults.fault import Effect, FaultError, Healed

SOON_NS = SECOND // 500
"""Between two looks at a process of this machine."""

DEATH_SECONDS = 5.0
"""How long a process may take to be gone after SIGKILL."""


class Down(ContainerFault):
    """Its process ends: the engine says so, and the kernel too where it can be asked."""

    async def proof(self, before: Seen, now: Seen) -> Effect:
        """It is down, or it runs anew."""
        if self.process is not None and self.process.lives():
            return Effect(proved=False, detail=f"its process {self.process.pid} lives on")
        if now.running and now.started_at == before.started_at:
            return Effect(proved=False, detail="the engine says that it runs on")
        gone = f"process {self.process.pid} is gone from the host; " if self.process else ""
        anew = f"it was started again at {now.started_at}" if now.running else now.says()
        return Effect(proved=True, detail=f"{gone}the engine says: {anew}")

    async def settle(self, container: Seen) -> None:
        """An engine takes a moment to see that a process has ended."""
        if self.process is not None and self.process.lives():
            return

        async def known() -> bool:
            now = await self.now()
            return not now.running or now.started_at != container.started_at

        with suppress(FaultError):
            await self.until(known, seconds=DEATH_SECONDS, step_ns=SOON_NS)

    async def ended(self) -> bool:
        """Whether its process has ended."""
        if self.process is not None:
            return not self.process.lives()
        now = await self.now()
        return not now.running or now.started_at != self.looked_at().started_at


class Stop(Down):
    """Its stop signal, SIGKILL after a grace; it stays down."""

    def __init__(self, aim: Aim, *, grace: float) -> None:
        """`grace` in seconds."""
        super().__init__(aim)
        self.does = f"stop (grace {grace:g} s)"  # type: ignore[misc]
        self.takes = grace

    async def strike(self, container: Seen) -> None:
        """Stop it."""
        await self.aim.engine.stop(container.id, grace=self.takes)


class Kill(Down):
    """SIGKILL through the engine, which then leaves it down whatever its restart policy."""

    does = "kill"

    async def strike(self, container: Seen) -> None:
        """Kill it."""
        await self.aim.engine.kill(container.id)
        await self.until(self.ended, seconds=DEATH_SECONDS, step_ns=SOON_NS)


class Crash(Down):
    """SIGKILL to its process from the host, behind the engine's back: its restart policy may act."""

    does = "crash the process of"

    @property
    def heals_itself(self) -> bool:
        """Whether it has a restart policy."""
        return self.before is not None and bool(self.before.policy)

    def refuse(self, container: Seen) -> None:
        """It needs the process on this machine, and the right to kill it."""
        if self.process is None:
            raise FaultError(
                f"the process of the container {container.name} is not to be seen on this machine, so it "
                f"cannot be crashed from here; `kill` goes through the engine at {self.aim.engine.place.url}"
            )
        try:
            os.kill(self.process.pid, 0)
        except PermissionError as error:
            raise FaultError(
                f"process {self.process.pid} of the container {container.name} is another account's; "
                "run the campaign as root, or use `kill`, which goes through the engine"
            ) from error
        except ProcessLookupError as error:
            raise FaultError(f"the container {container.name} has ended just now") from error

    async def strike(self, container: Seen) -> None:
        """Kill its process, and no other that may have its number by now."""
        process = self.process
        if process is None or not _kill(process):
            raise FaultError(f"the process of the container {container.name} ended before it was crashed")
        await self.until(self.ended, seconds=DEATH_SECONDS, step_ns=SOON_NS)


class Term(Down):
    """SIGTERM alone, and `grace` seconds in which it may end in good order; nothing follows."""

    does = "send SIGTERM to"

    def __init__(self, aim: Aim, *, grace: float) -> None:
        """`grace` in seconds."""
        super().__init__(aim)
        self.takes = grace
        self._handles: bool | None = None

    @property
    def heals_itself(self) -> bool:
        """Its restart policy acts where SIGTERM is not the signal it is stopped with."""
        before = self.before
        return (
            before is not None and bool(before.policy) and before.stop_signal not in {"SIGTERM", "TERM", "15"}
        )

    async def strike(self, container: Seen) -> None:
        """Send it, and wait for the end."""
        if self.process is not None:
            self._handles = kernel.handles(self.process.pid, signal.SIGTERM)
        await self.aim.engine.kill(container.id, signal="SIGTERM")
        await self.until(self.ended, seconds=self.takes, step_ns=SOON_NS if self.process else LOOK_NS)

    async def proof(self, before: Seen, now: Seen) -> Effect:
        """It has ended; a process that has not may as well never have had the signal."""
        effect = await super().proof(before, now)
        if effect.proved:
            return effect
        why = ": as first process of its container it has no handler for it" if self._handles is False else ""
        return Effect(proved=False, detail=f"it runs on {self.takes:g} s after SIGTERM{why}")


class Restart(Down):
    """Stopped with a grace and started at once; `inject` returns when it is down."""

    def __init__(self, aim: Aim, *, grace: float) -> None:
        """`grace` in seconds."""
        super().__init__(aim)
        self.does = f"restart (grace {grace:g} s)"  # type: ignore[misc]
        self.takes = grace
        self._stopped: Seen | None = None
        self._start: asyncio.Task[None] | None = None
        self._start_ns: int | None = None
        self._running: int | None = None

    async def strike(self, container: Seen) -> None:
        """Stop it; its start is on its way when this returns."""
        await self.aim.engine.stop(container.id, grace=self.takes)
        self._stopped = await self.now()
        self._start_ns = self.aim.clock.now_ns()
        self._start = asyncio.ensure_future(self._started(container))

    async def proof(self, before: Seen, now: Seen) -> Effect:
        """It was down, seen between stop and start."""
        del now
        if self._stopped is None:
            return Effect(proved=False, detail="it was not stopped")
        return await super().proof(before, self._stopped)

    async def heal(self) -> Healed:
        """Wait for the start that is on its way, then as ever."""
        if self._start is not None:
            await asyncio.wait([self._start])
            if not self._start.cancelled():
                self._start.exception()  # the look that follows says the same again
        healed = await super().heal()
        if self._start_ns is None:
            return healed
        return replace(healed, started_ns=self._start_ns, running_ns=self._running or healed.running_ns)

    async def _started(self, container: Seen) -> None:
        """Start it, and note when it ran."""
        await self.aim.engine.start(container.id)
        self._running = await self.since()


def _kill(process: kernel.HostProcess) -> bool:
    """Whether SIGKILL reached that very process: the descriptor holds it while its start time is compared."""
    try:
        descriptor = os.pidfd_open(process.pid)
    except ProcessLookupError:
        return False
    try:
        if not process.lives():
            return False
        signal.pidfd_send_signal(descriptor, signal.SIGKILL)
    except ProcessLookupError:
        return False
    finally:
        os.close(descriptor)
    return True
