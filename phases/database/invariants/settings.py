"""What the campaign file says under `invariants`."""

from typing import Annotated, Literal, Self, get_args

from pydantic import BeforeValidator, Field

from campaign.settings import Duration, Settings
from phases.database.mistakes import known

QUICK_SECONDS = 0.3

LevelName = Literal["default", "read uncommitted", "read committed", "repeatable read", "serializable"]
LEVELS = frozenset(get_args(LevelName))
Required = Literal["", "read committed", "snapshot", "serializable"]
REQUIREMENTS = tuple(filter(None, get_args(Required)))


class InvariantsSettings(Settings):
    """Right answers under stress: transfers, list-append histories, atomicity, races on constraints.

    Each check runs for about `seconds` with `workers` connections at the isolation `level` that the service
    uses (the server's default). `require` is what its transactions rely on beyond what that level promises.
    """

    seconds: Annotated[Duration, Field(gt=0, le=600)] = 2.0
    workers: Annotated[int, Field(ge=2, le=20)] = 6
    accounts: Annotated[int, Field(ge=2, le=1000)] = 8
    level: LevelName = "default"
    require: Annotated[Required, BeforeValidator(known("a requirement", REQUIREMENTS))] = ""

    def quick(self) -> Self:
        """A fraction of a second for each check."""
        return self.model_copy(update={"seconds": min(self.seconds, QUICK_SECONDS)})
