"""What the campaign file says under `recovery`."""

from typing import Annotated, Self

from pydantic import AfterValidator, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from campaign.settings import Duration, Rate, Settings
from campaign.settings.quantities import quantity_error


def _command(value: str) -> str:
    if "\0" in value:
        raise quantity_error("a command without NUL characters, which no shell takes")
    return value


Command = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=4000), AfterValidator(_command)
]
"""A command for the shell of the machine that the campaign runs on."""

HIGHEST_RATE = 2000.0
LONGEST_LIMIT = 600.0
SHORTEST_TIMEOUT, LONGEST_TIMEOUT = 0.1, 60.0


def _rate(value: float) -> float:
    if value > HIGHEST_RATE or value < 10:
        raise quantity_error("a rate from 10/s to 2000/s")
    return value


def _limit(value: float) -> float:
    if not 0 < value <= LONGEST_LIMIT:
        raise quantity_error("a duration above 0 and at most 10m")
    return value


def _timeout(value: float) -> float:
    if not SHORTEST_TIMEOUT <= value <= LONGEST_TIMEOUT:
        raise quantity_error("a duration from 100ms to 60s")
    return value


class Freeze(Settings):
    """Commands that make the server stand still and go on, and how many seconds lie between."""

    begin: Command
    end: Command
    seconds: Annotated[float, Field(gt=0, le=120)] = 3.0


class RecoverySettings(Settings):
    """Connections killed, server restarted or frozen: errors, time to healthy, acknowledged writes lost.

    `rate` writes are sent each second over `connections`; each has `write_timeout` for everything, and one
    that was definitely refused is tried again up to `retries` times. `calm` is how long they are watched
    before the disturbance, and how long nothing may fail afterwards before it counts as healthy. Commands are
    run by the shell, here, for `command_timeout` at most.
    """

    rate: Annotated[Rate, AfterValidator(_rate)] = 200.0
    connections: Annotated[int, Field(ge=1, le=32)] = 4
    pre_ping: bool = True
    retries: Annotated[int, Field(ge=0, le=5)] = 1
    write_timeout: Annotated[Duration, AfterValidator(_timeout)] = 2.0
    calm: Annotated[Duration, AfterValidator(_timeout)] = 1.0
    recovered_within: Annotated[Duration, AfterValidator(_limit)] = 30.0
    command_timeout: Annotated[Duration, AfterValidator(_limit)] = 60.0
    restart: Command | None = None
    freeze: Freeze | None = None
    stop: Command | None = None
    start: Command | None = None

    @model_validator(mode="after")
    def _both_or_none(self) -> Self:
        if (self.stop is None) != (self.start is None):
            allowed = "stop and start together: what is stopped must be started again"
            raise PydanticCustomError("pair", "needs {allowed}", {"allowed": allowed})
        return self

    @model_validator(mode="after")
    def _time_to_recover(self) -> Self:
        if self.freeze is not None and self.freeze.seconds >= self.recovered_within:
            allowed = "freeze.seconds below recovered_within: no write is acknowledged while it is frozen"
            raise PydanticCustomError("too_long", "needs {allowed}", {"allowed": allowed})
        return self

    def quick(self) -> Self:
        """Shorter watching."""
        return self.model_copy(update={"calm": min(self.calm, 0.5)})
