"""The export of everything stored for a family (GDPR Art. 15 and 20; 16 CFR 312.6).

A request is recorded, and the document is made when it is fetched: as no copy is kept, a later deletion
cannot miss one, and the export is never out of date.
"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Table, insert, select

from campaign.demo.database import Database
from campaign.demo.defects import EXPORT_LEAK
from campaign.demo.now import now_ms
from campaign.demo.problems import NotFoundError
from campaign.demo.schema import (
    activities,
    children,
    consents,
    exports,
    messages,
    parents,
    safety_events,
    sessions,
)
from campaign.demo.tokens import new_id

OF_CHILD = {
    "consents": consents,
    "sessions": sessions,
    "messages": messages,
    "activities": activities,
    "safety_events": safety_events,
}
NOT_PERSONAL = {"password_hash"}


@dataclass(frozen=True, slots=True)
class Export:
    """A request for a copy of everything, and the copy itself once it is `complete`."""

    id: str
    status: str
    requested_at_ms: int
    data: dict[str, Any] | None = None


class Privacy:
    """Copies of all that is stored for a family."""

    def __init__(self, database: Database, *, defects: frozenset[str] = frozenset()) -> None:
        self._database = database
        self._anybody = EXPORT_LEAK in defects

    def request_export(self, parent_id: str) -> Export:
        """The accepted request; fetch it by its id."""
        export = Export(new_id(), "accepted", now_ms())
        row = {"id": export.id, "parent_id": parent_id, "requested_at_ms": export.requested_at_ms}
        with self._database.writing() as connection:
            connection.execute(insert(exports), row)
        return export

    def export(self, parent_id: str, export_id: str) -> Export:
        """The complete export, all of one moment; NotFoundError for another parent's request."""
        with self._database.snapshot() as connection:
            asked = select(exports.c.requested_at_ms, exports.c.parent_id).where(exports.c.id == export_id)
            requested = connection.execute(asked).first()
            if requested is None or (requested.parent_id != parent_id and not self._anybody):
                raise NotFoundError("there is no such export")
            everything = _everything(connection, requested.parent_id)
            return Export(export_id, "complete", requested.requested_at_ms, everything)


def _everything(connection: Connection, parent_id: str) -> dict[str, Any]:
    (parent,) = _rows(connection, parents, column="id", value=parent_id)
    own = _rows(connection, children, column="parent_id", value=parent_id)
    return {"parent": parent, "children": [child | _of_child(connection, child["id"]) for child in own]}


def _of_child(connection: Connection, child_id: str) -> dict[str, Any]:
    return {
        name: _rows(connection, table, column="child_id", value=child_id) for name, table in OF_CHILD.items()
    }


def _rows(connection: Connection, table: Table, *, column: str, value: str) -> list[dict[str, Any]]:
    columns = [c for c in table.columns if c.name not in NOT_PERSONAL]
    statement = select(*columns).where(table.c[column] == value).order_by(*table.primary_key.columns)
    return [dict(row) for row in connection.execute(statement).mappings()]
