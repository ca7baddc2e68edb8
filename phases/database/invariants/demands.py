"""What the campaign file asks of the isolation of transactions, here or under `isolation`. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from phases.database.invariants.settings import LEVELS

if TYPE_CHECKING:
    from phases.database.settings import DatabaseSettings


def level_of(settings: DatabaseSettings) -> str:
    """The level to test at: ours, else the one that the service uses by `isolation`, else "default"."""
    own, there = settings.invariants.level, settings.isolation.level
    if own != "default":
        return own
    return there if there in LEVELS else "default"


def required_of(settings: DatabaseSettings) -> tuple[str, ...]:
    """The words of both requirements: names of levels and of anomalies."""
    own = (settings.invariants.require,) if settings.invariants.require else ()
    return *own, *settings.isolation.require
