"""The toys that children talk to. A toy is paired by the parent and gets a signed token, good for its child
alone; it can do nothing that a parent can.

Each pairing has a key of its own, so that the tokens of one child are worth nothing for another, and all of
them end when the toy is unpaired or the child is deleted.
"""

import secrets
from dataclasses import dataclass

from sqlalchemy import delete, insert, select

from campaign.demo.children import Child, child_of
from campaign.demo.database import Database
from campaign.demo.defects import TOKEN_ALG_NONE
from campaign.demo.now import now_ms
from campaign.demo.ownership import keep_child, require_child
from campaign.demo.problems import NotSignedInError
from campaign.demo.schema import children, toys
from campaign.demo.signed import claims_of, is_signed, sign

PAIRED = select(toys.c.key, children.c.parent_id).join(children, children.c.id == toys.c.child_id)


@dataclass(frozen=True, slots=True)
class ToyToken:
    """What a toy is given."""

    toy_token: str
    child_id: str
    expires_in_s: int


@dataclass(frozen=True, slots=True)
class Toy:
    """A toy that has shown a good token."""

    parent_id: str
    child_id: str


class Toys:
    """The toys table."""

    def __init__(self, database: Database, *, defects: frozenset[str] = frozenset()) -> None:
        self._database = database
        self._by_its_header = TOKEN_ALG_NONE in defects

    def pair(self, parent_id: str, child_id: str, *, good_for_s: int) -> ToyToken:
        """The token of a toy for this child; a child's earlier pairing stays, if there is one."""
        with self._database.writing() as connection:
            keep_child(connection, parent_id, child_id=child_id)
            mine = toys.c.child_id == child_id
            key = connection.execute(select(toys.c.key).where(mine)).scalar()
            if key is None:
                key = secrets.token_hex(32)
                row = {"child_id": child_id, "key": key, "paired_at_ms": now_ms()}
                connection.execute(insert(toys), row)
        now = now_ms() // 1000
        claims = {"sub": child_id, "iat": now, "exp": now + good_for_s}
        return ToyToken(sign(claims, bytes.fromhex(key)), child_id, good_for_s)

    def unpair(self, parent_id: str, child_id: str) -> None:
        """End all tokens of this child's toys."""
        with self._database.writing() as connection:
            require_child(connection, parent_id, child_id=child_id)
            connection.execute(delete(toys).where(toys.c.child_id == child_id))

    def toy(self, token: str) -> Toy:
        """Whose toy has this token; raises NotSignedInError for one that is not good (any more)."""
        claims = claims_of(token) or {}
        child_id, expires = claims.get("sub"), claims.get("exp")
        if not isinstance(child_id, str) or not isinstance(expires, int) or expires <= now_ms() / 1000:
            raise NotSignedInError("the toy's token is not valid")
        with self._database.reading() as connection:
            pairing = connection.execute(PAIRED.where(toys.c.child_id == child_id)).first()
        if pairing is None or not self._signed(token, pairing.key):
            raise NotSignedInError("the toy's token is not valid")
        return Toy(str(pairing.parent_id), child_id)

    def child(self, toy: Toy) -> Child:
        """The toy's child."""
        with self._database.reading() as connection:
            return child_of(connection, toy.parent_id, child_id=toy.child_id)

    def _signed(self, token: str, key: str) -> bool:
        return is_signed(token, bytes.fromhex(key), by_its_header=self._by_its_header)
