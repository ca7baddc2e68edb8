"""Whose child is it? Every access to a child's data asks this first, with the parent from the token."""

from sqlalchemy import Connection, Select, bindparam, select

from campaign.demo.problems import NotFoundError
from campaign.demo.schema import children

IS_MINE = select(children.c.id).where(
    children.c.id == bindparam("child_id"), children.c.parent_id == bindparam("parent_id")
)
IS_MINE_KEPT = IS_MINE.with_for_update()
"""On PostgreSQL the row stays locked until the transaction ends; SQLite has one writer anyway."""


def require_child(connection: Connection, parent_id: str, *, child_id: str) -> None:
    """Return if the child is this parent's, else raise NotFoundError."""
    _require(connection, IS_MINE, parent_id=parent_id, child_id=child_id)


def keep_child(connection: Connection, parent_id: str, *, child_id: str) -> None:
    """Like `require_child`, and nobody else changes or deletes the child before this transaction ends."""
    _require(connection, IS_MINE_KEPT, parent_id=parent_id, child_id=child_id)


def _require(connection: Connection, statement: Select[tuple[str]], *, parent_id: str, child_id: str) -> None:
    found = connection.execute(statement, {"parent_id": parent_id, "child_id": child_id})
    if found.first() is None:
        raise NotFoundError("there is no such child")
