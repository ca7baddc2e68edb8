"""Made-up rows of a child-companion service: the same for the same seed, and nobody's data."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import Random
from typing import Any, TypeAlias

DAY = 86400
NOW = 1_767_225_600
"""The moment (2026-01-01) that all made-up history lies before; fixed, so that a seed gives the same rows."""

FAMILY = 2
"""Children of a family."""

CONVERSATIONS = 2
MESSAGES = 10
"""Of each child, and of each conversation."""

ACTIVITIES = 5
"""Of each child."""

FLAGGED = 200
"""One message in so many is flagged."""

KINDS = ("story", "chat", "song", "lesson", "game")
_PLANS = ("free", "family", "school")
_LANGUAGES = ("en", "de", "ar", "es", "fr")
_NICKNAMES = ("Bear", "Fox", "Otter", "Wren", "Panda", "Lynx", "Robin", "Hedgehog")
_SENTENCES = (
    "Tell me a story about a bear who could not sleep.",
    "Why is the sky blue, and who painted it?",
    "I built a tower today and it was taller than my sister.",
    "Let us count the stars together: one, two, three.",
    "Once upon a time a little robot found a garden behind the moon.",
    "That is a wonderful question. What do you think happens next?",
    "Can dinosaurs dance? I think the small ones can.",
    "Time to rest now. Tomorrow we go on with our adventure.",
)

Rows: TypeAlias = Iterator[tuple[Any, ...]]


def counts(scale: int) -> dict[str, int]:
    """How many rows each table gets for so many children."""
    conversations = scale * CONVERSATIONS
    return {
        "families": max(1, scale // FAMILY),
        "children": scale,
        "conversations": conversations,
        "messages": conversations * MESSAGES,
        "activities": scale * ACTIVITIES,
    }


def row_makers(scale: int, seed: int) -> dict[str, Callable[[], Rows]]:
    """What makes the rows of each table, in the order of its columns."""
    sizes = counts(scale)

    def luck(table: str) -> Random:
        return Random(f"{seed}/{table}")

    def families() -> Rows:
        pick = luck("families").choice
        return ((number, pick(_PLANS), 1) for number in range(1, sizes["families"] + 1))

    def children() -> Rows:
        own = luck("children")
        return (
            (
                number,
                min(1 + (number - 1) // FAMILY, sizes["families"]),
                f"{own.choice(_NICKNAMES)}-{number}",
                own.randint(3, 12),
                own.choice(_LANGUAGES),
            )
            for number in range(1, scale + 1)
        )

    def conversations() -> Rows:
        moment = luck("conversations").random
        return (
            (number, 1 + (number - 1) // CONVERSATIONS, NOW - int(moment() * 30 * DAY))
            for number in range(1, sizes["conversations"] + 1)
        )

    def messages() -> Rows:
        moment = luck("messages").random
        sentences, many = _SENTENCES, len(_SENTENCES)
        for number in range(1, sizes["messages"] + 1):
            share = moment()
            role = "child" if number % 2 else "companion"
            flagged = 1 if int(share * 1e6) % FLAGGED == 0 else 0
            said = sentences[int(share * 1e7) % many]
            yield number, 1 + (number - 1) // MESSAGES, role, said, flagged, NOW - int(share * 30 * DAY)

    def activities() -> Rows:
        own = luck("activities")
        return (
            (
                number,
                1 + (number - 1) // ACTIVITIES,
                KINDS[number % len(KINDS)],
                own.randint(5, 1800),
                NOW - int(own.random() * 30 * DAY),
            )
            for number in range(1, sizes["activities"] + 1)
        )

    return {
        "families": families,
        "children": children,
        "conversations": conversations,
        "messages": messages,
        "activities": activities,
    }
