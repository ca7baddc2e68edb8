"""What the campaign file says under `pool`."""

from typing import Annotated, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from campaign.records import Direction, Limit
from campaign.settings import Duration, GradedLimit, Rate, Settings, Share, limit_for
from campaign.settings.quantities import write_duration

MOST_CONNECTIONS = 500
MOST_SIZES = 20

PoolSize = Annotated[int, Field(ge=1, le=MOST_CONNECTIONS)]
WaitLimit = Annotated[GradedLimit, limit_for("s", Direction.AT_MOST)]


def _between(low: float, high: float, words: str) -> AfterValidator:
    """Refuse a quantity outside of these, in words that people write."""

    def check(value: float) -> float:
        if not low <= value <= high:
            raise PydanticCustomError("range", "is not {allowed}", {"allowed": words})
        return value

    return AfterValidator(check)


def _unsaid(value: object) -> object:
    """`${DATABASE_POOL_SIZE:-}` says nothing where the variable is not set."""
    return None if value == "" else value


class PoolSettings(Settings):
    """How many connections are enough for a load, and whether the service has them.

    `size` and `overflow` are the pool of the service (SQLAlchemy's pool_size and max_overflow), all its
    processes together; without `size` nothing is judged and a size is recommended. `rate` and `query` are
    the load: so many queries a second, each at work for so long. `sizes` are tried for `step` each, the
    service's own for `judged`; a query waits at most `timeout` for a connection, and its wait is held
    against `wait` (the 99th percentile). We take at most `share` of the connections that the server has free.
    """

    size: Annotated[PoolSize | None, BeforeValidator(_unsaid)] = None
    overflow: Annotated[int, BeforeValidator(lambda value: value or 0)] = Field(
        default=0, ge=0, le=MOST_CONNECTIONS
    )
    sizes: tuple[PoolSize, ...] = Field(
        default=(1, 2, 3, 4, 6, 8, 12, 16), min_length=1, max_length=MOST_SIZES
    )
    rate: Annotated[Rate, _between(1, 2000, "a rate from 1/s to 2000/s")] = 250.0
    query: Annotated[Duration, _between(0.0001, 2, "a duration from 0.1ms to 2s")] = 0.01
    timeout: Annotated[Duration, _between(0.05, 30, "a duration from 50ms to 30s")] = 1.0
    step: Annotated[Duration, _between(0.1, 60, "a duration from 100ms to 60s")] = 1.6
    judged: Annotated[Duration, _between(0.1, 600, "a duration from 100ms to 10m")] = 4.0
    share: Annotated[Share, _between(0.01, 1, "a share from 1% to 100%")] = 0.5
    wait: WaitLimit = GradedLimit(limit=Limit(0.05, 0.25, "s"))

    @model_validator(mode="after")
    def _can_fail(self) -> Self:
        if self.timeout <= self.wait.limit.acceptable:
            acceptable, found = (write_duration(each) for each in (self.wait.limit.acceptable, self.timeout))
            raise PydanticCustomError(
                "timeout",
                "needs {allowed}",
                {
                    "allowed": f"a timeout longer than the wait that is acceptable ({acceptable})",
                    "found": f"timeout: {found}",
                },
            )
        return self

    def quick(self) -> Self:
        """A third of the sizes, and as short as a 99th percentile allows."""
        sizes = tuple(sorted(set(self.sizes)))
        fewer = sizes if len(sizes) <= 3 else (sizes[0], sizes[len(sizes) // 2 - 1], sizes[-3])
        return self.model_copy(
            update={"sizes": fewer, "step": min(self.step, 0.4), "judged": min(self.judged, 1.6)}
        )
