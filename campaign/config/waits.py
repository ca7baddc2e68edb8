"""How a user waits, in each of the shapes that the campaign file knows."""

from typing import Annotated, Any

from pydantic import Discriminator, Field, Tag

from campaign.config.part import Part
from campaign.settings import Duration, Range
from campaign.target.journey import WaitShape, WaitSpec

SHAPES = "2s, 1s..3s, {mean: 2s, deviation: 500ms}, {exponential: 2s} or {pace: 10s}"


class NormalWait(Part):
    """Around `mean`, in a normal distribution that is cut at 0."""

    mean: Duration
    deviation: Duration = 0.0

    def spec(self) -> WaitSpec:
        """The same as plain data."""
        return WaitSpec(shape=WaitShape.NORMAL, mean=self.mean, deviation=self.deviation)


class ExponentialWait(Part):
    """As between random arrivals; `exponential` is the mean."""

    exponential: Duration

    def spec(self) -> WaitSpec:
        """The same as plain data."""
        return WaitSpec(shape=WaitShape.EXPONENTIAL, mean=self.exponential)


class PacedWait(Part):
    """Tasks begin every `pace`, however long each takes."""

    pace: Annotated[Duration, Field(gt=0)]

    def spec(self) -> WaitSpec:
        """The same as plain data."""
        return WaitSpec(shape=WaitShape.PACE, mean=self.pace)


_TAGS = {"mean": "normal wait", "deviation": "normal wait", "exponential": "exponential wait"}


def _shape(value: Any) -> str:
    """Which of the models is meant; they are told apart by their keys."""
    if isinstance(value, NormalWait | ExponentialWait | PacedWait):
        return _TAGS.get(next(iter(type(value).model_fields)), "paced wait")
    if not isinstance(value, dict):
        return "range"
    return next((tag for key, tag in _TAGS.items() if key in value), "paced wait" if "pace" in value else "")


def _rest_shape(value: Any) -> str:
    return "" if _shape(value) == "paced wait" else _shape(value)


def _none_of(allowed: str) -> dict[str, Any]:
    return {
        "custom_error_type": "wrong",
        "custom_error_message": "is not {allowed}",
        "custom_error_context": {"allowed": allowed},
    }


_Timed = (
    Annotated[Range, Tag("range")]
    | Annotated[NormalWait, Tag("normal wait")]
    | Annotated[ExponentialWait, Tag("exponential wait")]
)
Wait = Annotated[_Timed | Annotated[PacedWait, Tag("paced wait")], Discriminator(_shape, **_none_of(SHAPES))]
"""The time between two tasks of a user."""

Rest = Annotated[
    _Timed,
    Discriminator(
        _rest_shape, **_none_of(SHAPES.removesuffix(" or {pace: 10s}").replace(", {exp", " or {exp"))
    ),
]
"""A rest in the middle of a task, which has no pace of its own."""


def wait_spec(value: Any) -> WaitSpec:
    """The plain data of a `Wait` or `Rest`."""
    return WaitSpec(*value) if isinstance(value, tuple) else value.spec()
