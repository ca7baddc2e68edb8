"""What the campaign file says under `crowd`."""

from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from campaign.settings import Duration, Settings, Share, UserName


def _listed(value: object) -> object:
    return [value] if isinstance(value, str) else value


class CrowdCommand(Settings):
    """Your own shell commands: what breaks a part, what heals it, and what exits with 0 while it is whole."""

    breaks: Annotated[str, Field(alias="break", min_length=1)]
    heal: Annotated[str, Field(min_length=1)]
    check: Annotated[str, Field(min_length=1)]


class CrowdFault(Settings):
    """A fault in the middle of the crowd, which `lasts` so long and is put back: `kind` on a container of the
    target (`on`), or a pair of commands of yours; without either, the target's process on this machine stands
    still.
    """

    kind: Literal["pause", "stop", "kill", "restart", "disconnect"] = "pause"
    on: str = ""
    command: CrowdCommand | None = None
    lasts: Annotated[Duration, Field(gt=0, le=60)] = 3.0

    @model_validator(mode="after")
    def _one_means(self) -> Self:
        if self.command is not None and self.on:
            raise PydanticCustomError("means", "needs {allowed}", {"allowed": "either `on` or `command`"})
        if not self.on and self.command is None and self.kind != "pause":
            allowed = "`on`, a container of the target, for any other kind than pause"
            raise PydanticCustomError("means", "needs {allowed}", {"allowed": allowed})
        return self

    @property
    def own_target(self) -> bool:
        """Whether it is the target's own process, and nothing else, that is meant."""
        return not self.on and self.command is None


AROUND = 3.0
"""Seconds of the crowd before a fault, and after it."""


class CrowdSettings(Settings):
    """Many children at once. `kinds` are kinds of users of the campaign file whose operations send
    `{{ canary }}`, each with an account of its own.

    Half of `hold` they say what they would say; in the other half all say the same at the same moment, so
    that keys of caches collide. `disconnects` is the share of requests whose user hangs up in mid-answer:
    that is how answers get into the wrong hands. `during_fault` allows a third time, with a fault in its
    middle; then the phase breaks something on purpose, and asks before it begins.
    """

    kinds: Annotated[tuple[UserName, ...], BeforeValidator(_listed)] = ()
    users: Annotated[int, Field(ge=2, le=1000)] = 20
    hold: Annotated[Duration, Field(gt=0, le=3600)] = 20.0
    disconnects: Annotated[Share, Field(ge=0, le=0.5)] = 0.02
    during_fault: CrowdFault | bool = False

    @property
    def fault(self) -> CrowdFault | None:
        """What is to be broken; None where nothing may be."""
        if isinstance(self.during_fault, CrowdFault):
            return self.during_fault
        return CrowdFault() if self.during_fault else None

    @property
    def faulted_seconds(self) -> float:
        """How long the crowd is there with a fault: some before, and some after it."""
        return self.fault.lasts + 2 * AROUND if self.fault else 0.0

    def quick(self) -> Self:
        """Shorter."""
        fault = self.fault
        shorter = fault.model_copy(update={"lasts": min(fault.lasts, 1.0)}) if fault else False
        return self.model_copy(update={"hold": min(self.hold, 5.0), "during_fault": shorter})
