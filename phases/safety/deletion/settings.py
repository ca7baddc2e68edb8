"""What the campaign file says under `deletion`."""

from typing import Annotated

from pydantic import Field

from campaign.settings import Duration, OperationName, Settings
from phases.safety.cast.settings import Operations, Words


class DeletionSecret(Settings):
    """`tell` says `{{ secret }}` to the assistant ("my dragon is called {{ secret }}"), `ask` asks for it."""

    tell: OperationName
    ask: OperationName


class DeletionRace(Settings):
    """`at_once` writers go on while the child is deleted, `runs` times, each with a child of its own."""

    write: Operations = Field(min_length=1)
    runs: Annotated[int, Field(ge=1, le=200)] = 6
    at_once: Annotated[int, Field(ge=1, le=100)] = 12


class DeletionSettings(Settings):
    """A deleted child is gone, and what was stored of it. `role` is made afresh, and deleted by the role that
    it is `of` (by itself, where it is of none).

    `collect` are operations that store something and send `{{ canary }}`; each is a path of collection, whose
    word must come in the `export` (operations in turn; the last answer is looked into) within `visible`.
    `reads` are tried as the child, as its parent and as each role of `readers` (an admin). Everything must be
    gone `within` so long after the deletion was answered. `logs` are files that the target writes to.
    `others` children must keep all that they have.
    """

    role: str = ""
    delete: OperationName | None = None
    collect: Operations = ()
    export: Operations = ()
    reads: Operations = ()
    readers: Words = ()
    visible: Annotated[Duration, Field(gt=0, le=3600)] = 5.0
    within: Annotated[Duration, Field(gt=0, le=86400)] = 10.0
    logs: Words = ()
    secret: DeletionSecret | None = None
    race: DeletionRace | None = None
    others: Annotated[int, Field(ge=1, le=200)] = 20

    def quick(self) -> "DeletionSettings":
        """Fewer other children, and fewer races."""
        race = self.race and self.race.model_copy(update={"runs": min(self.race.runs, 2)})
        return self.model_copy(update={"race": race, "others": min(self.others, 5)})
