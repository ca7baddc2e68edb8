"""What the campaign file says under `consent`."""

from typing import Annotated, Any, Literal, get_args

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from campaign.settings import Duration, OperationName, Rate, Settings
from campaign.settings.quantities import quantity_error
from phases.safety.cast.settings import Operations, Words


def _some(value: float) -> float:
    if not 0 < value <= 200:
        raise quantity_error("a rate above 0/s and at most 200/s")
    return value


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


class ConsentRace(Settings):
    """A message beside a revocation, `runs` times: once that was answered, nothing more is stored."""

    write: OperationName
    runs: Annotated[int, Field(ge=5, le=1000)] = 40
    at_once: Annotated[int, Field(ge=1, le=20)] = 4


class ConsentLoad(Settings):
    """How long consented operations take while consents are given and revoked at `rate`."""

    operation: OperationName
    rate: Annotated[Rate, AfterValidator(_some)] = 20.0
    hold: Annotated[Duration, Field(gt=0, le=600)] = 5.0
    p95: Annotated[Duration, Field(gt=0, le=60)] = 0.2


class ConsentState(Settings):
    """How a fresh child comes into a state in which nothing may be collected: `do` in turn, then `after` so
    long (a consent that expires).
    """

    do: Operations = ()
    after: Annotated[Duration, Field(ge=0, le=3600)] = 0.0


def _whole(value: Any) -> Any:
    return value if isinstance(value, dict) else {"do": value}


NAMES = {"type": "string", "x-name-of": "operations"}
State = Annotated[
    ConsentState,
    BeforeValidator(_whole),
    WithJsonSchema(
        {
            "anyOf": [
                NAMES,
                {"type": "array", "items": NAMES},
                {
                    "type": "object",
                    "properties": {
                        "do": {"anyOf": [NAMES, {"type": "array", "items": NAMES}]},
                        "after": {"type": "string"},
                    },
                    "additionalProperties": False,
                },
            ]
        }
    ),
]
"""Operations alone may stand for it."""

Lacking = Literal["pending", "withdrawn", "expired", "another_child", "older_policy"]
_ONE = {"enum": list(get_args(Lacking))}
LACKED = {"anyOf": [_ONE, {"type": "array", "items": _ONE}]}


class ConsentSettings(Settings):
    """No consent, no collection. `role` is one whose `start` gives no consent.

    `states` maps a state in which nothing may be collected to what brings a fresh child into it: none,
    revoked, pending, withdrawn (before it was given), expired, another_child (has consent, this one has
    none), older_policy, and names of your own. `lacks` names those that your service cannot be in. `collect`
    are operations that collect something: they send `{{ canary }}` or `{{ audio }}`, or add rows with an id
    of the child. `opens` are done after `give`, before an operation is tried with consent: they make what it
    needs (a session). `reads` are those by which it would be seen, where the stores cannot be looked into.
    `notes` are tables in which a refusal may be noted.
    """

    role: str = ""
    give: Operations = ()
    revoke: OperationName | None = None
    opens: Operations = ()
    states: dict[str, State] = Field(default_factory=dict, max_length=12)
    lacks: Annotated[tuple[Lacking, ...], BeforeValidator(_listed), WithJsonSchema(LACKED)] = ()
    collect: Operations = ()
    reads: Operations = ()
    notes: Words = ()
    race: ConsentRace | None = None
    load: ConsentLoad | None = None

    def quick(self) -> "ConsentSettings":
        """Fewer races."""
        race = self.race and self.race.model_copy(update={"runs": min(self.race.runs, 6)})
        load = self.load and self.load.model_copy(update={"hold": min(self.load.hold, 1.0)})
        return self.model_copy(update={"race": race, "load": load})
