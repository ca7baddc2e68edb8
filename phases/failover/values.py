"""Types of values that several settings of the phase have."""

from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, StringConstraints

from campaign.settings import Duration, OperationName, Rate
from campaign.settings.quantities import quantity_error

HIGHEST_RATE, LOWEST_RATE = 200.0, 1.0
SHORTEST, LONGEST = 0.1, 600.0


def _rate(value: float) -> float:
    if not LOWEST_RATE <= value <= HIGHEST_RATE:
        raise quantity_error("a rate from 1/s to 200/s")
    return value


def _some_time(value: float) -> float:
    if not SHORTEST <= value <= LONGEST:
        raise quantity_error("a duration from 100ms to 10m")
    return value


def _hold(value: float) -> float:
    if not 0 <= value <= LONGEST:
        raise quantity_error("a duration of at most 10m")
    return value


def listed(value: object) -> object:
    """A list of the one text that stands alone."""
    return [value] if isinstance(value, str) else value


ProbeRate = Annotated[Rate, AfterValidator(_rate)]
SomeTime = Annotated[Duration, AfterValidator(_some_time)]
Hold = Annotated[Duration, AfterValidator(_hold)]
Operations = Annotated[
    tuple[OperationName, ...],
    BeforeValidator(listed, json_schema_input_type=tuple[OperationName, ...] | OperationName),
]
"""Operations done one after the other; one of them may stand alone."""

ScenarioName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_-]{0,79}$")]
TableName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_]\w{0,62}(\.[A-Za-z_]\w{0,62})?$")]
ColumnName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_]\w{0,62}$")]
Sql = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=4000)]
