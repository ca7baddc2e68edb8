"""Who else may look at a child: a guardian whom its parent invited, and an operator of the service.

Both see the child as it is now, in a view of their own; neither may change anything. An invitation is good
for one account, and goes with the child.
"""

from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, insert, select, update

from campaign.demo.activities import LATEST, Activity
from campaign.demo.database import Database
from campaign.demo.now import now_ms
from campaign.demo.ownership import keep_child
from campaign.demo.problems import ForbiddenError, NotFoundError
from campaign.demo.schema import children, guardians, messages, operators
from campaign.demo.tokens import new_id

MOST_LINES = 20
IN_CHARGE = (
    select(children.c.id, children.c.name, children.c.interests)
    .join(guardians, guardians.c.child_id == children.c.id)
    .where(guardians.c.guardian_id == bindparam("guardian_id"))
    .order_by(guardians.c.invited_at_ms)
)
ANY_CHILD = select(children.c.id, children.c.name, children.c.interests).where(
    children.c.id == bindparam("child_id")
)
SAID = (
    select(messages.c.text)
    .where(messages.c.child_id == bindparam("child_id"), messages.c.role == "child")
    .order_by(messages.c.created_at_ms.desc(), messages.c.id.desc())
    .limit(MOST_LINES)
)


@dataclass(frozen=True, slots=True)
class Invitation:
    """What the parent hands to a guardian."""

    invitation: str


@dataclass(frozen=True, slots=True)
class SharedChild:
    """A child as somebody else than its parent sees it: what it said and did last, newest first."""

    id: str
    name: str
    interests: str
    said: list[str]
    activities: list[Activity]


class SharedChildren:
    """The guardians and operators tables."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def invite(self, parent_id: str, child_id: str) -> Invitation:
        """What makes whoever accepts it a guardian of the child; NotFoundError for another parent's."""
        invitation = Invitation(new_id())
        row = {"invitation": invitation.invitation, "child_id": child_id, "invited_at_ms": now_ms()}
        with self._database.writing() as connection:
            keep_child(connection, parent_id, child_id=child_id)
            connection.execute(insert(guardians), row)
        return invitation

    def accept(self, guardian_id: str, invitation: str) -> list[SharedChild]:
        """The children in the guardian's charge; NotFoundError for an invitation that is not good."""
        unused = (guardians.c.invitation == invitation) & guardians.c.guardian_id.is_(None)
        with self._database.writing() as connection:
            accepted = connection.execute(update(guardians).where(unused).values(guardian_id=guardian_id))
            if accepted.rowcount == 0:
                raise NotFoundError("there is no such invitation")
        return self.in_charge_of(guardian_id)

    def in_charge_of(self, guardian_id: str) -> list[SharedChild]:
        """The children whom this guardian may look at."""
        with self._database.reading() as connection:
            rows = connection.execute(IN_CHARGE, {"guardian_id": guardian_id}).all()
            return [_seen(connection, *row) for row in rows]

    def for_operator(self, operator_id: str, child_id: str) -> SharedChild:
        """Any child; ForbiddenError for who is no operator, NotFoundError where there is no such child."""
        with self._database.reading() as connection:
            known = select(operators.c.parent_id).where(operators.c.parent_id == operator_id)
            if connection.execute(known).first() is None:
                raise ForbiddenError("this is for operators")
            row = connection.execute(ANY_CHILD, {"child_id": child_id}).first()
            if row is None:
                raise NotFoundError("there is no such child")
            return _seen(connection, *row)


def _seen(connection: Connection, child_id: str, name: str, interests: str) -> SharedChild:
    said = list(connection.execute(SAID, {"child_id": child_id}).scalars())
    done = [Activity(*row) for row in connection.execute(LATEST, {"child_id": child_id})]
    return SharedChild(child_id, name, interests, said, done)
