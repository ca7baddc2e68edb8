"""Children, always looked up together with their parent: another family's child is simply not found."""

import time
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from campaign.demo.consents import require_collection
from campaign.demo.database import Database
from campaign.demo.defects import CONNECTION_LEAK, DELETE_RESURRECTS, IDOR_WRITE, LOST_UPDATE
from campaign.demo.now import now_ms
from campaign.demo.ownership import keep_child
from campaign.demo.problems import NotFoundError
from campaign.demo.schema import children, sessions
from campaign.demo.tokens import new_id

NEWEST_SESSION = (
    select(sessions.c.id)
    .where(sessions.c.child_id == children.c.id)
    .order_by(sessions.c.last_active_at_ms.desc())
    .limit(1)
    .scalar_subquery()
)
CHILD = select(
    children.c.id,
    children.c.name,
    children.c.birth_year,
    children.c.interests,
    children.c.created_at_ms,
    NEWEST_SESSION.label("session_id"),
).where(children.c.parent_id == bindparam("parent_id"))
ONE_CHILD = CHILD.where(children.c.id == bindparam("child_id"))
ALL_CHILDREN = CHILD.order_by(children.c.created_at_ms, children.c.id)

REVIEW_S = 0.05
"""How long the review of a profile takes that the defect `delete-resurrects` waits for."""


@dataclass(frozen=True, slots=True)
class Child:
    """A child as its parent sees it; `session_id` is the latest conversation, if there was one."""

    id: str
    name: str
    birth_year: int
    interests: str
    created_at_ms: int
    session_id: str | None


class Children:
    """The children table."""

    def __init__(self, database: Database, *, defects: frozenset[str] = frozenset()) -> None:
        self._database = database
        self._defects = defects
        self._under_way: list[Connection] = []

    def add(self, parent_id: str, name: str, *, birth_year: int) -> Child:
        """A new child, for whom nothing may be collected before there is consent."""
        child = Child(new_id(), name, birth_year, "", now_ms(), None)
        row = {name: getattr(child, name) for name in Child.__slots__ if name != "session_id"}
        with self._database.writing() as connection:
            connection.execute(insert(children), row | {"parent_id": parent_id})
        return child

    def all(self, parent_id: str) -> list[Child]:
        """The parent's children, in the order in which they were added."""
        with self._database.reading() as connection:
            return [Child(*row) for row in connection.execute(ALL_CHILDREN, {"parent_id": parent_id})]

    def one(self, parent_id: str, child_id: str) -> Child:
        """The child; raises NotFoundError if it is not there or not this parent's."""
        if CONNECTION_LEAK in self._defects:
            return self._one_by_hand(parent_id, child_id)
        with self._database.reading() as connection:
            return child_of(connection, parent_id, child_id=child_id)

    def change(self, parent_id: str, child_id: str, *, changes: dict[str, Any]) -> Child:
        """The child after `changes` (column -> new value); a profile is collected, so it needs consent."""
        if IDOR_WRITE in self._defects:
            self._write_first(child_id, changes)
        if LOST_UPDATE in self._defects:
            return self._write_back(parent_id, child_id, changes=changes)
        if DELETE_RESURRECTS in self._defects:
            return self._merge(parent_id, child_id, changes=changes)
        with self._database.writing() as connection:
            # Whole, before consent shares the lock: two who share it and both want more would be a deadlock.
            keep_child(connection, parent_id, child_id=child_id)
            require_collection(connection, parent_id, child_id=child_id)
            if changes:
                connection.execute(update(children).where(children.c.id == child_id).values(changes))
            owner = changes.get("parent_id", parent_id)  # which only the defect `mass-assignment` lets in
            return child_of(connection, owner, child_id=child_id)

    def delete(self, parent_id: str, child_id: str) -> None:
        """Delete the child and all that was stored for it."""
        with self._database.writing() as connection:
            mine = (children.c.id == child_id) & (children.c.parent_id == parent_id)
            if connection.execute(delete(children).where(mine)).rowcount == 0:
                raise NotFoundError("there is no such child")

    def _one_by_hand(self, parent_id: str, child_id: str) -> Child:
        connection = self._database.snapshot().__enter__()
        self._under_way.append(connection)
        child = child_of(connection, parent_id, child_id=child_id)  # where it raises, nobody closes
        connection.close()
        self._under_way.remove(connection)
        return child

    def _write_first(self, child_id: str, changes: dict[str, Any]) -> None:
        """The defect `idor-write`: written before anybody asks whose it is; the answer is 404 even so."""
        if changes:
            with self._database.writing() as connection:
                connection.execute(update(children).where(children.c.id == child_id).values(changes))

    def _merge(self, parent_id: str, child_id: str, *, changes: dict[str, Any]) -> Child:
        """The defect `delete-resurrects`: read, reviewed, and stored whether it is still there or not."""
        with self._database.reading() as connection:
            require_collection(connection, parent_id, child_id=child_id)
            child = replace(child_of(connection, parent_id, child_id=child_id), **changes)
        time.sleep(REVIEW_S)
        row = {name: getattr(child, name) for name in Child.__slots__ if name != "session_id"}
        with self._database.writing() as connection:
            stored = update(children).where(children.c.id == child_id).values(row)
            if connection.execute(stored).rowcount == 0:
                connection.execute(insert(children), row | {"parent_id": parent_id})
        return child

    def _write_back(self, parent_id: str, child_id: str, *, changes: dict[str, Any]) -> Child:
        with self._database.reading() as connection:
            require_collection(connection, parent_id, child_id=child_id)
            child = replace(child_of(connection, parent_id, child_id=child_id), **changes)
        columns = {name: getattr(child, name) for name in ("name", "birth_year", "interests")}
        with self._database.writing() as connection:
            connection.execute(update(children).where(children.c.id == child_id).values(columns))
        return child


def columns_of(sent: dict[str, Any]) -> dict[str, Any]:
    """The defect `mass-assignment`: all that was sent and that the table has a column for."""
    return {name: value for name, value in sent.items() if name in children.c and name != "id"}


def child_of(connection: Connection, parent_id: str, *, child_id: str) -> Child:
    """The child; raises NotFoundError if it is not there or not this parent's."""
    row = connection.execute(ONE_CHILD, {"parent_id": parent_id, "child_id": child_id}).first()
    if row is None:
        raise NotFoundError("there is no such child")
    return Child(*row)
