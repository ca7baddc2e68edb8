"""What the campaign file says under `retention`."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, PlainSerializer, WithJsonSchema

from campaign.settings import Duration, OperationName, Settings, write_duration
from campaign.settings.quantities import DURATION_PATTERN, read_quantity
from campaign.units import DURATION, parse_duration
from phases.safety.cast.settings import Operations, Words

LONGEST = 100 * 366 * 86_400.0
ACCOUNT = "account"
"""The age of what is kept as long as the account is there."""


def _read_keep(value: object) -> object:
    if value == ACCOUNT:
        return value
    allowed = f"{DURATION}, or the word {ACCOUNT}"
    return read_quantity(value, parse_duration, allowed=allowed, most=LONGEST)


def _write_keep(value: float | str) -> str:
    return value if isinstance(value, str) else write_duration(value)


Keep = Annotated[
    float | Literal["account"],
    BeforeValidator(_read_keep),
    PlainSerializer(_write_keep),
    WithJsonSchema({"type": "string", "pattern": f"^({DURATION_PATTERN}|{ACCOUNT})$"}),
]


class RetentionClass(Settings):
    """How long the rows of a table are kept at most, by the moment in `column` (found by its name where none
    is given). `account`: as long as the account is there.
    """

    keep: Keep
    column: str = ""


def _whole(value: Any) -> Any:
    return value if isinstance(value, dict) else {"keep": value}


class RetentionPurge(Settings):
    """What removes old rows: `operation` (done once a second) or `command`, or the target by itself.

    To try it, rows of an account of our own are dated back in the target's database.
    """

    operation: OperationName | None = None
    command: str = ""
    within: Annotated[Duration, Field(gt=0, le=86400)] = 15.0


class RetentionSettings(Settings):
    """The policy, and what is asked for. `policy` maps a table to how long its rows are kept; `expiring` are
    patterns of Redis keys that must all have an end (`session:*`).

    `role` is made afresh. `optional` maps an operation to fields of its JSON that may be left out; `works`
    are operations that must go well without them. `extra` are operations that are sent fields nobody asked
    for. `data_map` declares which columns of a table (or fields, under `redis`) hold personal data.
    """

    role: str = ""
    policy: dict[str, Annotated[RetentionClass, BeforeValidator(_whole)]] = Field(
        default_factory=dict, max_length=200
    )
    purge: RetentionPurge | None = None
    expiring: Words = ()
    optional: dict[OperationName, Words] = Field(default_factory=dict, max_length=50)
    works: Operations = ()
    extra: Operations = ()
    data_map: dict[str, Words] = Field(default_factory=dict, max_length=500)

    def quick(self) -> "RetentionSettings":
        """Without the purge, which is waited for."""
        return self.model_copy(update={"purge": None})
