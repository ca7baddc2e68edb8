"""What the campaign file says under `sessions`."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field

from campaign.errors import ConfigurationError
from campaign.settings import Duration, OperationName, Settings
from campaign.settings.quantities import quantity_error
from campaign.target.jsonpath import compile_path
from phases.safety.cast.settings import Operations, Words

Without = Literal["expiry", "refresh", "logout", "password", "deletion"]
"""What a kind of sign-in may not have at all."""


def _path(text: str) -> str:
    try:
        compile_path(text)
    except ConfigurationError as error:
        raise quantity_error("a path such as $.messages") from error
    return text


Path = Annotated[str, AfterValidator(_path)]


class Expiring(Settings):
    """`make` are operations after which the token is good for less than `after`, which is waited for."""

    make: Operations
    after: Annotated[Duration, Field(gt=0, le=300)]


class SignIn(Settings):
    """How one role is signed in. `token` is the saved value that says who asks, `protected` an operation that
    needs it, best one whose answer holds the canary.

    `login` signs the same principal in once more. `logout`, `change_password` and `delete` end it; after
    `within` its token must be refused. `refresh` sends the saved value `refresh_token` and saves a new one.
    `lacks` names what this kind of sign-in does not have.
    """

    token: str
    protected: OperationName
    login: Operations = ()
    logout: Operations = ()
    change_password: Operations = ()
    delete: Operations = ()
    refresh: OperationName | None = None
    refresh_token: str = "refresh_token"  # noqa: S105 - the name of a saved value
    expired: Expiring | None = None
    within: Annotated[Duration, Field(ge=0, le=120)] = 1.0
    lacks: tuple[Without, ...] = ()


class Fixation(Settings):
    """A browser that has a session before it signs in: `visit` sets `cookie`, `login` is sent with it, and
    `protected` with the cookie alone.
    """

    role: str
    visit: OperationName
    cookie: str
    login: OperationName
    protected: OperationName


class IdSource(Settings):
    """How a value is made by a principal of `role`: `make` are operations that can be repeated and save it,
    `count` times. It must have `bits` bits that nobody can foresee.
    """

    role: str
    make: Operations
    count: Annotated[int, Field(ge=8, le=200)] = 16
    bits: Annotated[int, Field(ge=16, le=512)] = 64


class Assigned(Settings):
    """An operation to which fields are added that are nobody's to send, and the one by which the owner reads
    back.
    """

    role: str
    read: OperationName


class Shown(Settings):
    """Names of fields that the answer to a role may have, at any depth; empty: all but secrets."""

    role: str
    fields: Words = ()


class Forbidden(Settings):
    """Operations that a principal of this role may not do, and the role that may, which tries them too."""

    by: str
    operations: Operations


class PageSize(Settings):
    """A list asked for with `value` for its `parameter` in the query; it may give `most` of its `items`."""

    role: str
    parameter: str
    items: Path
    most: Annotated[int, Field(ge=1, le=100_000)] = 1_000
    value: Annotated[int, Field(ge=1_000)] = 1_000_000


class SessionsSettings(Settings):
    """Authentication and sessions. `sign_ins` by role; what is added to creates and updates
    (`mass_assignment`, with `fields` and their values: templates see what a stranger knows); what answers
    may show (`excessive`); what a role may not do (`functions`).
    """

    sign_ins: dict[str, SignIn] = Field(default_factory=dict, max_length=10)
    fixation: Fixation | None = None
    ids: dict[str, IdSource] = Field(default_factory=dict, max_length=20)
    mass_assignment: dict[OperationName, Assigned] = Field(default_factory=dict, max_length=30)
    fields: dict[str, Any] = Field(
        default_factory=lambda: {
            "is_admin": True,
            "role": "admin",
            "parent_id": "{{ parent_id }}",
            "consent": "granted",
            "age": 99,
            "plan": "premium",
        }
    )
    excessive: dict[OperationName, Shown] = Field(default_factory=dict, max_length=50)
    functions: dict[str, Forbidden] = Field(default_factory=dict, max_length=10)
    page_size: dict[OperationName, PageSize] = Field(default_factory=dict, max_length=20)

    @property
    def mapped(self) -> bool:
        """Whether the file says anything of it."""
        named = (self.sign_ins, self.fixation, self.ids, self.mass_assignment, self.excessive)
        return any((*named, self.functions, self.page_size))

    def quick(self) -> Self:
        """Fewer ids; all else is short."""
        ids = {name: each.model_copy(update={"count": min(each.count, 8)}) for name, each in self.ids.items()}
        return self.model_copy(update={"ids": ids})
