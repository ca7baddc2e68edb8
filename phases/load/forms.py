"""The forms that a scenario's load may take over time, each as straight lines and the part that is judged."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Annotated, NamedTuple, Self

from pydantic import BeforeValidator, Field, PlainSerializer, PlainValidator, WithJsonSchema, model_validator
from pydantic_core import PydanticCustomError

from campaign.load.profile import Segment
from campaign.settings import Duration, Rate, Settings, write_rate
from campaign.settings.quantities import RATE_PATTERN, quantity_error, read_rate, text_schema
from phases.load.ramps import Ramp

MOST_USERS = 100_000
"""Users at once, and arrivals per second."""

Count = Annotated[int, Field(strict=True, ge=1)]
"""A whole number from 1; no text, no true."""

Users = Annotated[int, Field(strict=True, ge=1, le=MOST_USERS)]
"""Users at once."""

Time = Annotated[Duration, Field(gt=0)]
"""A duration above 0."""


def _rate_or_none(value: object) -> float:
    return 0.0 if value == 0 and not isinstance(value, bool) else read_rate(value)


def _write_rate_or_none(rate: float) -> str | int:
    return write_rate(rate) if rate else 0


def _read_ends(value: object, *, of_rates: bool) -> tuple[float, float]:
    if isinstance(value, tuple):
        return value
    low, dots, high = str(value).partition("..")
    try:
        ends = tuple(read_rate(each) if of_rates else int(each) for each in (low, high))
    except (ValueError, PydanticCustomError):
        ends = ()
    if not dots or len(ends) != len((low, high)) or not all(0 < each <= MOST_USERS for each in ends):
        example = "10/s..100/s" if of_rates else "100..500"
        raise quantity_error(f"the first step and the last, such as {example}")
    return ends[0], ends[1]


def _write_users(ends: tuple[float, float]) -> str:
    return f"{ends[0]:.0f}..{ends[1]:.0f}"


def _write_rates(ends: tuple[float, float]) -> str:
    return f"{write_rate(ends[0])}..{write_rate(ends[1])}"


UserSteps = Annotated[
    tuple[float, float],
    PlainValidator(lambda value: _read_ends(value, of_rates=False)),
    PlainSerializer(_write_users, return_type=str),
    WithJsonSchema(text_schema(r"\d+\.\.\d+", "100..500")),
]
RateSteps = Annotated[
    tuple[float, float],
    PlainValidator(lambda value: _read_ends(value, of_rates=True)),
    PlainSerializer(_write_rates, return_type=str),
    WithJsonSchema(text_schema(rf"{RATE_PATTERN}\.\.{RATE_PATTERN}", "10/s..100/s")),
]
SomeRate = Annotated[
    float,
    BeforeValidator(_rate_or_none),
    PlainSerializer(_write_rate_or_none),
    WithJsonSchema({"anyOf": [text_schema(RATE_PATTERN, "10/s"), {"const": 0}]}),
]
"""A rate, or 0 for nothing."""


class Shape(NamedTuple):
    """Lines over time, and the part of them that is judged (from..to in seconds)."""

    segments: tuple[Segment, ...]
    judged: tuple[float, float]


class _Levelled(Settings):
    """A part of a form that says either users or a rate."""

    @model_validator(mode="after")
    def _either(self) -> Self:
        users, rate = getattr(self, "users", None), getattr(self, "rate", None)
        if (users is None) == (rate is None):
            allowed = "either users (closed model) or rate (open model)"
            found = "both users and rate" if users is not None else "neither users nor rate"
            raise PydanticCustomError("form", "is not {allowed}", {"allowed": allowed, "found": found})
        return self

    @property
    def is_open(self) -> bool:
        """Whether it is of the open model."""
        return getattr(self, "rate", None) is not None


class Stage(_Levelled):
    """The load goes in a straight line to `users`, or `rate`, within `over`; at once where that is 0."""

    users: Annotated[int, Field(strict=True, ge=0, le=MOST_USERS)] | None = None
    rate: SomeRate | None = None
    over: Duration

    def scaled(self, *, levels: float, times: float) -> Self:
        """The same for this share of the load and the time."""
        return self.model_copy(update={**_scaled(self, levels), "over": self.over * times})


class Steps(_Levelled):
    """`count` steps from the first level to the last, each held for `hold`."""

    users: UserSteps | None = None
    rate: RateSteps | None = None
    count: Annotated[Count, Field(ge=2, le=1000)]
    hold: Time

    @property
    def levels(self) -> list[float]:
        """The level of each step; users are whole."""
        first, last = self.users or self.rate or (0.0, 0.0)
        levels = [first + (last - first) * step / (self.count - 1) for step in range(self.count)]
        return levels if self.is_open else [float(round(level)) for level in levels]

    def scaled(self, *, levels: float, times: float) -> Self:
        """The same for this share of the load and the time."""
        ends = self.users or self.rate or (0.0, 0.0)
        few = ends[0] * levels, ends[1] * levels
        whole = max(1.0, round(few[0])), max(1.0, round(few[1]))
        changed = {"rate": few} if self.is_open else {"users": whole}
        return self.model_copy(update={**changed, "hold": self.hold * times})


class Spike(_Levelled):
    """`at` that time of the hold the load jumps to `users`, or `rate`, for `hold`, and back."""

    users: Users | None = None
    rate: Rate | None = None
    at: Duration
    hold: Time

    def scaled(self, *, levels: float, times: float) -> Self:
        """The same for this share of the load and the time."""
        moved = {"at": self.at * times, "hold": self.hold * times}
        return self.model_copy(update={**_scaled(self, levels), **moved})


class Bursts(_Levelled):
    """`count` times `users`, or `rate`, all at once for `hold`, with nothing for `pause` in between."""

    count: Annotated[Count, Field(le=1000)]
    users: Users | None = None
    rate: Rate | None = None
    hold: Time
    pause: Duration

    def scaled(self, *, levels: float, times: float) -> Self:
        """The same for this share of the load and the time."""
        moved = {"pause": self.pause * times, "hold": self.hold * times}
        return self.model_copy(update={**_scaled(self, levels), **moved})


def level_of(part: Stage | Spike | Bursts) -> float:
    """Its users or its rate."""
    return float(part.rate if part.rate is not None else part.users or 0)


def _scaled(part: Stage | Spike | Bursts, levels: float) -> dict[str, float]:
    if part.rate is not None:
        return {"rate": part.rate * levels}
    return {"users": scaled_users(part.users or 0, levels)}


def scaled_users(users: int, share: float) -> int:
    """That share of the users, but one at least where there is one."""
    return max(min(users, 1), round(users * share))


def plateau(level: float, ramp: Ramp, *, hold: float, ramp_down: float, spike: Spike | None) -> Shape:
    """Up, on, and down; the hold is judged, with the spike in it and the recovery from that."""
    comes = ramp.takes(level)
    middle = [Segment(level, hold)]
    if spike is not None:
        high, after = level_of(spike), hold - spike.at - spike.hold
        middle = [Segment(level, spike.at), *_jump(high, spike.hold), *_jump(level, after)]
    return Shape((Segment(level, comes), *middle, Segment(0.0, ramp_down)), (comes, comes + hold))


def staged(stages: Sequence[Stage]) -> Shape:
    """The stages as they are; the first, when it comes up from nothing, and the last, when it goes down to
    nothing, are not judged unless there is nothing else.
    """
    segments = tuple(Segment(level_of(stage), stage.over) for stage in stages)
    whole = sum(segment.seconds for segment in segments)
    begins, ends = segments[0].seconds, whole - (0.0 if segments[-1].level else segments[-1].seconds)
    return Shape(segments, (begins, ends) if begins < ends else (0.0, whole))


def stepped(steps: Steps, ramp: Ramp) -> Shape:
    """Every step is reached with the ramp; all from the first step's hold on is judged."""
    segments = tuple(_climb(steps.levels, ramp, hold=steps.hold))
    return Shape(segments, (segments[0].seconds, sum(segment.seconds for segment in segments)))


def bursting(bursts: Bursts) -> Shape:
    """All of it is judged, the pauses too."""
    each = (*_jump(level_of(bursts), bursts.hold), *_jump(0.0, bursts.pause))
    segments = (each * bursts.count)[:-2]
    return Shape(segments, (0.0, sum(segment.seconds for segment in segments)))


def _jump(level: float, seconds: float) -> tuple[Segment, Segment]:
    return Segment(level, 0.0), Segment(level, seconds)


def _climb(levels: Iterable[float], ramp: Ramp, *, hold: float) -> Iterator[Segment]:
    before = 0.0
    for level in levels:
        yield Segment(level, ramp.takes(level - before))
        yield Segment(level, hold)
        before = level
