"""What the campaign file gives for a role, by which it can be broken: a process, commands, a route."""

from __future__ import annotations

import re
from typing import Annotated, Self

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from campaign.settings import Settings
from campaign.settings.quantities import quantity_error

_ADDRESS = re.compile(r"(?P<host>\[[0-9a-fA-F:]+\]|[A-Za-z0-9._-]+):(?P<port>\d{1,5})")
LARGEST_PORT = 65_535

RoleName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_-]{0,79}$")]
"""The name of a part of the target: `service`, `database`, `cache`, or one of the user's own."""


def _command(value: str) -> str:
    if "\0" in value:
        raise quantity_error("a command without NUL characters, which no shell takes")
    return value


Command = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=4000), AfterValidator(_command)
]
"""A command for the shell of the machine that the campaign runs on."""


def _address(value: object) -> object:
    found = _ADDRESS.fullmatch(value) if isinstance(value, str) else None
    if found is None or not 0 < int(found["port"]) <= LARGEST_PORT:
        raise quantity_error("an address such as 127.0.0.1:6432")
    return value


AddressText = Annotated[str, BeforeValidator(_address)]
"""HOST:PORT."""


def split_address(text: str) -> tuple[str, int]:
    """Host and port of an `AddressText`."""
    host, _, port = text.rpartition(":")
    return host.strip("[]"), int(port)


class ProcessSettings(Settings):
    """A process by exactly one of `pid_file`, `port` (who listens there) and `pid`.

    `start` is the shell command that starts it again; `supervised` says that something else does.
    """

    pid_file: str = ""
    port: int = Field(default=0, ge=0, le=LARGEST_PORT)
    pid: int = Field(default=0, ge=0)
    start: Command | None = None
    supervised: bool = False

    @model_validator(mode="after")
    def _found_in_one_way(self) -> Self:
        if sum(map(bool, (self.pid_file, self.port, self.pid))) != 1:
            raise PydanticCustomError(
                "process", "needs {allowed}", {"allowed": "exactly one of pid_file, port and pid"}
            )
        if not self.supervised and self.start is None:
            allowed = "start, the command that starts it again, or supervised: true where something else does"
            raise PydanticCustomError("process", "needs {allowed}", {"allowed": allowed})
        return self


class CommandSettings(Settings):
    """Commands of the user's: `break` breaks it, `heal` puts it back, `check` exits with 0 if it is whole."""

    breaks: Command = Field(alias="break")
    heal: Command
    check: Command | None = None


class RouteSettings(Settings):
    """A way that we control: the target connects to `listen`, and all it says is passed on to `to`."""

    listen: AddressText
    to: AddressText

    @model_validator(mode="after")
    def _two_ends(self) -> Self:
        if self.listen == self.to:
            raise PydanticCustomError(
                "route", "needs {allowed}", {"allowed": "two addresses: listen and to must differ"}
            )
        return self
