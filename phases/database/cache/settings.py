"""What the campaign file says under `cache`."""

from collections.abc import Mapping
from typing import Annotated, Literal, Self, get_args

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from campaign.records import Direction, Limit
from campaign.settings import Duration, GradedLimit, Rate, Settings, Size, limit_for

CommandName = Literal["set", "get", "mget", "hash", "list", "stream", "pipeline", "expiry", "lua", "pubsub"]
COMMANDS: tuple[CommandName, ...] = get_args(CommandName)
MIX: Mapping[CommandName, float] = {
    "set": 20, "get": 40, "mget": 5, "hash": 10, "list": 5, "stream": 5, "pipeline": 5, "expiry": 5, "lua": 3,
    "pubsub": 2,
}  # fmt: skip
"""What a service that keeps sessions, profiles and counters in Redis does, about."""

Most = Annotated[GradedLimit, limit_for("s", Direction.AT_MOST)]
Weight = Annotated[float, Field(ge=0, le=1_000_000)]
QUICK_SECONDS = 3.0


class CacheLimits(Settings):
    """Limits on our own commands, each kind by itself, and on what Redis says of the target's."""

    mean: Most = GradedLimit(limit=Limit(0.002, 0.005, "s"))
    p95: Most | None = None
    p99: Most | None = None
    error_rate: Annotated[GradedLimit, limit_for("share", Direction.AT_MOST)] = GradedLimit(
        limit=Limit(0.01, 0.01, "share")
    )
    hit_ratio: Annotated[GradedLimit, limit_for("share", Direction.AT_LEAST)] | None = None
    memory: Annotated[GradedLimit, limit_for("share", Direction.AT_MOST)] = GradedLimit(
        limit=Limit(0.75, 0.9, "share")
    )


class CacheSettings(Settings):
    """How fast Redis answers: commands in a weighted `mix`, at a `rate` (or back to back by `users`), over so
    many `connections`, on `keys` of our own with values of the size `value`.

    `forever` are patterns of the target's keys that need not expire. At most `survey` of its keys are looked
    at.
    """

    rate: Rate = 500.0
    users: int = Field(default=0, ge=0, le=1000)
    connections: int = Field(default=8, ge=1, le=500)
    mix: dict[CommandName, Weight] = Field(default_factory=lambda: dict(MIX))
    keys: int = Field(default=1000, ge=1, le=1_000_000)
    value: Size = 256
    hold: Annotated[Duration, Field(ge=1)] = 20.0
    warm_up: Duration = 2.0
    timeout: Annotated[Duration, Field(gt=0)] = 1.0
    limits: CacheLimits = CacheLimits()
    forever: tuple[str, ...] = ()
    survey: int = Field(default=100_000, ge=0, le=10_000_000)

    @model_validator(mode="after")
    def _something_to_do(self) -> Self:
        if not any(self.mix.values()):
            raise PydanticCustomError(
                "nothing", "needs {allowed}", {"allowed": "a weight above 0", "found": "only weights of 0"}
            )
        return self

    def quick(self) -> Self:
        """A few seconds."""
        return self.model_copy(
            update={"hold": min(self.hold, QUICK_SECONDS), "warm_up": min(self.warm_up, 1.0)}
        )

    @property
    def seconds(self) -> float:
        """How long our commands are sent, and the look at the keys takes."""
        return self.warm_up + self.hold + 3.0
