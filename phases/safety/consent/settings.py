"""What the campaign file says under `consent`."""

from typing import Annotated

from pydantic import AfterValidator, Field

from campaign.settings import Duration, OperationName, Rate, Settings
from campaign.settings.quantities import quantity_error
from phases.safety.cast.settings import Operations


def _some(value: float) -> float:
    if not 0 < value <= 200:
        raise quantity_error("a rate above 0/s and at most 200/s")
    return value


class ConsentRace(Settings):
    """A message beside a revocation, `runs` times: once that was answered, nothing more is stored."""

    write: OperationName
    runs: Annotated[int, Field(ge=5, le=1000)] = 40
    at_once: Annotated[int, Field(ge=1, le=20)] = 4


class ConsentLoad(Settings):
    """How long consented operations take while consents are given and revoked at `rate`."""

    operation: OperationName
    rate: Annotated[Rate, AfterValidator(_some)] = 20.0
    hold: Annotated[Duration, Field(gt=0, le=600)] = 5.0
    p95: Annotated[Duration, Field(gt=0, le=60)] = 0.2


class ConsentSettings(Settings):
    """No consent, no collection. `role` is one whose `start` gives no consent.

    `states` maps a state in which nothing may be collected (none, pending, revoked, expired, ...) to the
    operations that bring a fresh child into it. `collect` are operations that collect something and send
    `{{ canary }}`. `reads` are those by which it would be seen, where the stores cannot be looked into.
    """

    role: str = ""
    give: Operations = ()
    revoke: OperationName | None = None
    states: dict[str, Operations] = Field(default_factory=dict, max_length=12)
    collect: Operations = ()
    reads: Operations = ()
    race: ConsentRace | None = None
    load: ConsentLoad | None = None

    def quick(self) -> "ConsentSettings":
        """Fewer races."""
        race = self.race and self.race.model_copy(update={"runs": min(self.race.runs, 6)})
        load = self.load and self.load.model_copy(update={"hold": min(self.load.hold, 1.0)})
        return self.model_copy(update={"race": race, "load": load})
