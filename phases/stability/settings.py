"""What the campaign file says of the stability phase: how long, how many users, what must not grow."""

import os
from typing import Annotated, Self

from pydantic import (
    BeforeValidator,
    Field,
    PositiveFloat,
    PositiveInt,
    ValidationInfo,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import PydanticCustomError

from campaign.load.spec import ScenarioSpec, ramp_and_hold
from campaign.settings import Duration, Settings, Share, Size, UserName
from campaign.settings.quantities import DURATION_PATTERN, read_duration

HOUR, DAY = 3600.0, 86400.0

LONGEST_HOURS = 366 * 24.0

SHORTEST = 10.0
"""Seconds; a shorter soak has no two windows to compare."""

LEAST_REST = 1.0
"""Seconds that users are at work, at least, when a soak goes on that was broken off at its very end."""

QUICK_SECONDS, QUICK_USERS = 15.0, 20
"""Of a quick run."""

USERS_PER_WORKER = 1000
"""Users that one worker process carries before another is started."""

MOST_WINDOWS = 3000
"""Windows that the whole soak is divided into, at most; each is a second at least."""

GROWING = ("target.memory", "target.threads", "target.files")
"""The series that are judged where the file names no others."""

ROOM = {"B": 512.0 * 2**20, "files": 1000.0, "threads": 200.0}
"""How much a series of this unit may grow over the horizon, where the file does not say."""

OTHER_ROOM = 1000.0
"""The same for all other units."""


def _hours(value: object) -> object:
    """Hours, from a number of them or a duration such as 30m."""
    if not isinstance(value, str):
        return value
    is_number = value.strip().replace(".", "", 1).isdecimal()
    return float(value) if is_number else read_duration(value) / HOUR


Hours = Annotated[
    float,
    BeforeValidator(_hours),
    Field(gt=0, le=LONGEST_HOURS, strict=True),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "number", "exclusiveMinimum": 0, "maximum": LONGEST_HOURS},
                {"type": "string", "pattern": f"^{DURATION_PATTERN}$"},
            ]
        }
    ),
]


class StabilitySettings(Settings):
    """`users` at work for `hours`; each series of `growing` may grow by its `head_room` over `horizon`.

    `head_room` is by series; what is not named there has 512 MiB of memory, 1,000 files, 200 threads. Latency
    may rise by the share `drift` of its first level over a `drift_over`. `uptime` is the share of seconds in
    which anybody was served. `memory_growth`: of the target from before to after.
    """

    hours: Hours = 24.0
    users: PositiveInt = 100
    ramp: Duration = 10.0
    mix: dict[UserName, PositiveFloat] = Field(default_factory=dict)
    growing: Annotated[tuple[str, ...], Field(min_length=1, max_length=200)] = GROWING
    head_room: dict[str, Size | PositiveFloat] = Field(default_factory=dict)
    horizon: Annotated[Duration, Field(gt=0)] = 7 * DAY
    drift: Share = 0.5
    drift_over: Annotated[Duration, Field(gt=0)] = DAY
    error_rate: Share = 0.01
    uptime: Share = 0.999
    memory_growth: Size = 100 * 10**6

    @model_validator(mode="after")
    def _possible(self, info: ValidationInfo) -> Self:
        if info.context is not None and not info.context.get("users", True):
            allowed = "a campaign file with users, and operations for them to do"
            raise PydanticCustomError("nobody", "needs {allowed}", {"allowed": allowed, "found": "no users"})
        if self.hours * HOUR < SHORTEST:
            allowed = f"at least {SHORTEST / HOUR:.4f} hours ({SHORTEST:g} seconds)"
            raise PydanticCustomError("too_short", "needs {allowed}", {"allowed": allowed})
        unknown = sorted(set(self.head_room) - set(self.growing))
        if unknown:
            raise PydanticCustomError(
                "head_room", "needs {allowed}", {"allowed": f"series of `growing`; {unknown[0]} is none"}
            )
        return self

    def quick(self) -> Self:
        """A few users for a quarter of a minute: enough to see it run, too short to prove much."""
        hours = min(self.hours, QUICK_SECONDS / HOUR)
        return self.model_copy(update={"hours": hours, "users": min(self.users, QUICK_USERS), "ramp": 1.0})

    def spec(self, *, held: float = 0.0) -> ScenarioSpec:
        """The load as plain data, less the seconds that users were `held` at work before."""
        rate = self.users / self.ramp if self.ramp else float("inf")
        hold = max(LEAST_REST, self.hours * HOUR - held)
        return ramp_and_hold("soak", self.users, rate, hold, mix=self.mix)

    @property
    def window(self) -> float:
        """Seconds of one window."""
        return max(1.0, self.hours * HOUR / MOST_WINDOWS)

    @property
    def workers(self) -> int:
        """Processes that carry the users."""
        return max(1, min(os.cpu_count() or 1, self.users // USERS_PER_WORKER))

    def room_of(self, series: str, unit: str) -> float:
        """How much the series may grow over the horizon, in its unit."""
        given = self.head_room.get(series)
        return ROOM.get(unit, OTHER_ROOM) if given is None else float(given)
