"""A container that is taken off its networks, and runs on without them."""

from __future__ import annotations

import shlex

from campaign.faults.containers import kernel
from campaign.faults.containers.fault import ContainerFault
from campaign.faults.containers.seen import Seen
from campaign.faults.fault import Effect, FaultError


class Disconnect(ContainerFault):
    """Off every network that it is on."""

    does = "disconnect from its networks"
    ends_it = False

    def refuse(self, container: Seen) -> None:
        """A container without a network of its own cannot lose it."""
        mode = container.network_mode
        if mode == "host":
            raise FaultError(
                f"the container {container.name} uses the host's own network (--network host), from which it "
                "cannot be disconnected; use `pause`, or a route of the campaign's (`routes`) with `cut`"
            )
        if mode.startswith("container:"):
            raise FaultError(f"the container {container.name} uses the network of another one ({mode[10:]})")
        if mode == "none" or not container.networks:
            raise FaultError(f"the container {container.name} is on no network")

    def by_hand(self, container: Seen) -> tuple[str, ...]:
        """Connect it again."""
        return tuple(f"network connect {shlex.quote(each)} {container.name}" for each in container.networks)

    async def strike(self, container: Seen) -> None:
        """Disconnect it from each."""
        for each in container.networks:
            await self.aim.engine.disconnect(container.id, network=each)

    async def proof(self, before: Seen, now: Seen) -> Effect:
        """The engine says that it is on none of them, and their addresses are gone."""
        if still := before.networks.keys() & now.networks.keys():
            return Effect(proved=False, detail=f"it is still on {', '.join(sorted(still))}")
        had = {str(each.get("IPAddress")) for each in before.networks.values() if each.get("IPAddress")}
        has = kernel.addresses(self.process.pid) if self.process else None
        if has is not None and had & has:
            return Effect(proved=False, detail=f"it still has the address {', '.join(sorted(had & has))}")
        gone = f", and its addresses ({', '.join(sorted(had))}) are gone" if has is not None and had else ""
        return Effect(proved=True, detail=f"the engine says that it is on none of its networks{gone}")

    def is_back(self, now: Seen) -> bool:
        """It is on all of them."""
        return now.is_up and self.looked_at().networks.keys() <= now.networks.keys()
