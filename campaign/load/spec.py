"""What a load scenario is asked to do; plain data that crosses process borders."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from campaign.load.profile import Profile, Segment
from campaign.target.spec import TargetSpec, Vocabulary


class Model(StrEnum):
    """Closed: so many users, each asks again when it has its answer. Open: so many arrivals per second,
    however long the answers take.
    """

    CLOSED = "closed"
    OPEN = "open"


@dataclass(frozen=True, slots=True)
class ScenarioSpec:
    """Users (or, in the open model, arrivals per second) follow `segments`; `judged` is the part from..to, in
    seconds since the beginning, that the verdict is made from.

    `mix` maps a kind of user to its weight and overrides the weights of the campaign file; empty: those.
    `poisson`: arrivals at random moments instead of even ones. `ready` users are made ready before the first
    arrival, and there are never more than `most`; further arrivals wait. `iterations` ends each user after so
    many tasks (0: never). When their time is over, users have `graceful_stop` seconds to end what is in
    flight: by default longer than an operation may take, so that a hanging one is its own time-out and an
    error. The `warm_up` seconds right before the judged part were cut from it.
    """

    name: str
    segments: tuple[Segment, ...]
    judged: tuple[float, float]
    model: Model = Model.CLOSED
    mix: Mapping[str, float] = field(default_factory=dict)
    poisson: bool = False
    ready: int = 0
    most: int = 0
    iterations: int = 0
    graceful_stop: float = 35.0
    warm_up: float = 0.0

    @property
    def profile(self) -> Profile:
        """The segments as a level over time."""
        return Profile(self.segments)

    @property
    def users(self) -> int:
        """The most users there may be at once."""
        return round(self.profile.highest) if self.model is Model.CLOSED else self.most

    @property
    def seconds(self) -> float:
        """The whole scenario, without the last answers' time."""
        return sum(each.seconds for each in self.segments)

    @property
    def asked(self) -> float:
        """What the judged part asks for: user-seconds, or arrivals."""
        begins, ends = self.judged
        return self.asked_between(begins, ends)

    def asked_between(self, begins: float, ends: float) -> float:
        """The same of the part from..to, in seconds since the beginning."""
        profile = self.profile
        if self.model is Model.CLOSED:
            return profile.attendance(self.users, begins, ends=ends)
        return profile.area_until(ends) - profile.area_until(begins)


def ramp_and_hold(  # noqa: PLR0917 - users, ramp, hold and ramp-down, in the order of time
    name: str, users: int, ramp: float, hold: float, ramp_down: float = 0.0,
    mix: Mapping[str, float] | None = None,
) -> ScenarioSpec:  # fmt: skip
    """Users come at `ramp` per second (inf: all at once), stay for `hold` seconds, and leave over `ramp_down`
    seconds; the hold is judged.
    """
    comes = users / ramp
    segments = Segment(users, comes), Segment(users, hold), Segment(0, ramp_down)
    return ScenarioSpec(name, segments, (comes, comes + hold), mix=mix or {})


@dataclass(frozen=True, slots=True)
class LoadPlan:
    """One scenario against one target; `workers` processes share it: user, or arrival, k goes to worker k mod
    workers.

    `views` are further statistics that are wanted: "kinds" and "regions" of users, single "users", and the
    "queue" time (from due to sent). `canaries`: every answer is searched for those of other users. `leave` is
    the share of requests whose user hangs up in the middle of the answer.
    """

    target: TargetSpec
    vocabulary: Vocabulary
    scenario: ScenarioSpec
    seed: int
    workers: int = 1
    views: frozenset[str] = frozenset()
    canaries: bool = False
    leave: float = 0.0
