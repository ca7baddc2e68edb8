"""The model of `retry`: when an operation is tried again."""

import re
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, WithJsonSchema

from campaign.config.part import Part
from campaign.config.texts import wrong
from campaign.settings import Duration
from campaign.target.spec import RetrySpec

KINDS = ("timeout", "connect", "reset")
"""Errors that may be worth another try."""

_STATUS = re.compile(r"[1-5][0-9]{2}")
_CLASS = re.compile(r"[1-5]xx")


def _cause(value: Any) -> int | str:
    text = str(value)
    if text in KINDS or _CLASS.fullmatch(text):
        return text
    if not isinstance(value, bool) and _STATUS.fullmatch(text):
        return int(text)
    raise wrong("a status such as 503 or 5xx, or one of timeout, connect, reset", names=KINDS)


def _listed(value: Any) -> Any:
    return value if isinstance(value, list) else [value]


Cause = Annotated[
    int | str,
    BeforeValidator(_cause),
    WithJsonSchema(
        {"anyOf": [{"type": "integer"}, {"type": "string", "pattern": f"^([1-5]xx|{'|'.join(KINDS)})$"}]}
    ),
]


class RetryModel(Part):
    """When an operation is tried again, and after which pause; the pause doubles with each attempt."""

    attempts: int = Field(default=1, ge=1, le=10)
    on: Annotated[tuple[Cause, ...], BeforeValidator(_listed), Field(min_length=1)]
    pause: Annotated[Duration, Field(le=60)] = 0.1

    def spec(self) -> RetrySpec:
        """The same as plain data."""
        kinds = frozenset(str(each) for each in self.on if each in KINDS)
        statuses = tuple(each for each in self.on if each not in KINDS)
        return RetrySpec(self.attempts, self.pause, statuses, kinds)
