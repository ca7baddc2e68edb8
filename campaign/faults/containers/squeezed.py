"""A container that has little CPU or memory left; the limits it had are recorded and put back."""

from __future__ import annotations

import math

from campaign.faults.containers import kernel
from campaign.faults.containers.fault import Aim, ContainerFault
from campaign.faults.containers.seen import Seen
from campaign.faults.fault import Effect, FaultError
from campaign.faults.resources import cpus_of, memory_of, squeezed

PAGE = 1 << 16
"""Bytes by which the kernel may round a memory limit down."""


class Squeeze(ContainerFault):
    """Fewer CPUs (0.1: a tenth of one), fewer bytes of memory, or both."""

    ends_it = False

    def __init__(self, aim: Aim, *, cpus: float | None, memory: int | None) -> None:
        """What is left to it; None leaves it as it is."""
        super().__init__(aim)
        parts = [f"{cpus:g} CPUs"] if cpus is not None else []
        parts += [f"{memory / (1 << 20):g} MiB"] if memory is not None else []
        self.does = f"squeeze to {' and '.join(parts)}"  # type: ignore[misc]
        self.cpus, self.memory = cpus, memory

    def refuse(self, container: Seen) -> None:
        """What is no squeeze."""
        has_cpus, has_memory = cpus_of(container.resources), memory_of(container.resources)
        if self.cpus is not None and self.cpus >= has_cpus:
            raise FaultError(f"{container.name} has {has_cpus:g} CPUs: {self.cpus:g} would be no squeeze")
        if self.memory is not None and self.memory >= has_memory:
            raise FaultError(
                f"{container.name} has {has_memory:.0f} B of memory: {self.memory} would be no squeeze"
            )

    def by_hand(self, container: Seen) -> tuple[str, ...]:
        """Give it back what it had; where it had no limit, nearly all numbers are as good."""
        before, options = container.resources, []
        if self.cpus is not None:
            had = cpus_of(before)
            limit = f"--cpus {had:g}" if before["NanoCpus"] else f"--cpu-quota {before['CpuQuota'] or -1}"
            options.append(limit)
        if self.memory is not None:
            limited = memory_of(before) < math.inf
            memory = before["Memory"] if limited else "9223372036854771712"
            swap = (before["MemorySwap"] or -1) if limited else "9223372036854771712"
            options.append(f"--memory {memory} --memory-swap {swap}")
        return (f"update {' '.join(options)} {container.name}",)

    async def strike(self, container: Seen) -> None:
        """Set the limits."""
        changes = squeezed(container.resources, cpus=self.cpus, memory=self.memory)
        await self.aim.engine.update(container.id, changes)

    async def proof(self, before: Seen, now: Seen) -> Effect:
        """The control group has the limits; where it cannot be seen, the engine says so."""
        if self.process is not None and not self.process.lives():
            return Effect(proved=True, detail=f"its process {self.process.pid} died of it: {now.says()}")
        says = "its control group"
        cpus, memory = (
            (kernel.cpus(self.process.pid), kernel.memory(self.process.pid)) if self.process else (None, None)
        )
        if (self.cpus is not None and cpus is None) or (self.memory is not None and memory is None):
            says, cpus, memory = "the engine", cpus_of(now.resources), memory_of(now.resources)
        del before
        return Effect(proved=self._fits(cpus, memory), detail=f"{says} has {_words(cpus, memory)}")

    def _fits(self, cpus: float | None, memory: float | None) -> bool:
        enough = self.cpus is None or (
            cpus is not None and math.isclose(cpus, self.cpus, rel_tol=0.05, abs_tol=0.011)
        )
        return enough and (self.memory is None or (memory is not None and 0 <= self.memory - memory <= PAGE))

    def is_back(self, now: Seen) -> bool:
        """It has more than it was squeezed to; whether all of it is looked at by what puts it back."""
        more_cpus = self.cpus is None or cpus_of(now.resources) > self.cpus
        return now.is_up and more_cpus and (self.memory is None or memory_of(now.resources) > self.memory)


def _words(cpus: float | None, memory: float | None) -> str:
    has_cpus = "no CPU limit" if cpus is None or math.isinf(cpus) else f"{cpus:g} CPUs"
    has_memory = "no memory limit" if memory is None or math.isinf(memory) else f"{memory:.0f} B of memory"
    return f"{has_cpus} and {has_memory}"
