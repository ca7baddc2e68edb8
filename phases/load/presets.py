"""Scenarios by the names that the field knows them under; every key of theirs may be set otherwise."""

from collections.abc import Mapping
from typing import Any, Literal

PRESETS: Mapping[str, Mapping[str, Any]] = {
    "smoke": {"users": 10, "ramp": "2/s", "hold": "1m"},
    "load": {"users": 100, "ramp": "10/s", "hold": "10m"},
    "stress": {"users": 1000, "ramp": "50/s", "hold": "15m"},
    "spike": {"users": 500, "ramp": "0s", "hold": "5m"},
    "endurance": {"users": 200, "ramp": "10/s", "hold": "30m"},
    "soak": {"users": 200, "ramp": "10/s", "hold": "1h"},
    "breakpoint": {"stages": [{"users": 5000, "over": "10m"}]},
}
"""What each says, as it would stand in the campaign file."""

PresetName = Literal["smoke", "load", "stress", "spike", "endurance", "soak", "breakpoint"]

_OTHER_FORMS = ("rate", "stages", "steps", "bursts")
_LEVEL = ("users", "ramp")
_FORM = ("users", "ramp", "hold")


def with_preset(given: Mapping[str, Any]) -> dict[str, Any]:
    """The keys of a scenario with those of its preset under them.

    Another form of load takes the place of the preset's users: of a rate, `users` are the most at once.
    """
    written = {key: value for key, value in given.items() if value is not None}
    preset = PRESETS.get(str(written.get("preset")), {})
    instead = [form for form in _OTHER_FORMS if written.get(form)]
    dropped: tuple[str, ...] = ()
    if instead and "users" in preset:
        dropped = _LEVEL if instead == ["rate"] else _FORM
    return {**{key: value for key, value in preset.items() if key not in dropped}, **written}
