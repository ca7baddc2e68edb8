"""A container that is frozen: its connections stay open and nothing answers, which is worse than a crash."""

from __future__ import annotations

from campaign.faults.containers import kernel
from campaign.faults.containers.fault import ContainerFault
from campaign.faults.containers.seen import Seen
from campaign.faults.fault import Effect


class Pause(ContainerFault):
    """All its processes stand still."""

    does = "pause"
    ends_it = False

    def by_hand(self, container: Seen) -> tuple[str, ...]:
        """Thaw it."""
        return (f"unpause {container.name}",)

    async def strike(self, container: Seen) -> None:
        """Freeze it."""
        await self.aim.engine.pause(container.id)

    async def proof(self, before: Seen, now: Seen) -> Effect:
        """The engine says that it is paused, and its control group stands still."""
        del before
        if not now.paused:
            return Effect(proved=False, detail=f"the engine says: {now.says()}")
        frozen = kernel.is_frozen(self.process.pid) if self.process else None
        if frozen is False:
            return Effect(
                proved=False, detail="the engine says that it is paused, and the kernel that it runs"
            )
        group = ", and its control group is frozen" if frozen else ""
        return Effect(proved=True, detail=f"the engine says that it is paused{group}")
