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
    Column("expires_at_ms", BigInteger, nullable=True),
)

guardians = Table(
    "guardians",
    metadata,
    Column("invitation", String(16), primary_key=True),
    _belongs_to("children"),
    Column("guardian_id", String(16), ForeignKey("parents.id", ondelete="CASCADE"), nullable=True),
    _moment("invited_at_ms"),
    Index("guardians_by_child", "child_id"),
    Index("guardians_by_guardian", "guardian_id"),
)

operators = Table("operators", metadata, _belongs_to("parents", primary_key=True))

toys = Table(
    "toys",
    metadata,
    _belongs_to("children", primary_key=True),
    Column("key", String(64), nullable=False),
    _moment("paired_at_ms"),
)

sessions = Table(
    "sessions",
    metadata,
    _id(),
    _belongs_to("children"),
    _moment("started_at_ms"),
    _moment("last_active_at_ms"),
    Index("sessions_by_child", "child_id", "last_active_at_ms"),
)

messages = Table(
    "messages",
    metadata,
    _row_number(),
    Column("turn_id", String(32), nullable=False),
    _belongs_to("sessions"),
    _belongs_to("children"),
    Column("role", String(10), nullable=False),
    Column("text", Text, nullable=False),
    Column("filtered", Boolean, nullable=False),
    _moment("created_at_ms"),
)

MESSAGE_INDEXES = (
    Index("messages_by_session", messages.c.session_id, messages.c.created_at_ms),
    Index("messages_by_child", messages.c.child_id, messages.c.created_at_ms),
)
"""Apart from the others, because a defect leaves them out."""

safety_events = Table(
    "safety_events",
    metadata,
    _row_number(),
    _belongs_to("children"),
    _belongs_to("sessions"),
    Column("turn_id", String(32), nullable=False),
    Column("direction", String(10), nullable=False),
    Column("category", String(30), nullable=False),
    _moment("created_at_ms"),
    Index("safety_events_by_child", "child_id", "created_at_ms"),
    Index("safety_events_by_session", "session_id"),
)

activities = Table(
    "activities",
    metadata,
    _row_number(),
    _belongs_to("children"),
    Column("kind", String(30), nullable=False),
    Column("detail", String(200), nullable=False),
    _moment("created_at_ms"),
)

ACTIVITY_INDEXES = (Index("activities_by_child", activities.c.child_id, activities.c.created_at_ms),)
"""Apart from the others, as above."""

turns_by_key = Table(
    "turns_by_key",
    metadata,
    _belongs_to("parents", primary_key=True),
    Column("key", String(100), primary_key=True),
    _belongs_to("sessions"),
    Column("turn_id", String(32), nullable=False),
    _moment("created_at_ms"),
    Index("turns_by_key_by_session", "session_id"),
    Index("turns_by_key_by_time", "created_at_ms"),
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
