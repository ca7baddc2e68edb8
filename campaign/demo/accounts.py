"""Parents and their sign-in: passwords, access tokens, refresh tokens that are good for one use.

Of a token only its digest is stored. The access and refresh tokens of one sign-in form a family; a
refresh token that comes back after its use was stolen or replayed, so its whole family ends (RFC 9700,
section 4.14).
"""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, bindparam, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from campaign.demo.database import Database
from campaign.demo.now import now_ms
from campaign.demo.passwords import hash_password, password_matches
from campaign.demo.problems import ConflictError, ForbiddenError, NotSignedInError
from campaign.demo.schema import parents, tokens
from campaign.demo.tokens import digest, new_id, new_token

HOUR_MS = 3_600_000
REFRESH_TOKEN_HOURS = 30 * 24
HELD_BY = select(tokens.c.parent_id, tokens.c.expires_at_ms).where(
    tokens.c.digest == bindparam("digest"),
    tokens.c.kind == "access",
    tokens.c.expires_at_ms > bindparam("now_ms"),
)
SIGNED_IN = (
    select(func.count())
    .select_from(tokens)
    .where(tokens.c.kind == "access", tokens.c.expires_at_ms > bindparam("now_ms"))
)
PROFILE = select(parents.c.id, parents.c.email, parents.c.name, parents.c.created_at_ms).where(
    parents.c.id == bindparam("parent_id")
)


@dataclass(frozen=True, slots=True)
class Tokens:
    """What a sign-in returns; the only time that the tokens themselves are seen."""

    access_token: str
    refresh_token: str
    parent_id: str
    expires_in_s: int
    token_type: str = "bearer"  # noqa: S105 - RFC 6750, no secret


@dataclass(frozen=True, slots=True)
class Refreshed:
    """New tokens (None: refused), and the digests of the old ones, which must be forgotten everywhere."""

    tokens: Tokens | None
    revoked: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds an access token, and until when."""

    parent_id: str
    expires_at_ms: int


@dataclass(frozen=True, slots=True)
class Profile:
    """A parent as shown to that parent."""

    id: str
    email: str
    name: str
    created_at_ms: int


class Accounts:
    """The parents and tokens tables."""

    def __init__(
        self, database: Database, *, password_cost: int, access_token_hours: float, token_key: bytes = b""
    ) -> None:
        self._database = database
        self._password_cost = password_cost
        self._access_ms = int(access_token_hours * HOUR_MS)
        self._token_key = token_key
        self._nobody = hash_password(new_token(), password_cost)

    def register(self, email: str, password: str, *, name: str) -> Tokens:
        """A new parent, signed in; raises ConflictError where the address is taken."""
        parent_id = new_id()
        parent = {
            "id": parent_id,
            "email": email.lower(),
            "name": name,
            "password_hash": hash_password(password, self._password_cost),
            "created_at_ms": now_ms(),
        }
        try:
            with self._database.writing() as connection:
                connection.execute(insert(parents), parent)
                return self._sign_in(connection, parent_id, family=new_id())
        except IntegrityError as error:
            raise ConflictError("there is an account with this e-mail address") from error

    def login(
        self, email: str, password: str, *, good_for_s: int | None = None, keep: str | None = None
    ) -> Tokens:
        """Tokens of a new family; raises NotSignedInError if address or password is wrong.

        `good_for_s` shortens the time that the access token is good for.
        `keep` becomes the access token, whoever chose it: only the defect `session-fixation` says so.
        """
        with self._database.reading() as connection:
            wanted = parents.c.email == email.lower()
            parent = connection.execute(select(parents.c.id, parents.c.password_hash).where(wanted)).first()
        # An unknown address costs as much time as a wrong password, so neither can be told from the other.
        matches = password_matches(password, parent.password_hash if parent else self._nobody)
        if parent is None or not matches:
            raise NotSignedInError("the e-mail address or the password is wrong")
        with self._database.writing() as connection:
            if keep is not None:
                _end(connection, tokens.c.digest == digest(keep, self._token_key))
            access_ms = min(self._access_ms, (good_for_s or self._access_ms) * 1000)
            return self._sign_in(connection, parent.id, family=new_id(), access_ms=access_ms, access=keep)

    def refresh(self, refresh_token: str) -> Refreshed:
        """New tokens for a refresh token not used before; the family's older access tokens end.

        For one that was used before the whole family ends. Raises NotSignedInError for an unknown one.
        """
        presented = tokens.c.digest == digest(refresh_token, self._token_key)
        with self._database.writing() as connection:
            held = connection.execute(
                select(tokens.c.family, tokens.c.parent_id, tokens.c.used)
                .where(presented, tokens.c.kind == "refresh", tokens.c.expires_at_ms > now_ms())
                .with_for_update()
            ).first()
            if held is None:
                raise NotSignedInError("the refresh token is not valid")
            if held.used:
                return Refreshed(None, _end(connection, tokens.c.family == held.family))
            older = (tokens.c.family == held.family) & (tokens.c.kind == "access")
            ended = _end(connection, older)
            connection.execute(update(tokens).where(presented).values(used=True))
            return Refreshed(self._sign_in(connection, held.parent_id, family=held.family), ended)

    def logout(self, access_digest: str) -> tuple[str, ...]:
        """The digests of the family that ended."""
        with self._database.writing() as connection:
            family = connection.execute(
                select(tokens.c.family).where(tokens.c.digest == access_digest)
            ).scalar()
            return _end(connection, tokens.c.family == family)

    def holder(self, access_digest: str) -> Holder | None:
        """Who holds the access token with this digest; None if it is unknown or expired."""
        with self._database.reading() as connection:
            row = connection.execute(HELD_BY, {"digest": access_digest, "now_ms": now_ms()}).first()
        return Holder(row.parent_id, row.expires_at_ms) if row else None

    def signed_in(self) -> int:
        """How many sign-ins have not ended."""
        with self._database.reading() as connection:
            return connection.execute(SIGNED_IN, {"now_ms": now_ms()}).scalar_one()

    def profile(self, parent_id: str) -> Profile:
        """The parent's own data."""
        with self._database.reading() as connection:
            row = connection.execute(PROFILE, {"parent_id": parent_id}).first()
        if row is None:
            raise NotSignedInError("this account does not exist any more")
        return Profile(*row)

    def rename(self, parent_id: str, name: str) -> Profile:
        """The parent's data after the change of name."""
        with self._database.writing() as connection:
            connection.execute(update(parents).where(parents.c.id == parent_id).values(name=name))
        return self.profile(parent_id)

    def change_password(self, parent_id: str, password: str, *, new: str) -> Refreshed:
        """Tokens of a new family, as every sign-in so far ends; raises ForbiddenError unless the old password
        confirms it.
        """
        self._confirm(parent_id, password)
        with self._database.writing() as connection:
            ended = _end(connection, tokens.c.parent_id == parent_id)
            hashed = hash_password(new, self._password_cost)
            connection.execute(update(parents).where(parents.c.id == parent_id).values(password_hash=hashed))
            return Refreshed(self._sign_in(connection, parent_id, family=new_id()), ended)

    def delete(self, parent_id: str, password: str) -> tuple[str, ...]:
        """Delete all that is stored for this family; returns the digests of the tokens that ended.

        Raises ForbiddenError unless the password confirms it.
        """
        self._confirm(parent_id, password)
        with self._database.writing() as connection:
            ended = _end(connection, tokens.c.parent_id == parent_id)
            connection.execute(delete(parents).where(parents.c.id == parent_id))
        return ended

    def _confirm(self, parent_id: str, password: str) -> None:
        """Return if it is the parent's password, else raise ForbiddenError."""
        with self._database.reading() as connection:
            mine = parents.c.id == parent_id
            stored = connection.execute(select(parents.c.password_hash).where(mine)).scalar()
        if stored is None or not password_matches(password, stored):
            raise ForbiddenError("the password is wrong")

    def _sign_in(
        self,
        connection: Connection,
        parent_id: str,
        *,
        family: str,
        access_ms: int | None = None,
        access: str | None = None,
    ) -> Tokens:
        access, refresh, now = access or new_token(), new_token(), now_ms()
        access_ms = access_ms or self._access_ms
        common = {"family": family, "parent_id": parent_id, "used": False}
        ends = {"access": now + access_ms, "refresh": now + REFRESH_TOKEN_HOURS * HOUR_MS}
        rows = [
            common | {"digest": digest(token, self._token_key), "kind": kind, "expires_at_ms": ends[kind]}
            for kind, token in (("access", access), ("refresh", refresh))
        ]
        connection.execute(insert(tokens), rows)
        return Tokens(access, refresh, parent_id, access_ms // 1000)


def _end(connection: Connection, which: ColumnElement[bool]) -> tuple[str, ...]:
    ended = connection.execute(delete(tokens).where(which).returning(tokens.c.digest))
    return tuple(ended.scalars())
