"""What the campaign file says under `parties`."""

from typing import Annotated, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from campaign.settings import Duration, Settings
from phases.safety.cast.settings import Operations, Words


class Party(Settings):
    """A third party that is declared: its `hosts` ("speech.example", "*.speech.example"). `integral`: without
    it there is no service. `forward`: calls to it are passed on (it must be in target.allow_hosts,
    unless it is loopback or private); what is not passed on is answered with 502.
    """

    hosts: Annotated[Words, Field(min_length=1)]
    integral: bool = False
    forward: bool = False


class Notice(Settings):
    """The online notice: `url`, a path or a whole address, which answers without a login, has the `phrases`
    and names every party that is declared.
    """

    url: Annotated[str, Field(pattern=r"^(/|https?://)")]
    phrases: Words = ()


class PartiesSettings(Settings):
    """Third parties. `listen` is the port of 127.0.0.1 where we record outgoing calls: the target must be
    started with HTTP_PROXY and HTTPS_PROXY set to http://127.0.0.1:PORT.

    A principal of `role`, whose consent is to collection alone, does `use`; after `consent`, the operations
    that allow disclosure too, the same again. What is called within `settle` after an answer belongs to it.
    """

    listen: Annotated[int | None, Field(ge=1024, le=65_535)] = None
    declared: dict[str, Party] = Field(default_factory=dict, max_length=50)
    role: str = ""
    use: Operations = ()
    consent: Operations = ()
    settle: Annotated[Duration, Field(gt=0, le=60)] = 1.0
    notice: Notice | None = None

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.listen is not None and not self.use:
            raise PydanticCustomError("use", "needs {allowed}", {"allowed": "`use` beside `listen`"})
        return self

    def party_of(self, host: str) -> str | None:
        """The name of the declared party that the host belongs to."""
        return next((name for name, party in self.declared.items() if any(
            _is_host(host, each) for each in party.hosts)), None)  # fmt: skip


def _is_host(host: str, pattern: str) -> bool:
    """Whether the host is this one, or with "*." in front one below it."""
    host, pattern = host.rstrip(".").lower(), pattern.rstrip(".").lower()
    return host.endswith(pattern[1:]) if pattern.startswith("*.") else host == pattern
