"""The models that all parts of a campaign file extend."""

from collections.abc import Mapping
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, GetJsonSchemaHandler, ValidationInfo, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema


class Part(BaseModel):
    """A mapping with known keys; a key without a value (`metrics:`) is as good as no key.

    `null_keys` are those for which nothing is a value.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)
    null_keys: ClassVar[frozenset[str]] = frozenset()

    @model_validator(mode="before")
    @classmethod
    def _without_nothing(cls, value: Any, info: ValidationInfo) -> Any:
        whole = value if isinstance(value, Mapping | BaseModel) else cls.expand(value, info)
        if not isinstance(whole, Mapping):
            return whole
        return {key: each for key, each in whole.items() if each is not None or key in cls.null_keys}

    @classmethod
    def expand(cls, value: Any, info: ValidationInfo) -> Any:  # noqa: ARG003 - some parts need the folder
        """The mapping that a short form stands for; by itself a part has none."""
        return value


class ShortPart(Part):
    """A part that may also be written shorter; `short_schema` is the JSON Schema of that form."""

    short_schema: ClassVar[JsonSchemaValue]

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Either form."""
        return {"anyOf": [cls.short_schema, handler.resolve_ref_schema(handler(schema))]}
