"""What the campaign file says under `service`."""

from typing import Annotated, Literal, Self, TypeAlias

from pydantic import BeforeValidator, Field, StringConstraints

from campaign.records import Direction, Limit, Severity
from campaign.settings import Duration, GradedLimit, OperationName, Settings, limit_for

QUICK_TIMES = 6
UNIT = "statements"
CROWD_P95 = "service.connections.crowd_p95"
DEFAULT_STATEMENTS = GradedLimit(limit=Limit(15.0, 15.0, UNIT), severity=Severity.IMPORTANT)
"""What an operation may cost of which the file names no limit: advice, as nobody has asked for it."""


def _listed(value: object) -> object:
    return [value] if isinstance(value, str) else value


def _limited(value: object) -> object:
    if isinstance(value, list | tuple):
        return dict.fromkeys(value, DEFAULT_STATEMENTS)
    return {value: DEFAULT_STATEMENTS} if isinstance(value, str) else value


Operations = Annotated[tuple[OperationName, ...], BeforeValidator(_listed)]
"""Operations done one after the other; one of them may stand alone."""

Expected = Annotated[dict[str, str | int | float | bool], Field(min_length=1, max_length=20)]
"""JSON paths of an answer, and what must be there; texts may hold `{{ expressions }}`."""

RaceName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_-]{0,79}$")]
TableName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_]\w{0,62}(\.[A-Za-z_]\w{0,62})?$")]


class LostUpdate(Settings):
    """Two changes at once, to different things; both were confirmed, so both must be there afterwards.

    `expect` names at least one thing of each.
    """

    kind: Literal["lost update"]
    before: Operations = ()
    first: OperationName
    second: OperationName
    read: OperationName
    expect: Annotated[Expected, Field(min_length=2)]


class WriteAfter(Settings):
    """Once `event` was answered, nothing more may be stored by a `write` under way: `count` must not grow."""

    kind: Literal["write after"]
    before: Operations = ()
    event: OperationName
    write: OperationName
    read: OperationName
    count: str


class ReadYourWrites(Settings):
    """What is read after a confirmed change must show it."""

    kind: Literal["read your writes"]
    before: Operations = ()
    write: OperationName
    read: OperationName
    expect: Expected


Race: TypeAlias = Annotated[LostUpdate | WriteAfter | ReadYourWrites, Field(discriminator="kind")]
"""One of the three, told apart by `kind`."""


class Crowd(Settings):
    """Many users at once do these operations, one after the other, for so long; `p95` is what an answer may
    take.
    """

    operations: Annotated[Operations, Field(min_length=1)]
    users: Annotated[int, Field(ge=2, le=64)] = 8
    seconds: Duration = 3.0
    p95: Annotated[GradedLimit, limit_for("s", Direction.AT_MOST)] = GradedLimit(limit=Limit(1.0, 5.0, "s"))


class Leak(Settings):
    """Whether these operations give their connections back: done `times` times, then `probe` must answer."""

    operations: Annotated[Operations, Field(min_length=1)]
    probe: OperationName
    times: Annotated[int, Field(ge=3, le=500)] = 20


class Waiting(Settings):
    """Whether `beside` is answered while so many (`at_once`) `operation`s wait in the database.

    They are made to wait by a lock on the table `lock` that we hold for a second or two.
    """

    operation: OperationName
    lock: TableName
    beside: OperationName
    at_once: Annotated[int, Field(ge=1, le=16)] = 2
    patience: Duration = 1.0


class Connections(Settings):
    """What the service does with its connections; each of the three is left out where it is not given."""

    crowd: Crowd | None = None
    waiting: Waiting | None = None
    leak: Leak | None = None


class ServiceSettings(Settings):
    """What the service does with its database, seen through its API: races, leaks, statements per request.

    `user` is the number of the first user who does all this; each does `start` once. `finish` puts back what
    a race has changed. `times` is how often each race is run.
    """

    user: Annotated[int, Field(ge=1)] = 1
    start: Operations = ()
    finish: Operations = ()
    times: Annotated[int, Field(ge=1, le=1000)] = 30
    races: dict[RaceName, Race] = Field(default_factory=dict, max_length=50)
    statements: Annotated[
        dict[OperationName, Annotated[GradedLimit, limit_for(UNIT, Direction.AT_MOST)]],
        BeforeValidator(_limited),
    ] = Field(default_factory=dict, max_length=100)
    connections: Connections = Connections()

    @property
    def asked(self) -> bool:
        """Whether there is anything to do."""
        ours = self.connections
        return bool(self.races or self.statements or ours.crowd or ours.waiting or ours.leak)

    def quick(self) -> Self:
        """Each race a few times, a short crowd."""
        crowd = self.connections.crowd
        short = None if crowd is None else crowd.model_copy(update={"seconds": min(crowd.seconds, 2.0)})
        connections = self.connections.model_copy(update={"crowd": short})
        changes = {"times": min(self.times, QUICK_TIMES), "connections": connections}
        return self.model_copy(update=changes)
