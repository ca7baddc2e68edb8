"""What the campaign file says of the target, as plain frozen data: picklable, so that workers get the
same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class TlsSpec:
    """How TLS peers are checked; paths are absolute, empty means the system's own."""

    verify: bool = True
    ca: str = ""
    certificate: str = ""
    key: str = ""


@dataclass(frozen=True, slots=True)
class ServiceSpec:
    """One host that operations may name: its base URL, and an `auth` template that its operations share."""

    url: str
    auth: str = ""


@dataclass(frozen=True, slots=True)
class PartSpec:
    """One part of a multipart body: a template text, or the bytes of `file` (absolute path)."""

    name: str
    text: str = ""
    file: str = ""
    filename: str = ""
    content_type: str = ""


@dataclass(frozen=True, slots=True)
class BodySpec:
    """A request body: at most one of `json` (has_json says so, as null is a body too), form, multipart,
    raw.
    """

    has_json: bool = False
    json: Any = None
    form: Mapping[str, str] = field(default_factory=dict)
    multipart: tuple[PartSpec, ...] = ()
    raw: str = ""


@dataclass(frozen=True, slots=True)
class ExpectSpec:
    """What a good answer looks like; all of it must hold.

    `status` holds exact codes and classes ("2xx"); empty means any 2xx or 3xx. `json` maps a JSON path to a
    wanted value, or to `...` (Ellipsis) for "must be there". `headers` maps a name to a text it must
    contain. `max_size` in bytes, 0: none.
    """

    status: tuple[int | str, ...] = ()
    json: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    contains: tuple[str, ...] = ()
    max_size: int = 0


@dataclass(frozen=True, slots=True)
class OptionsSpec:
    """How an exchange is done: timeout in seconds, redirects followed at most, largest body kept in bytes."""

    timeout: float = 30.0
    redirects: int = 5
    max_body: int = 16 * 2**20
    tags: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class OperationSpec:
    """A request template and what its answer must be; texts may hold `{{ expressions }}`.

    `service` "" is the target itself. `auth` becomes `Authorization: Bearer <auth>` unless it already
    names a scheme (contains a space). `save` maps a variable to the JSON path of its value in the answer.
    """

    name: str
    method: str
    path: str
    service: str = ""
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    auth: str = ""
    body: BodySpec = field(default_factory=BodySpec)
    expect: ExpectSpec = field(default_factory=ExpectSpec)
    save: Mapping[str, str] = field(default_factory=dict)
    options: OptionsSpec = field(default_factory=OptionsSpec)


@dataclass(frozen=True, slots=True)
class WaitSpec:
    """Think time between tasks: uniform between two numbers of seconds."""

    low: float = 0.0
    high: float = 0.0


@dataclass(frozen=True, slots=True)
class UserSpec:
    """A kind of user: its share among users, what it does once, and then again and again by weight."""

    name: str
    weight: float
    wait: WaitSpec
    start: tuple[str, ...]
    tasks: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class FeedSpec:
    """A data feed: values (texts, or mappings whose keys are read as `name.key`) and their order.

    `order`: "in_turn" (user k starts at item k, then goes on), "per_user" (user k
    always has item k), "random" (seeded per user), "once" (no item
    is given twice over all users and workers; an exhausted feed stops the user that asked).
    """

    name: str
    values: tuple[Any, ...]
    order: str = "in_turn"


@dataclass(frozen=True, slots=True)
class TargetSpec:
    """The system under test. Users and feeds belong to it because they speak its vocabulary.

    `allow_hosts` are names or addresses that may get traffic though they are not loopback or private.
    `containers` maps a role to a container name. `secrets` are texts that must never be shown.
    """

    url: str
    environment: str = "staging"
    services: Mapping[str, ServiceSpec] = field(default_factory=dict)
    health: str = ""
    metrics: str = ""
    stores: Mapping[str, str] = field(default_factory=dict)
    containers: Mapping[str, str] = field(default_factory=dict)
    allow_hosts: frozenset[str] = frozenset()
    headers: Mapping[str, str] = field(default_factory=dict)
    tls: TlsSpec = field(default_factory=TlsSpec)
    secrets: frozenset[str] = field(default=frozenset(), repr=False)


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What the campaign can do to the target: its operations, kinds of users and data feeds, by name."""

    operations: Mapping[str, OperationSpec] = field(default_factory=dict)
    users: Mapping[str, UserSpec] = field(default_factory=dict)
    feeds: Mapping[str, FeedSpec] = field(default_factory=dict)
