"""What the campaign file says of the target, as plain frozen data: picklable, so that workers get the
same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from campaign.target.journey import Node, TaskSpec, WaitSpec, operations_in


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
class RetrySpec:
    """When an operation is tried again: at most `attempts` further times, after a pause of `pause` seconds
    that doubles, for these statuses and kinds of error ("timeout", "connect", "reset").
    """

    attempts: int = 0
    pause: float = 0.1
    statuses: tuple[int | str, ...] = ()
    kinds: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class SocketSpec:
    """What is said over a WebSocket: `messages` times the text `send`, each answered within the operation's
    timeout by a message that contains `reply` (any, when empty), `pause` seconds apart; then it stays open
    for `stay` seconds and counts what the server pushes.
    """

    send: str = ""
    has_json: bool = False
    json: Any = None
    reply: str = ""
    messages: int = 1
    pause: float = 0.0
    stay: float = 0.0


@dataclass(frozen=True, slots=True)
class StreamSpec:
    """An answer whose pieces are timed one by one: `kind` is "events" (server-sent events) or "chunks".

    One that the server never ends is listened to until the text `until` comes in an event, until so many
    `events` have come, or for `at_most` seconds from the send; each of them only where it is given.
    """

    kind: str
    until: str = ""
    events: int = 0
    at_most: float = 0.0


@dataclass(frozen=True, slots=True)
class OptionsSpec:
    """How an exchange is done: timeout in seconds, redirects followed at most, largest body kept in bytes.

    `stream` is for answers that come in little by little, `socket` makes the operation a WebSocket session.
    `undo` is the operation that removes what this one made.
    """

    timeout: float = 30.0
    redirects: int = 5
    max_body: int = 16 * 2**20
    tags: frozenset[str] = frozenset()
    retry: RetrySpec = field(default_factory=RetrySpec)
    stream: StreamSpec | None = None
    socket: SocketSpec | None = None
    undo: str = ""


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
class DeviceSpec:
    """What users have in their hands: bytes per second down and up (0: no limit), and headers that say so."""

    down: float = 0.0
    up: float = 0.0
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class UserSpec:
    """A kind of user: its share among users, what it does once, then again and again by weight, and at its
    end.

    `count` is an exact number of such users, whatever the weights (None: by weight). `iterations` is how many
    tasks it does before it leaves (0: until the scenario ends). `python` is "module.Class" for a kind that is
    written in Python, found in `folder`. `regions` maps regions of the vocabulary to weights. `life` is
    "module:function" for a kind that does no requests of the target's vocabulary at all: called with
    `options` (picklable), it gives what makes the behaviour of one user (`campaign.load.life.Kind.enliven`).
    """

    name: str
    weight: float
    wait: WaitSpec
    start: tuple[Node, ...]
    tasks: Mapping[str, TaskSpec]
    stop: tuple[Node, ...] = ()
    count: int | None = None
    iterations: int = 0
    python: str = ""
    folder: str = ""
    regions: Mapping[str, float] = field(default_factory=dict)
    device: str = ""
    life: str = ""
    options: Any = None

    @property
    def bodies(self) -> tuple[Node, ...]:
        """Everything that it may do, one after the other."""
        tasks = [node for task in self.tasks.values() for node in task.body]
        return (*self.start, *tasks, *self.stop)

    @property
    def task_operations(self) -> frozenset[str]:
        """The operations of all its tasks."""
        return frozenset(name for task in self.tasks.values() for name in operations_in(task.body))

    @property
    def operations(self) -> frozenset[str]:
        """Every operation that it may do."""
        return self.task_operations | {*operations_in(self.start), *operations_in(self.stop)}


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
class ConnectionSpec:
    """How the load reaches the target: `socket` is the path of a Unix socket, `proxy` the URL of an HTTP
    proxy, `http` the version spoken (1 or 2), `most` how many connections to one host may be open at once (0:
    one per user).
    """

    socket: str = ""
    proxy: str = ""
    http: int = 1
    most: int = 0


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
    connection: ConnectionSpec = field(default_factory=ConnectionSpec)
    secrets: frozenset[str] = field(default=frozenset(), repr=False)


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What the campaign can do to the target: its operations, kinds of users and data feeds, by name.

    `regions` maps a region to the round-trip time in seconds that is added for its users: it is simulated.
    `choice` is a sentence that says which part was left out on request; "" where all of it is there.
    """

    operations: Mapping[str, OperationSpec] = field(default_factory=dict)
    users: Mapping[str, UserSpec] = field(default_factory=dict)
    feeds: Mapping[str, FeedSpec] = field(default_factory=dict)
    regions: Mapping[str, float] = field(default_factory=dict)
    devices: Mapping[str, DeviceSpec] = field(default_factory=dict)
    choice: str = ""
