"""What the campaign file says of who there is, what they own, and who may do what."""

from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator
from pydantic_core import PydanticCustomError

from campaign.settings import OperationName, Settings, unknown_name

ANONYMOUS = "anonymous"
"""The role of somebody who never signed in; it is always there."""

Verb = Literal["read", "list", "search", "export", "update", "delete", "write", "websocket", "batch"]
"""What may be done to what somebody owns, by the key of the resource that names its operation."""

VERBS: tuple[Verb, ...] = (
    "read", "list", "search", "export", "update", "delete", "write", "websocket", "batch",
)  # fmt: skip
CHANGES: frozenset[Verb] = frozenset({"update", "delete", "write", "websocket", "batch"})
"""Verbs after which the owner looks whether anything changed."""


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


def _one_or_several(item: dict[str, str]) -> WithJsonSchema:
    return WithJsonSchema({"anyOf": [item, {"type": "array", "items": item}]})


Operations = Annotated[
    tuple[OperationName, ...],
    BeforeValidator(_listed),
    _one_or_several({"type": "string", "x-name-of": "operations"}),
]
"""Operations in turn; one may stand alone."""

Words = Annotated[tuple[str, ...], BeforeValidator(_listed), _one_or_several({"type": "string"})]
"""Texts; one may stand alone."""


class RoleSettings(Settings):
    """How a principal of a role is made: `start` in turn, `stop` at the end.

    `credentials` are the saved values that say who asks (those of the role that it is `of`, where none are
    named). `auth` is a template that stands for the
    Authorization of everything that it sends, whatever the operation says ("{{ toy_token }}"). `of` names
    the role that it belongs to: it is made `count` times for each of those, and begins with their values. A
    role of its own is made once for each of `families` (A, B, ...). `revoked` are operations that end its
    rights after it was made (an ex-parent); `user` is the user.number of the first one.
    """

    start: Operations = ()
    stop: Operations = ()
    revoked: Operations = ()
    credentials: Words = ()
    auth: str | None = None
    of: str = ""
    count: Annotated[int, Field(ge=1, le=20)] = 1
    families: Annotated[int, Field(ge=1, le=5)] = 2
    user: Annotated[int | None, Field(ge=1)] = None


class ResourceSettings(Settings):
    """Something that a principal of the role `owner` has: `ids` are the saved values that say whose it is.

    `create` are operations that make it and put the owner's canary in it, where `start` of the role does not.
    The other keys name the operation for each verb. `count` is a JSON path of how many a list shows.
    """

    owner: str
    ids: Words
    create: Operations = ()
    read: OperationName | None = None
    list: OperationName | None = None
    search: OperationName | None = None
    export: OperationName | None = None
    update: OperationName | None = None
    delete: OperationName | None = None
    write: OperationName | None = None
    websocket: OperationName | None = None
    batch: OperationName | None = None
    tables: Words = ()

    def operation(self, verb: Verb) -> str | None:
        """The operation that does it, None where the file names none."""
        found: str | None = getattr(self, verb)
        return found

    @property
    def verbs(self) -> tuple[Verb, ...]:
        """What the file says can be done to it."""
        return tuple(verb for verb in VERBS if self.operation(verb))


class Allowed(Settings):
    """What one role may do: to what is its `own`, to that of its `family`, and to `all`."""

    own: Annotated[tuple[Verb, ...], BeforeValidator(_listed)] = ()
    family: Annotated[tuple[Verb, ...], BeforeValidator(_listed)] = ()
    all: Annotated[tuple[Verb, ...], BeforeValidator(_listed)] = ()


class CastSettings(Settings):
    """Roles, resources and who may do what; what is not allowed is forbidden."""

    roles: dict[str, RoleSettings] = Field(default_factory=dict, max_length=20)
    resources: dict[str, ResourceSettings] = Field(default_factory=dict, max_length=50)
    allow: dict[str, Allowed] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _known_roles(self) -> Self:
        known = {*self.roles, ANONYMOUS}
        for name, role in self.roles.items():
            if role.of and role.of not in self.roles:
                raise unknown_name(f"a role (of, in roles.{name})", known)
            if role.of and self.roles[role.of].of:
                allowed = "a role that is `of` one that stands for itself"
                raise PydanticCustomError("depth", "needs {allowed}", {"allowed": allowed})
        for name, resource in self.resources.items():
            if resource.owner not in self.roles:
                raise unknown_name(f"a role (owner, in resources.{name})", known)
        for name in self.allow:
            if name not in known:
                raise unknown_name("a role (in allow)", known)
        return self
