"""The tables. Moments are milliseconds since 1970 (UTC); identifiers are random and 16 characters long.

Everything hangs from a parent by ON DELETE CASCADE, so that deleting an account or a child in one
statement deletes all that was ever stored for it.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
)

metadata = MetaData()


def _id() -> Column[str]:
    return Column("id", String(16), primary_key=True)


def _belongs_to(table: str, *, primary_key: bool = False) -> Column[str]:
    target = ForeignKey(f"{table}.id", ondelete="CASCADE")
    name = {"parents": "parent_id", "children": "child_id", "sessions": "session_id"}[table]
    return Column(name, String(16), target, nullable=False, primary_key=primary_key)


def _row_number() -> Column[int]:
    return Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True)


def _moment(name: str) -> Column[int]:
    return Column(name, BigInteger, nullable=False)


parents = Table(
    "parents",
    metadata,
    _id(),
    Column("email", String(254), nullable=False, unique=True),
    Column("name", String(100), nullable=False),
    Column("password_hash", String(200), nullable=False),
    _moment("created_at_ms"),
)

tokens = Table(
    "tokens",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("family", String(16), nullable=False),
    _belongs_to("parents"),
    Column("kind", String(10), nullable=False),
    Column("used", Boolean, nullable=False),
    _moment("expires_at_ms"),
    Index("tokens_by_parent", "parent_id"),
    Index("tokens_by_family", "family"),
    Index("tokens_by_expiry", "expires_at_ms"),
)

children = Table(
    "children",
    metadata,
    _id(),
    _belongs_to("parents"),
    Column("name", String(100), nullable=False),
    Column("birth_year", Integer, nullable=False),
    Column("interests", String(200), nullable=False),
    _moment("created_at_ms"),
    Index("children_by_parent", "parent_id"),
)

consents = Table(
    "consents",
    metadata,
    _belongs_to("children", primary_key=True),
    Column("kind", String(20), primary_key=True),
    Column("state", String(10), nullable=False),
    Column("policy_version", String(20), nullable=False),
    Column("method", String(30), nullable=False),
    Column("reference", String(100), nullable=False),
    _moment("changed_at_ms"),
)

recordings = Table(
    "recordings",
    metadata,
    _id(),
    _belongs_to("children"),
    Column("audio", LargeBinary, nullable=False),
    _moment("created_at_ms"),
    Index("recordings_by_child", "child_id"),
)
"""Empty, but where a defect keeps what should be gone."""

exports = Table(
    "exports",
    metadata,
    _id(),
    _belongs_to("parents"),
    _moment("requested_at_ms"),
    Index("exports_by_parent", "parent_id"),
)
