"""The model of an operation: a request template and what its answer must be."""

import re
from typing import Annotated, Any, ClassVar, Self

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo, WithJsonSchema, model_validator
from pydantic.json_schema import JsonSchemaValue

from campaign.config.channels import SocketModel, StreamModel
from campaign.config.data import JsonData
from campaign.config.part import Part, ShortPart
from campaign.config.retry import RetryModel
from campaign.config.texts import (
    UPGRADE,
    ExistingFile,
    HeaderName,
    Line,
    Name,
    OperationRequest,
    Text,
    Variable,
    wrong,
)
from campaign.errors import ConfigurationError
from campaign.settings import Duration, OperationName, Size, unknown_name
from campaign.target.expression import RESERVED
from campaign.target.jsonpath import compile_path
from campaign.target.spec import (
    BodySpec,
    ExpectSpec,
    OperationSpec,
    OptionsSpec,
    PartSpec,
    RetrySpec,
    SocketSpec,
)

BODIES = ("json", "form", "multipart", "body")
_STATUS_CLASS = re.compile(r"[1-5]xx")
_STATUS_SCHEMA = {
    "anyOf": [{"type": "integer", "minimum": 100, "maximum": 599}, {"type": "string", "pattern": "^[1-5]xx$"}]
}


def _status(value: Any) -> int | str:
    text = str(value)
    if _STATUS_CLASS.fullmatch(text):
        return text
    if not isinstance(value, bool) and re.fullmatch(r"[1-5][0-9]{2}", text):
        return int(text)
    raise wrong("a status such as 200 or 2xx")


def _listed(value: Any) -> Any:
    return value if isinstance(value, list) else [value]


def _json_path(text: str) -> str:
    try:
        compile_path(text)
    except ConfigurationError as error:
        raise wrong("a JSON path such as $.items[0].id or $['the key']") from error
    return text


def _free(name: str) -> str:
    if name in RESERVED:
        raise wrong(f"a name other than {', '.join(sorted(RESERVED))}")
    return name


def _known_service(name: str, info: ValidationInfo) -> str:
    services = (info.context or {}).get("services", ())
    if name not in services:
        raise unknown_name("a service", services)
    return name


ServiceName = Annotated[str, AfterValidator(_known_service)]
Status = Annotated[int | str, BeforeValidator(_status), WithJsonSchema(_STATUS_SCHEMA)]
JsonPath = Annotated[str, AfterValidator(_json_path)]
Saved = Annotated[Variable, AfterValidator(_free)]


class ExpectModel(ShortPart):
    """What a good answer looks like; all of it must hold."""

    short_schema: ClassVar[JsonSchemaValue] = {
        "anyOf": [_STATUS_SCHEMA, {"type": "array", "items": _STATUS_SCHEMA}]
    }

    status: Annotated[
        tuple[Status, ...],
        BeforeValidator(_listed),
        WithJsonSchema({"anyOf": [_STATUS_SCHEMA, {"type": "array", "items": _STATUS_SCHEMA}]}),
    ] = ()
    json_values: dict[JsonPath, JsonData] = Field(default_factory=dict, alias="json")
    header: dict[HeaderName, Line] = Field(default_factory=dict)
    contains: Annotated[
        tuple[Text, ...],
        BeforeValidator(_listed),
        WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}),
    ] = ()
    max_size: Size = 0

    @classmethod
    def expand(cls, value: Any, info: ValidationInfo) -> Any:  # noqa: ARG003 - the shape of every part
        """`201`, `2xx` or a list of them."""
        return {"status": value}

    def spec(self) -> ExpectSpec:
        """The same as plain data; the text `...` means "must be there"."""
        wanted = {path: ... if value == "..." else value for path, value in self.json_values.items()}
        return ExpectSpec(self.status, wanted, self.header, self.contains, self.max_size)


class PartModel(ShortPart):
    """One part of a multipart body: a text, or a file."""

    short_schema: ClassVar[JsonSchemaValue] = {"type": ["string", "number", "boolean"]}

    text: Text = ""
    file: ExistingFile = ""
    filename: Line = ""
    type: Line = ""

    @classmethod
    def expand(cls, value: Any, info: ValidationInfo) -> Any:  # noqa: ARG003 - the shape of every part
        """The text alone."""
        return {"text": value}

    @model_validator(mode="after")
    def _one_content(self) -> Self:
        if self.file and "text" in self.model_fields_set:
            raise wrong("one of text and file", found="text and file")
        return self

    def spec(self, name: str) -> PartSpec:
        """The same as plain data."""
        return PartSpec(name, self.text, self.file, self.filename, self.type)


class OperationModel(Part):
    """A request template and what its answer must be; texts may hold `{{ expressions }}`."""

    null_keys: ClassVar[frozenset[str]] = frozenset({"json"})

    request: OperationRequest
    service: ServiceName = ""
    query: dict[str, Text] = Field(default_factory=dict)
    headers: dict[HeaderName, Line] = Field(default_factory=dict)
    auth: Line = ""
    json_body: JsonData = Field(default=None, alias="json")
    form: dict[str, Text] = Field(default_factory=dict)
    multipart: dict[Line, PartModel] = Field(default_factory=dict)
    body: Text = ""
    expect: ExpectModel = ExpectModel()
    save: dict[Saved, JsonPath] = Field(default_factory=dict)
    timeout: Duration = 30.0
    redirects: int = Field(default=5, ge=0, le=20)
    max_body: Size = 16 * 2**20
    tags: tuple[Name, ...] = ()
    undo: OperationName = ""
    retry: RetryModel | None = None
    stream: StreamModel | None = None
    websocket: SocketModel | None = None

    @model_validator(mode="after")
    def _sound(self) -> Self:
        bodies = [key for key in BODIES if ("json_body" if key == "json" else key) in self.model_fields_set]
        if len(bodies) > 1:
            raise wrong(f"one of {', '.join(BODIES)}", found=" and ".join(bodies))
        if not self.timeout or not self.max_body:
            raise wrong("a timeout and a max_body above 0", found="a limit of 0")
        if self.stream and self.stream.at_most >= self.timeout:
            raise wrong("a timeout longer than the stream's at_most", found="a timeout that comes first")
        return self

    @model_validator(mode="after")
    def _upgrades_or_not(self) -> Self:
        bodies = [key for key in BODIES if ("json_body" if key == "json" else key) in self.model_fields_set]
        if self.websocket and not self.is_socket:
            raise wrong(
                "a request such as WS /path beside websocket", found=f"websocket beside {self.request}"
            )
        if bodies and self.is_socket:
            raise wrong("send or json under websocket", found=f"{bodies[0]} beside {self.request}")
        if self.stream and self.is_socket:
            raise wrong("an HTTP request beside stream", found=f"stream beside {self.request}")
        return self

    @property
    def is_socket(self) -> bool:
        """Whether it opens a WebSocket."""
        return self.request.startswith(f"{UPGRADE} ")

    def spec(self, name: str) -> OperationSpec:
        """The same as plain data."""
        method, _, path = self.request.partition(" ")
        return OperationSpec(
            name,
            "GET" if self.is_socket else method,
            path,
            service=self.service,
            query=self.query,
            headers=self.headers,
            auth=self.auth,
            body=self._body(),
            expect=self.expect.spec(),
            save=self.save,
            options=OptionsSpec(
                self.timeout,
                self.redirects,
                self.max_body,
                frozenset(self.tags),
                undo=self.undo,
                retry=self.retry.spec() if self.retry else RetrySpec(),
                stream=self.stream.spec() if self.stream else None,
                socket=self._socket(),
            ),
        )

    def _socket(self) -> SocketSpec | None:
        return (self.websocket or SocketModel()).spec() if self.is_socket else None

    def _body(self) -> BodySpec:
        parts = tuple(part.spec(name) for name, part in self.multipart.items())
        return BodySpec("json_body" in self.model_fields_set, self.json_body, self.form, parts, self.body)
