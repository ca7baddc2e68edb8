"""What the campaign file says under `quotas`."""

from __future__ import annotations

from typing import Annotated, Any, Self

from pydantic import AfterValidator, BeforeValidator, Field, PrivateAttr, ValidationInfo, model_validator
from pydantic_core import PydanticCustomError

from campaign.errors import ConfigurationError
from campaign.settings import Duration, OperationName, Rate, Settings
from campaign.target.jsonpath import compile_path

NO_MORE = (429, 503, 1013, 4429)
"""How a service says that there is no room: HTTP statuses, and codes that a WebSocket is closed with."""

QUICK_CYCLES = 100


def _path(text: str) -> str:
    try:
        compile_path(text)
    except ConfigurationError as error:
        allowed = "a path such as $.live or $.error.code"
        raise PydanticCustomError("path", "is not {allowed}", {"allowed": allowed}) from error
    return text


def _pointed(text: str) -> str:
    module, _, name = text.partition(":")
    if not all(each.isidentifier() for each in (*module.split("."), name)):
        allowed = "module:Class, beside the campaign file"
        raise PydanticCustomError("python", "is not {allowed}", {"allowed": allowed})
    return text


def _listed(value: object) -> object:
    return [value] if isinstance(value, int) and not isinstance(value, bool) else value


Path = Annotated[str, AfterValidator(_path)]
Codes = Annotated[tuple[Annotated[int, Field(ge=100, le=4999)], ...], BeforeValidator(_listed)]
Limit = Annotated[int, Field(ge=1, le=500)]


class Counter(Settings):
    """The service's own count of slots that are taken: `operation` and the JSON path `json` in its answer."""

    operation: OperationName
    json_path: Annotated[Path, Field(alias="json")]


class Refusal(Settings):
    """How it says no: one of the `codes`, and, where several limits say so, what `json` must equal then.

    `retry_after` says whether an HTTP refusal must tell when to come back.
    """

    codes: Codes = NO_MORE
    json_path: Annotated[Path | None, Field(alias="json")] = None
    equals: Any = None
    retry_after: bool = True


class Bursts(Settings):
    """`count` bursts of `size` that begin at the same moment, each ended before the next."""

    count: Annotated[int, Field(ge=1, le=100)] = 5
    size: Annotated[int, Field(ge=2, le=200)] = 20


class SlotSettings(Settings):
    """Something of which there may be so many at once: `limit` for everybody, `per_user` for one principal.

    One of three: `start` and `stop`, operations over HTTP; `websocket`, an operation whose open socket is the
    slot; `python`, a class "module:Class" with start(user) and stop(handle), which is made in this process
    and refuses by an exception whose name is in `refuses`, or by giving None or False.
    """

    start: OperationName | None = None
    stop: OperationName | None = None
    websocket: OperationName | None = None
    python: Annotated[str | None, AfterValidator(_pointed)] = None
    refuses: tuple[str, ...] = ()
    role: str = ""
    limit: Limit | None = None
    per_user: Limit | None = None
    refused: Refusal = Refusal()
    counter: Counter | str | None = None
    settle: Annotated[Duration, Field(gt=0, le=60)] = 2.0
    rounds: Annotated[int, Field(ge=2, le=50)] = 5
    cycles: Annotated[int, Field(ge=1, le=100_000)] = 1000
    bursts: Bursts = Bursts()
    _folder: str = PrivateAttr("")

    @model_validator(mode="after")
    def _one_way(self, info: ValidationInfo) -> Self:
        ways = [self.start and self.stop, self.websocket, self.python]
        if sum(bool(way) for way in ways) != 1 or bool(self.start) != bool(self.stop):
            allowed = "one of: start with stop, websocket, python"
            raise PydanticCustomError("ways", "needs {allowed}", {"allowed": allowed})
        if self.limit is None and self.per_user is None:
            raise PydanticCustomError("limits", "needs {allowed}", {"allowed": "limit, per_user or both"})
        if isinstance(self.counter, str) != bool(self.python) and self.counter is not None:
            allowed = "{operation: ..., json: $...}, or with python the name of an attribute or a method"
            raise PydanticCustomError("counter", "counter is not {allowed}", {"allowed": allowed})
        self._folder = str((info.context or {}).get("folder", ""))
        return self

    @property
    def told_apart(self) -> bool:
        """Whether a refusal for want of a slot can be told from one for another limit."""
        return bool(self.python) or self.refused.json_path is not None

    @property
    def folder(self) -> str:
        """Where the campaign file lies: Python looks there first."""
        return self._folder

    def quick(self) -> Self:
        """Fewer cycles and rounds."""
        return self.model_copy(
            update={"cycles": min(self.cycles, QUICK_CYCLES), "rounds": min(self.rounds, 2)}
        )


class RateLimit(Settings):
    """A limit on requests: one principal of `role` does `operation`, until it is refused with 429.

    `limit` is what the service promises; we must ask faster than that to say anything.
    """

    operation: OperationName
    limit: Rate
    role: str = ""
    hold: Annotated[Duration, Field(gt=0, le=120)] = 3.0


class Fairness(Settings):
    """One principal floods with `flood` at `rate`; another does `operation` at most at the rate `calm`, which
    must be well within what one principal may.
    """

    flood: OperationName
    operation: OperationName
    role: str = ""
    rate: Rate = 150.0
    calm: Rate = 30.0
    hold: Annotated[Duration, Field(gt=0, le=120)] = 6.0
    p95: Annotated[Duration, Field(gt=0, le=60)] = 0.2


class QuotasSettings(Settings):
    """Limits that must hold: `slots` by name, the `rate` of requests, and `fairness` between principals."""

    slots: dict[str, SlotSettings] = Field(default_factory=dict, max_length=10)
    rate: RateLimit | None = None
    fairness: Fairness | None = None

    def quick(self) -> Self:
        """Shorter."""
        fairness = self.fairness and self.fairness.model_copy(update={"hold": min(self.fairness.hold, 4.0)})
        slots = {name: slot.quick() for name, slot in self.slots.items()}
        return self.model_copy(update={"slots": slots, "fairness": fairness})
