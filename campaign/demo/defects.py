"""The faults that can be switched on, as a table: to add one, add a row and put its switch into the code.

Each is a mistake that real services make, and sits where the mistake would be made.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Defect:
    """One fault: what goes wrong in the user's words, where it is in the code, and who should find it."""

    name: str
    title: str
    breaks: str
    where: str
    found_by: str
    """Name of the phase that should report it."""


SLOW_HISTORY = "slow-history"
ERRORS_UNDER_LOAD = "errors-under-load"
MEMORY_LEAK = "memory-leak"
STALL = "stall"

DEFECTS: dict[str, Defect] = {
    defect.name: defect
    for defect in (
        Defect(
            SLOW_HISTORY,
            "The messages table has no index",
            "History, search and every further turn get slower the more was ever said, by anyone.",
            "storage.prepare",
            "load",
        ),
        Defect(
            ERRORS_UNDER_LOAD,
            "Two database connections, kept during a slow review of each message",
            "One child alone is served well; with twenty at once, many requests are answered with 503.",
            "database.open_database and conversations.Conversations.take_turn",
            "load",
        ),
        Defect(
            MEMORY_LEAK,
            "Every conversation stays in a cache that is never emptied",
            "The process grows with every message until the machine has no memory left.",
            "conversations.remember",
            "stability",
        ),
        Defect(
            STALL,
            "Housekeeping checks all old messages on the event loop",
            "Every ten seconds or so the whole service answers nobody for about three seconds.",
            "housekeeping.Housekeeping.run",
            "load",
        ),
    )
}


def unknown_defects(names: frozenset[str]) -> list[str]:
    """The names that are not in the table, in order; empty when all are known."""
    return sorted(names - DEFECTS.keys())


def describe_defects() -> str:
    """The table as text, for a terminal."""
    return "\n".join(
        f"{defect.name}\n  {defect.title}.\n  {defect.breaks}\n  found by: {defect.found_by}"
        for defect in DEFECTS.values()
    )
