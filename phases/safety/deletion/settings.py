"""What the campaign file says under `deletion`."""

from typing import Annotated, Any

from pydantic import BeforeValidator, Field, WithJsonSchema

from campaign.settings import Duration, OperationName, Settings
from phases.safety.cast.settings import Operations, Words

OPERATION = {"type": "string", "x-name-of": "operations"}
LISTED = {"anyOf": [OPERATION, {"type": "array", "items": OPERATION}]}


class DeletionSecret(Settings):
    """`tell` says `{{ secret }}` to the assistant ("my dragon is called {{ secret }}"), `ask` asks for it."""

    tell: OperationName
    ask: OperationName


class DeletionRace(Settings):
    """`at_once` writers go on while the child is deleted, `runs` times, each with a child of its own."""

    write: Operations = Field(min_length=1)
    runs: Annotated[int, Field(ge=1, le=200)] = 6
    at_once: Annotated[int, Field(ge=1, le=100)] = 12


class DeletionReader(Settings):
    """Somebody else who may look at the child: `let` is what its parent does for that (an invitation), `join`
    what the reader does then, `reads` how it looks (as the parent does, where none are given).
    """

    let: Operations = ()
    join: Operations = ()
    reads: Operations = ()


def _by_role(value: Any) -> Any:
    roles = [value] if isinstance(value, str) else value
    return {role: {} for role in roles} if isinstance(roles, list | tuple) else roles


Readers = Annotated[
    dict[str, DeletionReader],
    BeforeValidator(_by_role),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string"},
                {"type": "array", "items": {"type": "string"}},
                {
                    "type": "object",
                    "additionalProperties": {
                        "type": "object",
                        "properties": dict.fromkeys(("let", "join", "reads"), LISTED),
                        "additionalProperties": False,
                    },
                },
            ]
        }
    ),
]
"""Roles alone may stand for it."""


class DeletionSettings(Settings):
    """A deleted child is gone, and what was stored of it. `role` is made afresh, and deleted by the role that
    it is `of` (by itself, where it is of none).

    `collect` are operations that store something and send `{{ canary }}`; each is a path of collection, whose
    word must come in the `export` (operations in turn; the last answer is looked into) within `visible`.
    `reads` are tried as the child and as its parent; `readers` are roles that may look at it too (an admin, a
    second parent). Everything must be gone `within` so long after the deletion was answered. `logs` are files
    that the target writes to.
    `others` children must keep all that they have.
    """

    role: str = ""
    delete: OperationName | None = None
    collect: Operations = ()
    export: Operations = ()
    reads: Operations = ()
    readers: Readers = Field(default_factory=dict)
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
