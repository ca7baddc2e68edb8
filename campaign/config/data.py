"""The field type for any data that JSON can write."""

import math
from typing import Annotated, Any

from pydantic import AfterValidator

from campaign.config.texts import wrong


def _finite(value: Any) -> Any:
    """Plain JSON data; the two numbers that JSON cannot write are refused wherever they are."""
    if isinstance(value, float) and not math.isfinite(value):
        raise wrong("JSON, which knows neither infinity nor NaN")
    for each in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        _finite(each)
    return value


JsonData = Annotated[Any, AfterValidator(_finite)]
