"""What the campaign file says under `workload`."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from campaign.settings import Duration, GradedLimit, Rate, Settings, write_duration
from phases.database.mistakes import mistake
from phases.database.running.limits import (
    ALL,
    PatternLimits,
    Planned,
    at_least,
    at_most,
    offered_to,
    planned,
    unreachable,
)

PatternName = Literal["conversation_history", "profile_lookup", "activity_log", "dashboard", "safety_audit"]
Subject = Literal[
    "all", "conversation_history", "profile_lookup", "activity_log", "dashboard", "safety_audit"
]
Weight = Annotated[float, Field(ge=0, le=1e6)]

WEIGHTS: dict[PatternName, float] = {
    "conversation_history": 35,
    "profile_lookup": 40,
    "activity_log": 15,
    "dashboard": 7,
    "safety_audit": 3,
}
"""How often each pattern is chosen, where the file does not say."""

RATE = 600.0
"""Patterns per second where the file says nothing; more than what is to be sustained."""

MEAN = 0.050
LEAST_STATEMENTS = 500.0


class WorkloadSettings(Settings):
    """How fast the database answers a child-companion service's statements, in tables of our own.

    `scale` children are made up, with 20 messages each. Open model: `rate` patterns per second (600)
    over `connections`; closed model: so many `users` instead, each on a connection of its own.
    """

    scale: int = Field(default=2000, ge=10, le=1_000_000)
    mix: dict[PatternName, Weight] = Field(default_factory=dict)
    rate: Rate | None = None
    users: int | None = Field(default=None, ge=1, le=500)
    connections: int = Field(default=10, ge=1, le=500)
    hold: Duration = 60.0
    warm_up: Duration = 5.0
    timeout: Duration = 5.0
    limits: dict[Subject, PatternLimits] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if self.users is not None and self.rate is not None:
            raise mistake("either a rate or users, one of them", "both")
        if not any(self.weights.values()):
            raise mistake("a mix with a weight, one above 0", "only weights of 0")
        if self.hold < 1 or self.timeout < 0.1:
            found = f"a hold of {write_duration(self.hold)} and a timeout of {write_duration(self.timeout)}"
            raise mistake("a hold of 1s or more and a timeout of 100ms or more", found)
        if self.offered and (why := unreachable(self.limits, offered_to(self.weights, self.offered))):
            raise mistake("a limit on a rate that is offered (by rate and mix)", f"limits of {why}")
        return self

    @property
    def weights(self) -> dict[PatternName, float]:
        """The patterns that are run, with their weights; a `mix` in the file leaves out what it does not
        name.
        """
        chosen = self.mix or WEIGHTS
        return {name: weight for name, weight in chosen.items() if weight}

    @property
    def offered(self) -> float | None:
        """Patterns per second of the open model; None in the closed one."""
        return None if self.users is not None else self.rate or RATE

    @property
    def planned(self) -> tuple[Planned, ...]:
        """Every check on the figures: the shipped limits on what is run, and the file's own."""
        shipped: dict[str, dict[str, GradedLimit]] = {name: {"mean": at_most(MEAN)} for name in self.weights}
        if "profile_lookup" in shipped:
            shipped["profile_lookup"] = {"mean": at_most(0.005, acceptable=0.010)}
        whole = {"error_rate": at_most(0.01, "share"), "rate": at_least(LEAST_STATEMENTS)}
        run = {ALL, *self.weights}
        own: dict[str, PatternLimits] = {
            subject: limits for subject, limits in self.limits.items() if subject in run
        }
        return planned("workload", {**shipped, ALL: whole}, own)

    def quick(self) -> Self:
        """A few seconds on few children."""
        return self.model_copy(
            update={
                "scale": min(self.scale, 300),
                "hold": min(self.hold, 2.0),
                "warm_up": min(self.warm_up, 0.5),
            }
        )
