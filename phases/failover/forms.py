"""What the campaign file says of one scenario."""

from typing import Annotated, Any, Self, TypeAlias

from pydantic import AfterValidator, BeforeValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from campaign.settings import Settings, Size, list_names
from phases.failover.catalogue import LATENCY, SHIPPED, During
from phases.failover.values import Hold, ScenarioName, SomeTime, listed
from phases.failover.ways import RoleName

QUICK_HOLD, QUICK_CHAOS = 3.0, 15.0
QUICK_TIMES = 2


def _shipped(value: str) -> str:
    if value not in SHIPPED:
        context = {
            "kind": "a scenario",
            "name": value,
            "names": list(SHIPPED),
            "allowed": list_names(SHIPPED),
        }
        raise PydanticCustomError("unknown_name", "{kind} that is not defined", context)
    return value


ShippedName = Annotated[str, AfterValidator(_shipped)]


Parts = Annotated[
    tuple[RoleName, ...], BeforeValidator(listed, json_schema_input_type=tuple[RoleName, ...] | RoleName)
]
"""Names of parts; one of them may stand alone."""


class ScenarioSettings(Settings):
    """One scenario. `as` is the shipped one that it is a form of, where its name is not that; `on` are the
    parts that are broken instead, in the order in which that one names its own.

    `for` is how long the fault lasts, `during` what is promised meanwhile, `times` and `apart` how often and
    with how much time between. `grace` lies between SIGTERM and SIGKILL; `latency`, `jitter`, `bandwidth` are
    for a slow route, `cpus` and `memory` for a container without one. With `if_known` it is left out of the
    plan where its parts are unknown; else its checks are undecided then. `quick: false` leaves it out of
    `--quick`.
    """

    form: ShippedName | None = Field(default=None, alias="as")
    on: Parts = ()
    hold: Hold | None = Field(default=None, alias="for")
    during: During | None = None
    recovered_within: SomeTime | None = None
    times: Annotated[int, Field(ge=1, le=50)] | None = None
    apart: Hold | None = None
    grace: Hold = 10.0
    latency: SomeTime = LATENCY
    jitter: Hold = 0.0
    bandwidth: Size | None = None
    cpus: Annotated[float, Field(gt=0, le=1024)] | None = None
    memory: Size | None = None
    if_known: bool = False
    in_quick: bool = Field(default=True, alias="quick")

    @model_validator(mode="after")
    def _no_more_parts(self) -> Self:
        most = len(SHIPPED[self.form].roles) if self.form else 0
        if len(self.on) > most:
            raise PydanticCustomError("on", "needs {allowed}", {"allowed": f"at most {most} parts in on"})
        return self


def known_scenarios(value: object) -> object:
    """Names of shipped scenarios stand alone or with settings; another one says what it is a form of."""
    if isinstance(value, str):
        value = [value]
    if isinstance(value, list | tuple):
        value = {str(name): None for name in value}
    if not isinstance(value, dict):
        return value
    return {
        name: {"as": name, **(each or {})} if isinstance(each, dict | None) else each
        for name, each in value.items()
    }


WrittenScenarios: TypeAlias = (
    dict[ScenarioName, ScenarioSettings | None] | tuple[ShippedName, ...] | ShippedName | None
)
"""How scenarios may stand in the file."""

Scenarios = Annotated[
    dict[ScenarioName, ScenarioSettings] | None,
    BeforeValidator(known_scenarios, json_schema_input_type=WrittenScenarios),
]
Skipped = Annotated[
    tuple[ShippedName, ...],
    BeforeValidator(listed, json_schema_input_type=tuple[ShippedName, ...] | ShippedName),
]
"""Shipped scenarios; one of them may stand alone."""


def quick(name: str, settings: ScenarioSettings) -> ScenarioSettings:
    """The same with short faults, and few of them."""
    form = SHIPPED[settings.form or name]
    hold = form.seconds if settings.hold is None else settings.hold
    shortest = QUICK_CHAOS if form.random else QUICK_HOLD
    changes: dict[str, Any] = {"hold": min(hold, shortest)}
    if form.times > 1 or (settings.times or 1) > 1:
        changes["times"] = QUICK_TIMES
    return settings.model_copy(update=changes)
