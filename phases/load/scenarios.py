"""What scenarios the campaign file may ask for."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from math import ceil
from typing import Annotated, Any, Literal, NoReturn, Self

from pydantic import Field, PositiveFloat, model_validator
from pydantic_core import PydanticCustomError

from campaign.load.profile import Segment
from campaign.load.spec import Model, ScenarioSpec
from campaign.settings import Duration, Rate, Settings, UserName
from phases.load.aborts import AbortRules
from phases.load.forms import (
    MOST_USERS,
    Bursts,
    Count,
    Shape,
    Spike,
    Stage,
    Steps,
    Time,
    Users,
    bursting,
    plateau,
    scaled_users,
    staged,
    stepped,
)
from phases.load.limits import LimitTable, scaled
from phases.load.presets import PresetName, with_preset
from phases.load.ramps import QUICK_RAMP, Ramp, RampText

__all__ = ["Count", "Scenario"]

QUICK_LEVEL = 20
"""Users, or arrivals per second, of a quick run at most."""

READY_RATE = 50.0
"""Users per second that are made ready before the first arrival."""

PATIENCE = 30.0
"""Seconds of arrivals that may be under way at once, where the file does not say how many users there are."""

_FORMS = ("stages", "steps", "bursts")
_OPEN_KEYS = ("arrivals", "ready")


class Scenario(Settings):
    """How much load there is over time: so many users (closed model), or a `rate` of arrivals (open model).

    `users` come with `ramp`, stay for `hold` and leave within `ramp_down`; of a rate they are the most at
    once. `stages`, `steps` or `bursts` say otherwise how the load goes, and a `spike` is laid on a hold.
    `warm_up` is the first part of what would be judged, left out of the verdict.
    """

    preset: PresetName | None = None
    users: Users | None = None
    rate: Rate | None = None
    ramp: RampText | None = None
    hold: Time | None = None
    ramp_down: Duration = 0.0
    warm_up: Duration = 0.0
    stages: Annotated[list[Stage], Field(min_length=1, max_length=1000)] | None = None
    steps: Steps | None = None
    spike: Spike | None = None
    bursts: Bursts | None = None
    arrivals: Literal["even", "poisson"] | None = None
    ready: Annotated[int, Field(strict=True, ge=0, le=MOST_USERS)] = 0
    iterations: Annotated[int, Field(strict=True, ge=0)] = 0
    graceful_stop: Duration = 35.0
    mix: dict[UserName, PositiveFloat] = Field(default_factory=dict)
    limits: LimitTable = Field(default_factory=dict)
    abort_when: AbortRules = ()

    @model_validator(mode="before")
    @classmethod
    def _on_its_preset(cls, given: object) -> object:
        return with_preset(given) if isinstance(given, Mapping) else given

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        found = next(self._contradictions(), None)
        if found is not None:
            _refuse(*found)
        begins, ends = self._shape().judged
        if self.warm_up >= ends - begins:
            _refuse(f"a warm-up of {self.warm_up:g} s", f"less than the {ends - begins:g} s that are judged")
        return self

    @property
    def is_open(self) -> bool:
        """Whether arrivals come at a rate, whatever the answers take."""
        parts = (*(self.stages or ()), self.steps, self.bursts)
        return self.rate is not None or any(part is not None and part.is_open for part in parts)

    @property
    def highest(self) -> float:
        """The most users at once, or arrivals per second."""
        return max(segment.level for segment in self._shape().segments)

    def spec(self, name: str) -> ScenarioSpec:
        """The same as plain data for the load engine."""
        segments, (begins, ends) = self._shape()
        closed = ScenarioSpec(
            name,
            segments,
            (begins + self.warm_up, ends),
            mix=self.mix,
            iterations=self.iterations,
            graceful_stop=self.graceful_stop,
            warm_up=self.warm_up,
        )
        return self._opened(closed) if self.is_open else closed

    def quick(self, hold: float) -> Self:  # type: ignore[override]
        """Little load for about `hold` seconds, all there within a second, asked for so much less work."""
        levels, times = min(1.0, QUICK_LEVEL / self.highest), self.quick_share(hold)
        changes = {**self._scaled(levels, times), "ramp_down": min(self.ramp_down, QUICK_RAMP)}
        if self.stages is None and self.bursts is None:
            slowly = min(self._ramp.takes(self.highest), QUICK_RAMP)
            changes["ramp"] = Ramp(seconds=slowly / (self.steps.count if self.steps else 1))
        quick = self.model_copy(update=changes)
        share = quick.highest / self.highest
        rules = tuple(rule.scaled(levels=share, times=times) for rule in self.abort_when)
        return quick.model_copy(update={"limits": scaled(self.limits, share), "abort_when": rules})

    def quick_share(self, hold: float) -> float:
        """The share of its time that a quick run of about `hold` seconds takes."""
        begins, ends = self._shape().judged
        return min(1.0, hold / (ends - begins))

    def _scaled(self, levels: float, times: float) -> dict[str, Any]:
        parts = {name: getattr(self, name) for name in ("steps", "spike", "bursts")}
        return {
            **{name: part and part.scaled(levels=levels, times=times) for name, part in parts.items()},
            "stages": self.stages and [each.scaled(levels=levels, times=times) for each in self.stages],
            "users": self.users if self.is_open or not self.users else scaled_users(self.users, levels),
            "rate": self.rate and self.rate * levels,
            "hold": self.hold and self.hold * times,
            "warm_up": self.warm_up * times,
            "ready": min(self.ready, QUICK_LEVEL),
        }

    @property
    def _ramp(self) -> Ramp:
        usual = Ramp() if self.is_open else Ramp(per_second=10.0)
        return usual if self.ramp is None else self.ramp

    def _shape(self) -> Shape:
        if self.stages is not None:
            return staged(self.stages)
        if self.steps is not None:
            return stepped(self.steps, self._ramp)
        if self.bursts is not None:
            return bursting(self.bursts)
        level = float(self.rate or self.users or 0)
        hold = 60.0 if self.hold is None else self.hold
        return plateau(level, self._ramp, hold=hold, ramp_down=self.ramp_down, spike=self.spike)

    def _opened(self, spec: ScenarioSpec) -> ScenarioSpec:
        """As arrivals: first so many users are made ready."""
        ahead = self.ready / READY_RATE
        begins, ends = spec.judged
        usual = max(10, ceil(self.highest * PATIENCE), self.ready)
        return replace(
            spec,
            model=Model.OPEN,
            segments=(Segment(0.0, ahead), *spec.segments) if ahead else spec.segments,
            judged=(begins + ahead, ends + ahead),
            poisson=self.arrivals == "poisson",
            ready=self.ready,
            most=min(usual, MOST_USERS) if self.users is None else self.users,
        )

    def _contradictions(self) -> Iterator[tuple[str, str]]:
        """What does not go together: what was found, and what is allowed."""
        forms = [form for form in _FORMS if getattr(self, form) is not None]
        if not forms and self.users is None and self.rate is None:
            yield "no load", "users, rate, stages, steps or bursts, or a preset"
        if len(forms) > 1:
            yield " and ".join(forms), "one of them, as each says how the load goes over time"
        if forms:
            yield from self._beside(forms[0])
        yield from self._of_one_model()
        yield from self._of_the_spike()

    def _beside(self, form: str) -> Iterator[tuple[str, str]]:
        keys = ["rate", "hold", "spike", *([] if form == "steps" else ["ramp"])]
        keys += [] if self.is_open else ["users"]
        given = [key for key in keys if getattr(self, key) is not None]
        given += ["ramp_down"] if self.ramp_down else []
        if given:
            yield (
                f"{form} and {' and '.join(given)}",
                f"{form} alone, as they say how the load goes over time",
            )
        if len({stage.is_open for stage in self.stages or ()}) > 1:
            yield "stages with users and with rate", "stages of one model: all with users, or all with rate"
        if not self.highest:
            yield "stages without any load", "at least one stage with users or a rate above 0"

    def _of_one_model(self) -> Iterator[tuple[str, str]]:
        given = [key for key in _OPEN_KEYS if getattr(self, key)]
        if given and not self.is_open:
            yield f"{' and '.join(given)} without a rate", "a rate of arrivals (open model) beside it"
        if self.highest > MOST_USERS:
            yield f"{self.highest:g} arrivals/s", f"at most {MOST_USERS}/s"
        if self.is_open and self.ready > (self.users or MOST_USERS):
            yield f"{self.ready} ready of {self.users} users", "ready up to as many as there are users"
        if self.is_open and self.ramp is not None and self.ramp.per_second:
            yield f"ramp {self.ramp} of a rate", "a duration such as 30s, within which the rate is reached"

    def _of_the_spike(self) -> Iterator[tuple[str, str]]:
        if self.spike is None:
            return
        if self.spike.is_open != self.is_open:
            yield "a spike of another model", "a spike with rate where the base is a rate, else with users"
        if self.spike.at + self.spike.hold >= (60.0 if self.hold is None else self.hold):
            yield "a spike that does not end within the hold", "at and hold of the spike below the hold"


def _refuse(found: str, allowed: str) -> NoReturn:
    raise PydanticCustomError("form", "is not {allowed}", {"allowed": allowed, "found": found})
