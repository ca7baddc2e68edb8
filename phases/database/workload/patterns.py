"""The statements of a child-companion service, each with the parameters that a service would give it."""

from __future__ import annotations

from campaign.database.territory import Territory
from phases.database.pattern import Between, OneOf, Pattern, Statement
from phases.database.workload.rows import DAY, FAMILY, KINDS, NOW
from phases.database.workload.settings import PatternName, WorkloadSettings

RETRIES = 2

STATEMENTS: dict[PatternName, str] = {
    "conversation_history": """
        SELECT m.id, m.role, m.text, m.created
        FROM {messages} m JOIN {conversations} c ON c.id = m.conversation_id
        WHERE c.child_id = :child ORDER BY m.created DESC LIMIT 50""",
    "profile_lookup": """
        SELECT ch.id, ch.nickname, ch.age, ch.language, f.plan, f.consent
        FROM {children} ch JOIN {families} f ON f.id = ch.family_id WHERE ch.id = :child""",
    "activity_log": """
        INSERT INTO {activities} (child_id, kind, seconds, created)
        VALUES (:child, :kind, :seconds, :created)""",
    "dashboard": """
        SELECT a.kind, COUNT(*) AS times, SUM(a.seconds) AS seconds
        FROM {activities} a JOIN {children} ch ON ch.id = a.child_id
        WHERE ch.family_id = :family AND a.created >= :since GROUP BY a.kind""",
    "safety_audit": """
        SELECT m.id, m.conversation_id, m.text, m.created FROM {messages} m
        WHERE m.flagged = 1 AND m.created >= :since ORDER BY m.created DESC LIMIT 100""",
}
"""What each pattern says; the tables' names are filled in."""

_TABLES = ("families", "children", "conversations", "messages", "activities")


def patterns(place: Territory, settings: WorkloadSettings) -> tuple[Pattern, ...]:
    """Those that the settings ask for, with their weights."""
    names = {table: place.full(table) for table in _TABLES}
    params = _params(settings.scale)
    return tuple(
        Pattern(
            name=name,
            weight=weight,
            statements=(Statement(STATEMENTS[name].format_map(names), params[name]),),
            writes=name == "activity_log",
            retries=RETRIES,
        )
        for name, weight in settings.weights.items()
    )


def _params(scale: int) -> dict[PatternName, dict[str, Between | OneOf]]:
    child = Between(1, scale)
    return {
        "conversation_history": {"child": child},
        "profile_lookup": {"child": child},
        "activity_log": {
            "child": child,
            "kind": OneOf(KINDS),
            "seconds": Between(5, 1800),
            "created": Between(NOW, NOW + DAY),
        },
        "dashboard": {"family": Between(1, max(1, scale // FAMILY)), "since": Between(NOW - 30 * DAY, NOW)},
        "safety_audit": {"since": Between(NOW - 7 * DAY, NOW)},
    }
