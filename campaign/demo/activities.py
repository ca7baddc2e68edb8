"""A child's activity log: what was played or learned, without the words that were said."""

from dataclasses import dataclass
from typing import Literal

from sqlalchemy import bindparam, insert, select

from campaign.demo.consents import require_collection
from campaign.demo.database import Database
from campaign.demo.defects import CONSENT_NOT_CHECKED
from campaign.demo.now import now_ms
from campaign.demo.ownership import require_child
from campaign.demo.schema import activities

Kind = Literal["story", "game", "homework", "music", "rest"]
MOST_ACTIVITIES = 100

LATEST = (
    select(activities.c.kind, activities.c.detail, activities.c.created_at_ms)
    .where(activities.c.child_id == bindparam("child_id"))
    .order_by(activities.c.created_at_ms.desc(), activities.c.id.desc())
    .limit(MOST_ACTIVITIES)
)


@dataclass(frozen=True, slots=True)
class Activity:
    """One event of a child's day."""

    kind: str
    detail: str
    created_at_ms: int


class Activities:
    """The activities table."""

    def __init__(self, database: Database, *, defects: frozenset[str] = frozenset()) -> None:
        self._database = database
        self._require = require_child if CONSENT_NOT_CHECKED in defects else require_collection

    def add(self, parent_id: str, child_id: str, *, kind: str, detail: str) -> Activity:
        """The stored event; needs consent, as any other collection does."""
        activity = Activity(kind, detail, now_ms())
        row = {"child_id": child_id, "kind": kind, "detail": detail, "created_at_ms": activity.created_at_ms}
        with self._database.writing() as connection:
            self._require(connection, parent_id, child_id=child_id)
            connection.execute(insert(activities), row)
        return activity

    def latest(self, parent_id: str, child_id: str) -> list[Activity]:
        """The child's latest events, newest first."""
        with self._database.reading() as connection:
            require_child(connection, parent_id, child_id=child_id)
            return [Activity(*row) for row in connection.execute(LATEST, {"child_id": child_id})]
