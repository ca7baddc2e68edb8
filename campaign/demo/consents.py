"""A parent's verifiable consent, per child and purpose (16 CFR 312.5).

Collection and disclosure to third parties are consented to apart. A parent may be asked first (pending), and
decide later. Consent counts only for the policy version it was given for, so a changed policy asks again, and
only until it expires. Whoever stores something about a child calls
`require_collection` inside the same transaction: once a revocation has committed, nothing more is stored.
"""

from dataclasses import dataclass
from typing import Literal

from sqlalchemy import ColumnElement, Connection, bindparam, delete, insert, or_, select, update

from campaign.demo.database import Database
from campaign.demo.now import now_ms
from campaign.demo.ownership import keep_child, require_child
from campaign.demo.problems import ConsentRequiredError, NotFoundError
from campaign.demo.schema import children, consents

Kind = Literal["collection", "third_party"]
Method = Literal["signed_form", "payment_card", "video_call", "identity_document", "knowledge_questions"]

COLLECTION = "collection"
THIRD_PARTY = "third_party"
PENDING = "pending"
GRANTED = "granted"
REVOKED = "revoked"
CURRENT_POLICY = "2026-01"


def _stands(kind: str) -> ColumnElement[bool]:
    """That a consent of this kind counts at `now_ms`."""
    return (
        (consents.c.kind == kind)
        & (consents.c.state == GRANTED)
        & (consents.c.policy_version == CURRENT_POLICY)
        & or_(consents.c.expires_at_ms.is_(None), consents.c.expires_at_ms > bindparam("now_ms"))
    )


CONSENTED = (
    select(children.c.id)
    .join(consents, consents.c.child_id == children.c.id)
    .where(
        children.c.id == bindparam("child_id"),
        children.c.parent_id == bindparam("parent_id"),
        _stands(COLLECTION),
    )
    .with_for_update(read=True, of=(children, consents))
)
"""Locks the rows it finds (PostgreSQL), so that deletion and revocation wait for the writer or come first."""

DISCLOSED = select(consents.c.child_id).where(
    consents.c.child_id == bindparam("child_id"), _stands(THIRD_PARTY)
)


@dataclass(frozen=True, slots=True)
class Consent:
    """What a parent decided for one purpose, and how we know that it was the parent."""

    kind: str
    state: str
    policy_version: str
    method: str
    reference: str
    changed_at_ms: int
    expires_at_ms: int | None = None


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

    def ask(self, parent_id: str, child_id: str, *, kind: str) -> Consent:
        """What stands now that the parent was asked to decide: `pending`, where nothing was granted."""
        asked = Consent(kind, PENDING, CURRENT_POLICY, "", "", now_ms())
        with self._database.writing() as connection:
            keep_child(connection, parent_id, child_id=child_id)
            standing = [each for each in consents_of(connection, child_id) if each.kind == kind]
            if standing and standing[0].state == GRANTED:
                return standing[0]
            _put(connection, child_id, asked)
        return asked

    def grant(
        self,
        parent_id: str,
        child_id: str,
        *,
        kind: str,
        policy_version: str,
        verification: Verification,
        good_for_s: float | None = None,
    ) -> Consent:
        """The consent that now stands, in place of an earlier one of the same kind; `good_for_s` seconds."""
        now = now_ms()
        expires = None if good_for_s is None else now + int(good_for_s * 1000)
        method, reference = verification.method, verification.reference
        consent = Consent(kind, GRANTED, policy_version, method, reference, now, expires)
        with self._database.writing() as connection:
            keep_child(connection, parent_id, child_id=child_id)
            _put(connection, child_id, consent)
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
    asked = {"child_id": child_id, "parent_id": parent_id, "now_ms": now_ms()}
    if connection.execute(CONSENTED, asked).first() is None:
        require_child(connection, parent_id, child_id=child_id)
        raise ConsentRequiredError


def may_disclose(connection: Connection, child_id: str) -> bool:
    """Whether a third party may be told of this child, whose owner was checked."""
    return connection.execute(DISCLOSED, {"child_id": child_id, "now_ms": now_ms()}).first() is not None


def _put(connection: Connection, child_id: str, consent: Consent) -> None:
    """Store it in place of an earlier one of the same kind."""
    earlier = (consents.c.child_id == child_id) & (consents.c.kind == consent.kind)
    connection.execute(delete(consents).where(earlier))
    row = {name: getattr(consent, name) for name in Consent.__slots__}
    connection.execute(insert(consents), row | {"child_id": child_id})


def consents_of(connection: Connection, child_id: str) -> list[Consent]:
    """All consents of a child whose owner was checked."""
    columns = (consents.c[name] for name in Consent.__slots__)
    rows = connection.execute(select(*columns).where(consents.c.child_id == child_id))
    return [Consent(*row) for row in rows]
