"""What the campaign file says of the failover phase."""

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from campaign.settings import Duration, OperationName, Rate, Settings
from campaign.settings.quantities import quantity_error
from phases.failover.catalogue import SHIPPED
from phases.failover.forms import Scenarios, ScenarioSettings, Skipped, quick
from phases.failover.values import (
    ColumnName,
    Operations,
    ProbeRate,
    ScenarioName,
    SomeTime,
    Sql,
    TableName,
)
from phases.failover.ways import CommandSettings, ProcessSettings, RoleName, RouteSettings

LONGEST_TOTAL = 6 * 3600.0
MOST_IN_FLIGHT = 400
"""Probes of one kind that may hang at the same time: rate times time-out."""

QUICK_STEADY = 2.0
QUICK = ("database_down", "cache_down", "service_restart", "service_killed", "dependency_frozen")
"""What a quick run takes where the file names no scenarios."""


def _total(value: float) -> float:
    if not 1.0 <= value <= LONGEST_TOTAL:
        raise quantity_error("a duration from 1s to 6h")
    return value


class GuardianContainer(Settings):
    """The guardian runs in a container of this image, on the target's engine: it outlives a CI job."""

    container: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]


class ProbeSettings(Settings):
    """Requests at a constant rate through all of a scenario, however long the answers take.

    `read` are the operations, in turn; without any, the target's health request. `users` users do `start`
    once, from number `user` on. `session` is what as many others do who signed in before the fault and never
    do so again. `in_flight` is kept under way around a SIGTERM (default: the reads).
    """

    rate: ProbeRate = 20.0
    timeout: SomeTime = 2.0
    user: Annotated[int, Field(ge=1)] = 1
    users: Annotated[int, Field(ge=1, le=100)] = 5
    start: Operations = ()
    read: Operations = ()
    session: OperationName | None = None
    in_flight: OperationName | None = None

    @model_validator(mode="after")
    def _so_many_may_hang(self) -> Self:
        if self.rate * self.timeout > MOST_IN_FLIGHT:
            allowed = f"rate times timeout of at most {MOST_IN_FLIGHT}: so many requests may hang at once"
            raise PydanticCustomError("too_many", "needs {allowed}", {"allowed": allowed})
        return self


class Retry(Settings):
    """A client that got no answer asks again with the same `{{ write }}`: so often, after such a pause."""

    attempts: Annotated[int, Field(ge=1, le=10)] = 2
    pause: SomeTime = 0.2


class Stored(Settings):
    """Where in the database a write ends up: a column that holds its text. `where` is a condition in SQL."""

    table: TableName
    column: ColumnName
    where: Sql | None = None


class WriteSettings(Settings):
    """Writes whose fate is known: each sends a unique text, in the operation's template as `{{ write }}`.

    `read` finds them again: an operation whose template names `{{ write }}` is asked for each of them, one
    that names `{{ offset }}` or `{{ page }}` is read page by page, any other one once per user.
    """

    operation: OperationName
    rate: ProbeRate = 10.0
    read: OperationName | None = None
    stored: Stored | None = None
    retry: Retry | None = None


class Invariant(Settings):
    """A query of one value. It must be `equals`; without that, the same before and after the fault."""

    sql: Sql
    equals: int | float | str | bool | None = None


def _as_invariant(value: object) -> object:
    return {"sql": value} if isinstance(value, str) else value


Query = Annotated[Invariant, BeforeValidator(_as_invariant, json_schema_input_type=Invariant | Sql)]
"""An invariant; its SQL may stand alone."""


class Same(Settings):
    """What the API says must be what the database says: `json` of the answer of `read`, and a query of one
    value, in which `:name` is a value that the user has saved.
    """

    read: OperationName
    json_path: str = Field(alias="json")
    sql: Sql


class ConsistencySettings(Settings):
    """What must hold afterwards: no `orphans` behind the database's foreign keys, `queries`, and `same`."""

    orphans: bool = True
    queries: dict[ScenarioName, Query] = Field(default_factory=dict, max_length=50)
    same: Annotated[tuple[Same, ...], Field(max_length=50)] = ()


class BesideSettings(Settings):
    """Load beside the probes: so many users of the vocabulary, by their weights or those of `mix`."""

    users: Annotated[int, Field(ge=1, le=10_000)]
    ramp: Rate = 50.0
    mix: dict[str, Annotated[float, Field(ge=0)]] = Field(default_factory=dict)


class FailoverSettings(Settings):
    """The failover phase: breaks parts of the target under probes, and puts them back.

    `scenarios` names those that run; without it all shipped ones whose parts are known do, but those in
    `skip`. At most `at_once` parts are broken at the same time, none for more than `longest`, all together
    for `total`. `steady` is how long all must be well before a fault, and again after it.
    """

    engine: str = ""
    guardian: Literal["process"] | GuardianContainer = "process"
    processes: dict[RoleName, ProcessSettings] = Field(default_factory=dict, max_length=50)
    commands: dict[RoleName, CommandSettings] = Field(default_factory=dict, max_length=50)
    routes: dict[RoleName, RouteSettings] = Field(default_factory=dict, max_length=50)
    probes: ProbeSettings = ProbeSettings()
    writes: WriteSettings | None = None
    consistency: ConsistencySettings = ConsistencySettings()
    scenarios: Scenarios = Field(default=None, min_length=1, max_length=50)
    skip: Skipped = ()
    recovered_within: SomeTime = 30.0
    at_once: Annotated[int, Field(ge=1, le=20)] = 3
    longest: SomeTime = 60.0
    total: Annotated[Duration, AfterValidator(_total)] = 900.0
    steady: SomeTime = 5.0
    load: BesideSettings | None = None

    @model_validator(mode="after")
    def _put_back_in_time(self) -> Self:
        for name, each in self.asked().items():
            form = SHIPPED[each.form or name]
            hold = form.seconds if each.hold is None else each.hold
            if hold >= self.longest and not form.random:
                said = f"scenarios.{name}.for of {hold:g} s below longest of {self.longest:g} s"
                raise PydanticCustomError("longest", "needs {allowed}", {"allowed": said})
        return self

    def asked(self) -> dict[str, ScenarioSettings]:
        """The scenarios that the file asks for, in their order, those of unknown parts included."""
        named = self.scenarios
        if named is None:
            named = {
                name: ScenarioSettings.model_validate({"as": name, "if_known": True})
                for name in SHIPPED
                if name not in self.skip
            }
        return dict(named)

    def quick(self) -> Self:
        """Short faults, and of the scenarios that nobody named only a few."""
        asked = self.asked()
        if self.scenarios is None:
            asked = {name: each for name, each in asked.items() if name in QUICK}
        asked = {name: each for name, each in asked.items() if each.in_quick} or asked
        short = {name: quick(name, each) for name, each in asked.items()}
        return self.model_copy(update={"scenarios": short, "steady": min(self.steady, QUICK_STEADY)})
