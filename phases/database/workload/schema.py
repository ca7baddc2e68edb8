"""The tables of a child-companion service, in a place of our own; moments are seconds since 1970."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, SmallInteger, String, Text

from campaign.database.territory import Territory

if TYPE_CHECKING:
    from sqlalchemy import Table


@dataclass(frozen=True, slots=True)
class Tables:
    """All tables, parents before children."""

    families: Table
    children: Table
    conversations: Table
    messages: Table
    activities: Table

    @property
    def all(self) -> tuple[Table, ...]:
        """In the order in which they can be made and filled."""
        return self.families, self.children, self.conversations, self.messages, self.activities


def tables(place: Territory) -> Tables:
    """The tables with the keys and indexes that their statements need; nothing is made yet."""
    number = BigInteger().with_variant(Integer, "sqlite")  # SQLite counts up only INTEGER keys

    def key() -> Column[int]:
        return Column("id", number, primary_key=True)

    def to(name: str, table: str) -> Column[int]:
        return Column(name, number, ForeignKey(place.full(f"{table}.id")), nullable=False)

    return Tables(
        families=place.table(
            "families", key(), Column("plan", String(20), nullable=False), Column("consent", SmallInteger)
        ),
        children=place.table(
            "children",
            key(),
            to("family_id", "families"),
            Column("nickname", String(40), nullable=False),
            Column("age", SmallInteger, nullable=False),
            Column("language", String(8), nullable=False),
            Index(f"{place.name}_children_family", "family_id"),
        ),
        conversations=place.table(
            "conversations",
            key(),
            to("child_id", "children"),
            Column("started", BigInteger, nullable=False),
            Index(f"{place.name}_conversations_child", "child_id"),
        ),
        messages=place.table(
            "messages",
            key(),
            to("conversation_id", "conversations"),
            Column("role", String(10), nullable=False),
            Column("text", Text, nullable=False),
            Column("flagged", SmallInteger, nullable=False),
            Column("created", BigInteger, nullable=False),
            Index(f"{place.name}_messages_conversation", "conversation_id", "created"),
            Index(f"{place.name}_messages_flagged", "flagged", "created"),
        ),
        activities=place.table(
            "activities",
            key(),
            to("child_id", "children"),
            Column("kind", String(20), nullable=False),
            Column("seconds", Integer, nullable=False),
            Column("created", BigInteger, nullable=False),
            Index(f"{place.name}_activities_child", "child_id", "created"),
        ),
    )
