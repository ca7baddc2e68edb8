"""What the scenarios of a phase share."""

from __future__ import annotations

from dataclasses import dataclass

from campaign.database.server import Server
from campaign.phase import PhaseContext, Progress
from phases.failover.acts import Make, Striking
from phases.failover.choice import Chosen
from phases.failover.people import HEALTH, People
from phases.failover.settings import FailoverSettings


@dataclass(slots=True)
class Scene:
    """`server` is the target's database, None where it has none; `share` of the phase was done before the
    scenario that runs now, which is `part` of it.
    """

    context: PhaseContext
    settings: FailoverSettings
    breaker: Striking
    make: Make
    people: People
    server: Server | None
    share: float = 0.0
    part: float = 0.0

    @property
    def reads(self) -> tuple[str, ...]:
        """The operations of the read probes."""
        return self.settings.probes.read or (HEALTH,)

    @property
    def rate(self) -> float:
        """Probes per second of all kinds together."""
        writes = self.settings.writes.rate if self.settings.writes else 0.0
        return self.settings.probes.rate + writes

    def tell(self, chosen: Chosen, message: str, *, done: float) -> None:
        """Say what happens now in a scenario, of which the share `done` is over."""
        whole = min(1.0, self.share + min(1.0, done) * self.part)
        self.context.notify(Progress(whole, f"{chosen.form.title}: {message}", {}))
