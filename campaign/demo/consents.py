"""A parent's verifiable consent, per child and purpose (16 CFR 312.5).

Collection and disclosure to third parties are consented to apart. Consent counts only for the policy
version it was given for, so a changed policy asks again. Whoever stores something about a child calls
`require_collection` inside the same transaction: once a revocation has committed, nothing more is stored.
"""

from dataclasses import dataclass
from typing import Literal

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from campaign.demo.database import Database
from campaign.demo.now import now_ms
from campaign.demo.ownership import keep_child, require_child
from campaign.demo.problems import ConsentRequiredError, NotFoundError
from campaign.demo.schema import children, consents

Kind = Literal["collection", "third_party"]
Method = Literal["signed_form", "payment_card", "video_call", "identity_document", "knowledge_questions"]

COLLECTION = "collection"
GRANTED = "granted"
REVOKED = "revoked"
CURRENT_POLICY = "2026-01"

CONSENTED = (
    select(children.c.id)
    .join(consents, consents.c.child_id == children.c.id)
    .where(
        children.c.id == bindparam("child_id"),
        children.c.parent_id == bindparam("parent_id"),
        consents.c.kind == COLLECTION,
        consents.c.state == GRANTED,
        consents.c.policy_version == CURRENT_POLICY,
    )
    .with_for_update(read=True, of=(children, consents))
)
"""Locks the rows it finds (PostgreSQL), so that deletion and revocation wait for the writer or come first."""


@dataclass(frozen=True, slots=True)
class Consent:
    """What a parent decided for one purpose, and how we know that it was the parent."""

    kind: str
    state: str
    policy_version: str
    method: str
    reference: str
    changed_at_ms: int


@dataclass(frozen=True, slots=True)
class Verification:
    """How the parent's identity was checked; `reference` names the record of it."""

    method: str
    reference: str


class Consents:
    """The consents table."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def states(self, parent_id: str, child_id: str) -> list[Consent]:
        """Everything decided for this child so far."""
        with self._database.reading() as connection:
            require_child(connection, parent_id, child_id=child_id)
            return consents_of(connection, child_id)

    def grant(
        self, parent_id: str, child_id: str, *, kind: str, policy_version: str, verification: Verification
    ) -> Consent:
        """The consent that now stands, in place of an earlier one of the same kind."""
        consent = Consent(
            kind, GRANTED, policy_version, verification.method, verification.reference, now_ms()
        )
        with self._database.writing() as connection:
            keep_child(connection, parent_id, child_id=child_id)
            earlier = (consents.c.child_id == child_id) & (consents.c.kind == kind)
            connection.execute(delete(consents).where(earlier))
            row = {name: getattr(consent, name) for name in Consent.__slots__}
            connection.execute(insert(consents), row | {"child_id": child_id})
        return consent

    def revoke(self, parent_id: str, child_id: str, *, kind: str) -> list[Consent]:
        """The states after the revocation; raises NotFoundError if there was nothing to revoke."""
        with self._database.writing() as connection:
            require_child(connection, parent_id, child_id=child_id)
            standing = (consents.c.child_id == child_id) & (consents.c.kind == kind)
            change = update(consents).where(standing).values(state=REVOKED, changed_at_ms=now_ms())
            if connection.execute(change).rowcount == 0:
                raise NotFoundError("there is no such consent")
            return consents_of(connection, child_id)


def require_collection(connection: Connection, parent_id: str, *, child_id: str) -> None:
    """Return if something about this child may be stored in this transaction.

    Raises NotFoundError for a child that is not there or not this parent's, else ConsentRequiredError.
    """
    if connection.execute(CONSENTED, {"child_id": child_id, "parent_id": parent_id}).first() is None:
        require_child(connection, parent_id, child_id=child_id)
        raise ConsentRequiredError


def consents_of(connection: Connection, child_id: str) -> list[Consent]:
    """All consents of a child whose owner was checked."""
    columns = (consents.c[name] for name in Consent.__slots__)
    rows = connection.execute(select(*columns).where(consents.c.child_id == child_id))
    return [Consent(*row) for row in rows]
