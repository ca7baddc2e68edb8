"""Requests that may be sent again: one Idempotency-Key is one turn, however often it arrives.

Only the key and which turn it became are kept; the answer is read back from the messages, so that nothing a
child said is stored twice.
"""

from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, select
from sqlalchemy.dialects import postgresql, sqlite

from campaign.demo.schema import messages, turns_by_key

KEPT_MS = 24 * 3_600_000
"""A key that comes again after this long is a new request."""

TURN_OF_KEY = select(turns_by_key.c.turn_id, turns_by_key.c.session_id).where(
    turns_by_key.c.parent_id == bindparam("parent_id"), turns_by_key.c.key == bindparam("key")
)
LINES = select(messages.c.role, messages.c.text, messages.c.filtered).where(
    messages.c.session_id == bindparam("session_id"), messages.c.turn_id == bindparam("turn_id")
)


@dataclass(frozen=True, slots=True)
class Told:
    """A turn that was stored before under the same key."""

    turn_id: str
    session_id: str
    reply: str
    filtered: bool


def told_before(connection: Connection, parent_id: str, *, key: str) -> Told | None:
    """The turn that this key became; None where it is new."""
    found = connection.execute(TURN_OF_KEY, {"parent_id": parent_id, "key": key}).first()
    if found is None:
        return None
    lines = connection.execute(LINES, {"session_id": found.session_id, "turn_id": found.turn_id}).all()
    reply = next((line.text for line in lines if line.role == "teddy"), "")
    return Told(found.turn_id, found.session_id, reply, any(line.filtered for line in lines))


def claim(connection: Connection, row: dict[str, object]) -> bool:
    """Whether the key was free and is taken now; waits for another transaction that is about to take it."""
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    taking = insert(turns_by_key).on_conflict_do_nothing().returning(turns_by_key.c.key)
    return connection.execute(taking, row).first() is not None
