"""The models of a campaign file and its parts; each phase's settings are checked by the phase's own model."""

from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo, model_validator
from pydantic.json_schema import JsonSchemaValue

from campaign.config.alerts import AlertModel
from campaign.config.feeds import FeedModel
from campaign.config.network import MOST_CONNECTIONS, DeviceModel, ProxyUrl, RoundTrip, SocketPath
from campaign.config.operations import OperationModel, Saved
from campaign.config.part import Part, ShortPart
from campaign.config.tasks import Weight
from campaign.config.texts import (
    BaseUrl,
    ExistingFile,
    HeaderName,
    HealthRequest,
    Host,
    Line,
    MetricsAddress,
    Name,
    StoreUrl,
    Title,
    WebhookUrl,
    wrong,
)
from campaign.config.users import UserModel
from campaign.scoring import DEFAULT_REQUIRED, DEFAULT_WEIGHTS, Policy
from campaign.settings import Duration, unknown_name
from campaign.target.spec import ConnectionSpec, ServiceSpec, TargetSpec, TlsSpec

ALL = "all"
"""What limits call all operations together, so no operation can have this name."""

MOST_NAMES = 1000
"""Operations, kinds of users or feeds of one campaign."""


def _operation_name(name: str) -> str:
    if name == ALL:
        raise wrong("another name; 'all' stands for all operations")
    return name


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


def _phase_name(name: str, info: ValidationInfo) -> str:
    names = {*DEFAULT_WEIGHTS, *(info.context or {}).get("phases", ())}
    if name not in names:
        raise unknown_name("a phase", names)
    return name


def _some_weight(users: dict[str, Any]) -> dict[str, Any]:
    if users and not any(user.weight or user.count for user in users.values()):
        raise wrong("a weight above 0 for at least one kind of user", found="only weights of 0")
    return users


def _not_undone_by_itself(operations: dict[str, Any]) -> dict[str, Any]:
    for name, operation in operations.items():
        if operation.undo == name:
            raise wrong(
                "another operation as the undo of each, one that deletes what it makes",
                found=f"{name} as its own undo",
            )
    return operations


OwnOperationName = Annotated[Name, AfterValidator(_operation_name)]
PhaseName = Annotated[str, AfterValidator(_phase_name)]


class ServiceModel(ShortPart):
    """A further host that operations may name."""

    short_schema: ClassVar[JsonSchemaValue] = {"type": "string"}

    url: BaseUrl
    auth: Line = ""

    @classmethod
    def expand(cls, value: Any, info: ValidationInfo) -> Any:  # noqa: ARG003 - the shape of every part
        """The URL alone."""
        return {"url": value}


class TlsModel(Part):
    """How TLS peers are checked, and who we say we are."""

    verify: bool = True
    ca: ExistingFile = ""
    certificate: ExistingFile = ""
    key: ExistingFile = ""

    @model_validator(mode="after")
    def _key_with_certificate(self) -> Self:
        if self.key and not self.certificate:
            raise wrong("a certificate together with its key", found="a key without a certificate")
        return self


def _given(value: object) -> object:
    """A mapping without its empty values: `database: ${DATABASE_CONTAINER:-}` is as good as no key."""
    return (
        {name: each for name, each in value.items() if each is not None} if isinstance(value, dict) else value
    )


class TargetModel(Part):
    """The system under test."""

    url: BaseUrl
    environment: Line = "staging"
    services: dict[Name, ServiceModel] = Field(default_factory=dict)
    health: HealthRequest = ""
    metrics: MetricsAddress = ""
    database: StoreUrl = ""
    redis: StoreUrl = ""
    containers: Annotated[dict[Name, Line], BeforeValidator(_given)] = Field(default_factory=dict)
    allow_hosts: Annotated[tuple[Host, ...], BeforeValidator(_listed)] = ()
    headers: dict[HeaderName, Line] = Field(default_factory=dict)
    tls: TlsModel = TlsModel()
    socket: SocketPath = ""
    proxy: ProxyUrl = ""
    connections: int = Field(default=0, ge=1, le=MOST_CONNECTIONS)
    http: Literal[1, 2] = 1

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if self.socket and self.proxy:
            raise wrong("one of socket and proxy", found="socket and proxy")
        if self.http != 1 and self.proxy and self.url.startswith("http:"):
            raise wrong(
                "an https url (HTTP/2 goes through a proxy over https only)", found="http: 2 with a proxy"
            )
        return self

    def spec(self) -> TargetSpec:
        """The same as plain data."""
        stores = {"database": self.database, "redis": self.redis}
        return TargetSpec(
            url=self.url,
            environment=self.environment,
            services={name: ServiceSpec(each.url, each.auth) for name, each in self.services.items()},
            health=self.health,
            metrics=self.metrics,
            stores={name: url for name, url in stores.items() if url},
            containers=self.containers,
            allow_hosts=frozenset(self.allow_hosts),
            headers=self.headers,
            tls=TlsSpec(self.tls.verify, self.tls.ca, self.tls.certificate, self.tls.key),
            connection=ConnectionSpec(self.socket, self.proxy, http=self.http, most=self.connections),
        )


class ScoringModel(Part):
    """What counts how much, and what is enough."""

    weights: dict[PhaseName, Weight] = Field(default_factory=dict)
    required: tuple[PhaseName, ...] = DEFAULT_REQUIRED
    pass_mark: float = Field(default=80.0, ge=0, le=100, alias="pass")

    @model_validator(mode="after")
    def _counts_something(self) -> Self:
        if not any({**DEFAULT_WEIGHTS, **self.weights}.values()):
            raise wrong("at least one weight above 0", found="only weights of 0")
        return self

    def policy(self) -> Policy:
        """The same for the scoring functions; weights that the file does not name keep their defaults."""
        return Policy({**DEFAULT_WEIGHTS, **self.weights}, self.required, self.pass_mark)


class MonitorModel(Part):
    """How closely we watch the machine, the target's process and ourselves."""

    interval: Annotated[Duration, Field(ge=0.1, le=60)] = 1.0
    alerts: dict[Name, AlertModel] = Field(default_factory=dict, max_length=MOST_NAMES)


AlertKind = Literal["violation", "alert"]
"""What people may want to hear at once, or end a campaign for."""


class NotifyModel(Part):
    """Who is told outside, and of what: `webhook` gets `{"text": ...}`, as Slack takes it."""

    webhook: WebhookUrl = ""
    on: Annotated[list[AlertKind | Literal["ended"]], BeforeValidator(_listed)] = Field(
        default=["violation", "alert", "ended"], min_length=1
    )


class CampaignModel(Part):
    """A whole campaign file; `phases` are only named here."""

    name: Title
    target: TargetModel
    operations: Annotated[dict[OwnOperationName, OperationModel], AfterValidator(_not_undone_by_itself)] = (
        Field(default_factory=dict, max_length=MOST_NAMES)
    )
    users: Annotated[dict[Name, UserModel], AfterValidator(_some_weight)] = Field(
        default_factory=dict, max_length=MOST_NAMES
    )
    regions: dict[Name, RoundTrip] = Field(default_factory=dict, max_length=MOST_NAMES)
    devices: dict[Name, DeviceModel] = Field(default_factory=dict, max_length=MOST_NAMES)
    data: dict[Saved, FeedModel] = Field(default_factory=dict, max_length=MOST_NAMES)
    phases: dict[Name, Any] = Field(min_length=1)
    scoring: ScoringModel = ScoringModel()
    monitor: MonitorModel = MonitorModel()
    notify: NotifyModel = NotifyModel()
    stop_on: Annotated[list[AlertKind], BeforeValidator(_listed)] = Field(default_factory=list)
