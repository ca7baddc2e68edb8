"""The disturbances by name, and which of them the campaign file asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from phases.database.recovery.settings import RecoverySettings

TITLES = {
    "kill_idle": "idle connections killed by the server",
    "kill_in_transaction": "connections killed in a transaction",
    "freeze": "server frozen",
    "restart": "server restarted",
    "stop_start": "server stopped and started",
}
"""What each disturbance is called, in the order in which they happen."""

COMMANDS = {
    "freeze": ("freeze.begin", "freeze.end"),
    "restart": ("restart",),
    "stop_start": ("stop", "start"),
}
"""What the campaign file calls the commands of a disturbance, in the order in which they run."""

SLOW = {"freeze", "restart", "stop_start"}
"""Those that need commands of the user."""

COMMAND_SECONDS = 5.0
"""What a command takes, about."""


def planned(settings: RecoverySettings) -> tuple[str, ...]:
    """The disturbances that these settings ask for; those of the server itself only by commands."""
    given = {"freeze": settings.freeze, "restart": settings.restart, "stop_start": settings.stop}
    return tuple(name for name in TITLES if name not in SLOW or given[name])


def seconds(settings: RecoverySettings) -> float:
    """How long all of them take, about."""
    names = planned(settings)
    each = 2 * settings.calm + 1.0
    frozen = settings.freeze.seconds if settings.freeze else 0.0
    patience = max(0.0, settings.recovered_within - 30.0)
    commands = sum(COMMAND_SECONDS + patience for name in names if name in SLOW)
    return len(names) * each + frozen + commands
