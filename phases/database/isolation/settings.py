"""What the campaign file says under `isolation`."""

from typing import Annotated, Any, Literal, Self, get_args

from pydantic import BeforeValidator, Field, GetJsonSchemaHandler, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from campaign.settings import Settings, unknown_name
from phases.database.isolation.anomalies import FORBIDDEN
from phases.database.mistakes import known

LevelName = Literal[
    "read uncommitted", "read committed", "repeatable read", "serializable",
    "deferred", "immediate", "python default",
]  # fmt: skip
LEVELS: tuple[LevelName, ...] = get_args(LevelName)


def _listed(value: object) -> object:
    return [value] if isinstance(value, str) else value


def _requirement(value: object) -> object:
    if not isinstance(value, str) or value not in FORBIDDEN:
        raise unknown_name("a requirement", FORBIDDEN)
    return value


Requirement = Annotated[str, BeforeValidator(_requirement)]


class IsolationSettings(Settings):
    """What concurrent transactions may do to each other, at each level that the database offers.

    `require` is what the service relies on: a level, "no lost update", "no write skew" or anomalies by name.
    It is held against the `level` that the service uses (the server's default). `levels` are those that are
    looked at (all), idle and, unless `load` says no, under load `repeats` times.
    """

    require: Annotated[tuple[Requirement, ...], BeforeValidator(_listed)] = ()
    level: Annotated[LevelName | Literal[""], BeforeValidator(known("a level", LEVELS))] = ""
    levels: Annotated[tuple[LevelName, ...], BeforeValidator(_listed)] = ()
    load: bool = True
    repeats: int = Field(default=3, ge=1, le=100)

    @model_validator(mode="before")
    @classmethod
    def _from_text(cls, value: Any) -> Any:
        """A requirement alone, or a list of them."""
        return {"require": value} if isinstance(value, str | list) else value

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Offer the requirement alone as well as the mapping."""
        mapping: dict[str, Any] = handler.resolve_ref_schema(handler(schema))
        text = {"type": "string", "enum": list(FORBIDDEN)}
        return {"anyOf": [text, {"type": "array", "items": text}, mapping]}

    def quick(self) -> Self:
        """Idle alone."""
        return self.model_copy(update={"load": False})

    @property
    def seconds(self) -> float:
        """How long it takes, about."""
        return 3.0 + (4.0 * self.repeats if self.load else 0.0)
