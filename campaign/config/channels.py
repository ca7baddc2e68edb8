"""The models of what is more than one request and one answer: streamed answers, WebSocket sessions."""

from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import AfterValidator, Field, ValidationInfo, model_validator
from pydantic.json_schema import JsonSchemaValue

from campaign.config.data import JsonData
from campaign.config.part import Part, ShortPart
from campaign.config.texts import Text, wrong
from campaign.settings import Duration
from campaign.target.spec import SocketSpec, StreamSpec

MOST_MESSAGES = 1_000_000

MOST_EVENTS = 1_000_000

LONGEST_UNTIL = 1_000
"""Characters of the text that ends a stream."""


def _short(text: str) -> str:
    if not 0 < len(text) <= LONGEST_UNTIL:
        raise wrong(f"a text of 1 to {LONGEST_UNTIL} characters")
    return text


class StreamModel(ShortPart):
    """An answer that comes in little by little; the other keys are for one that the server never ends."""

    short_schema: ClassVar[JsonSchemaValue] = {"enum": ["events", "chunks"]}

    kind: Literal["events", "chunks"] = "events"
    until: Annotated[Text, AfterValidator(_short)] = ""
    events: int = Field(default=0, ge=1, le=MOST_EVENTS)
    at_most: Duration = 0.0

    @classmethod
    def expand(cls, value: Any, info: ValidationInfo) -> Any:  # noqa: ARG003 - the shape of every part
        """The kind alone."""
        return {"kind": value}

    def spec(self) -> StreamSpec:
        """The same as plain data."""
        return StreamSpec(self.kind, self.until, self.events, self.at_most)


class SocketModel(Part):
    """What is said over a WebSocket."""

    null_keys: ClassVar[frozenset[str]] = frozenset({"json"})

    send: Text = ""
    json_body: JsonData = Field(default=None, alias="json")
    reply: Text = ""
    messages: int = Field(default=1, ge=1, le=MOST_MESSAGES)
    pause: Duration = 0.0
    stay: Duration = 0.0

    @model_validator(mode="after")
    def _sound(self) -> Self:
        given = self.model_fields_set
        if self.send and "json_body" in given:
            raise wrong("one of send and json", found="send and json")
        if not self.send and "json_body" not in given and {"messages", "reply", "pause"} & given:
            raise wrong("send or json beside messages, reply and pause", found="nothing to send")
        return self

    def spec(self) -> SocketSpec:
        """The same as plain data."""
        return SocketSpec(
            self.send,
            has_json="json_body" in self.model_fields_set,
            json=self.json_body,
            reply=self.reply,
            messages=self.messages,
            pause=self.pause,
            stay=self.stay,
        )
