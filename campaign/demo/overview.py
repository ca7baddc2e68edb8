"""What a parent sees at a glance: counts, the dashboard, and what the content filter caught."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ScalarSelect, Table, bindparam, func, select

from campaign.demo.database import Database
from campaign.demo.schema import activities, children, messages, safety_events, sessions

MOST_EVENTS = 200
MINE = children.c.parent_id == bindparam("parent_id")


def _count_in_family(table: Table) -> ScalarSelect[int]:
    joined = table.join(children, children.c.id == table.c.child_id)
    return select(func.count()).select_from(joined).where(MINE).scalar_subquery()


def _count_of_child(table: Table) -> ScalarSelect[int]:
    return select(func.count()).select_from(table).where(table.c.child_id == children.c.id).scalar_subquery()


def _latest_of_child(column: Any) -> ScalarSelect[Any]:
    return select(func.max(column)).where(column.table.c.child_id == children.c.id).scalar_subquery()


STATS = select(
    select(func.count()).select_from(children).where(MINE).scalar_subquery(),
    _count_in_family(sessions),
    _count_in_family(messages),
    _count_in_family(safety_events),
)
DASHBOARD = (
    select(
        children.c.id,
        children.c.name,
        _count_of_child(sessions),
        _count_of_child(messages),
        _count_of_child(activities),
        _count_of_child(safety_events),
        _latest_of_child(sessions.c.last_active_at_ms),
    )
    .where(MINE)
    .order_by(children.c.created_at_ms, children.c.id)
)
AUDIT = (
    select(
        safety_events.c.child_id,
        safety_events.c.session_id,
        safety_events.c.turn_id,
        safety_events.c.direction,
        safety_events.c.category,
        safety_events.c.created_at_ms,
    )
    .join(children, children.c.id == safety_events.c.child_id)
    .where(MINE)
    .order_by(safety_events.c.created_at_ms.desc(), safety_events.c.id.desc())
    .limit(MOST_EVENTS)
)


@dataclass(frozen=True, slots=True)
class Stats:
    """Counts over the parent's own children; `filtered` counts what the content filter caught."""

    children: int
    sessions: int
    messages: int
    filtered: int


@dataclass(frozen=True, slots=True)
class ChildSummary:
    """One child's line on the dashboard; `last_active_at_ms` is None before the first conversation."""

    id: str
    name: str
    sessions: int
    messages: int
    activities: int
    filtered: int
    last_active_at_ms: int | None


@dataclass(frozen=True, slots=True)
class SafetyEvent:
    """One line the filter caught: by whom (`child` or `teddy`) and why; the words are in the history."""

    child_id: str
    session_id: str
    turn_id: str
    direction: str
    category: str
    created_at_ms: int


class Overview:
    """Reads totals over a parent's family."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def stats(self, parent_id: str) -> Stats:
        """The family's counts."""
        with self._database.reading() as connection:
            return Stats(*connection.execute(STATS, {"parent_id": parent_id}).one())

    def dashboard(self, parent_id: str) -> list[ChildSummary]:
        """One summary per child."""
        with self._database.reading() as connection:
            return [ChildSummary(*row) for row in connection.execute(DASHBOARD, {"parent_id": parent_id})]

    def audit(self, parent_id: str) -> list[SafetyEvent]:
        """What the filter caught lately, newest first."""
        with self._database.reading() as connection:
            return [SafetyEvent(*row) for row in connection.execute(AUDIT, {"parent_id": parent_id})]
