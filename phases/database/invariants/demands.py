"""What the campaign file asks of the isolation of transactions, here or under `isolation`. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from phases.database.invariants.settings import LEVELS

if TYPE_CHECKING:
    from phases.database.settings import DatabaseSettings


def level_of(settings: DatabaseSettings) -> str:
    """The level to test at: ours, else the one that is named under `isolation`, else "default"."""
    if settings.invariants.level != "default":
        return settings.invariants.level
    (there, *_) = (*_words(getattr(settings.isolation, "level", "")), "default")
    return there.lower().replace("_", " ") if there.lower().replace("_", " ") in LEVELS else "default"


def required_of(settings: DatabaseSettings) -> tuple[str, ...]:
    """The words of both requirements: names of levels and of anomalies."""
    own = (settings.invariants.require,) if settings.invariants.require else ()
    return *own, *_words(getattr(settings.isolation, "require", ""))


def _words(value: Any) -> tuple[str, ...]:
    """The words of a setting that is one, or several, or none."""
    if isinstance(value, str):
        return (value,) if value else ()
    return tuple(str(each) for each in value) if isinstance(value, list | tuple | set | frozenset) else ()
