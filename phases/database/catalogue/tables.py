"""The tables of the target's own schema, as the database's catalogue describes them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from campaign.database.address import Kind
from campaign.database.server import Server
from campaign.database.shapes import indexes_of, row_estimate

if TYPE_CHECKING:
    from sqlalchemy import Inspector

MOST_TABLES = 500
_OURS = re.compile(r"campaign_[0-9a-f]{8}(_.*)?")
_SYSTEM = re.compile(r"information_schema|pg_.*|sys|mysql|performance_schema")


@dataclass(frozen=True, slots=True)
class Key:
    """A foreign key: these columns refer to those of another table. `proved` unless it was declared NOT
    VALID, so that rows from before were never held against it.
    """

    columns: tuple[str, ...]
    table: str
    schema: str | None
    refers_to: tuple[str, ...]
    proved: bool = True


@dataclass(frozen=True, slots=True)
class Table:
    """A table of the target: `columns` maps each name to a word for the family of its type, `rows` is about
    how many there are (0 where nobody can say), `engine` MariaDB's word for how it is stored, "" elsewhere.
    """

    name: str
    schema: str | None
    columns: Mapping[str, str]
    primary_key: tuple[str, ...]
    keys: tuple[Key, ...]
    indexes: tuple[tuple[str, ...], ...]
    rows: int
    engine: str = ""

    @property
    def shown(self) -> str:
        """How people call it: with its schema where that is not the usual one."""
        return f"{self.schema}.{self.name}" if self.schema else self.name

    def has_index(self, columns: tuple[str, ...]) -> bool:
        """Whether an index begins with these columns, in whichever order."""
        return any(set(index[: len(columns)]) == set(columns) for index in self.indexes)


def read_tables(server: Server, *, stopping: Callable[[], bool]) -> tuple[list[Table], int]:
    """The target's tables in order, none of ours, at most MOST_TABLES, fewer where it is stopping; and how
    many there are. Blocks.
    """
    from sqlalchemy import inspect  # noqa: PLC0415 - where a database is asked

    inspector = inspect(server.engine)
    engines, unproved = _engines(server), _unproved(server)
    names = list(_names(inspector, server))
    tables: list[Table] = []
    for schema, name in names[:MOST_TABLES]:
        if stopping():
            break
        own = {key for within, table, key in unproved if (within, table) == (schema, name)}
        tables.append(
            _table(inspector, server, name=name, schema=schema, engine=engines.get(name, ""), unproved=own)
        )
    return tables, len(names)


def _names(inspector: Inspector, server: Server) -> Iterator[tuple[str | None, str]]:
    usual = inspector.default_schema_name
    schemas: list[str | None] = [None]
    if server.kind is Kind.POSTGRESQL:
        schemas += [
            each for each in inspector.get_schema_names() if each != usual and not _SYSTEM.fullmatch(each)
        ]
    for schema in schemas:
        if schema is None or not _OURS.fullmatch(schema):
            names = sorted(inspector.get_table_names(schema))
            yield from ((schema, name) for name in names if not _OURS.fullmatch(name))


def _table(
    inspector: Inspector, server: Server, *, name: str, schema: str | None, engine: str, unproved: set[str]
) -> Table:
    return Table(
        name,
        schema,
        {str(each["name"]): _family(each["type"]) for each in inspector.get_columns(name, schema)},
        tuple(inspector.get_pk_constraint(name, schema)["constrained_columns"]),
        tuple(_key(each, schema, unproved) for each in inspector.get_foreign_keys(name, schema)),
        indexes_of(inspector, name, schema),
        _rows(server, name, schema),
        engine,
    )


def _rows(server: Server, name: str, schema: str | None) -> int:
    from sqlalchemy.exc import SQLAlchemyError  # noqa: PLC0415

    try:
        return row_estimate(server, name, schema)
    except SQLAlchemyError:  # somebody holds a lock on it, or we may not read it
        return 0


def _key(said: Any, schema: str | None, unproved: set[str]) -> Key:
    return Key(
        tuple(said["constrained_columns"]),
        str(said["referred_table"]),
        said.get("referred_schema") or schema,
        tuple(said["referred_columns"]),
        said["name"] not in unproved,
    )


def _family(kind: Any) -> str:
    """A word for types that may be compared: whole numbers of any size are one family, texts another."""
    affinity = getattr(kind, "_type_affinity", None) or type(kind)
    return str(affinity.__name__).lower()


def _engines(server: Server) -> dict[str, str]:
    if server.kind is not Kind.MYSQL:
        return {}
    rows = server.rows(
        "SELECT TABLE_NAME AS name, ENGINE AS engine FROM information_schema.TABLES "
        "WHERE TABLE_SCHEMA = DATABASE() AND TABLE_TYPE = 'BASE TABLE'"
    )
    return {str(row["name"]): str(row["engine"] or "") for row in rows}


def _unproved(server: Server) -> set[tuple[str | None, str, str]]:
    """Schema, table and name of the foreign keys that were declared NOT VALID (PostgreSQL)."""
    if server.kind is not Kind.POSTGRESQL:
        return set()
    rows = server.rows(
        "SELECT NULLIF(nspname, current_schema()) AS schema, relname AS table, conname AS name "
        "FROM pg_constraint c JOIN pg_class t ON t.oid = c.conrelid "
        "JOIN pg_namespace n ON n.oid = t.relnamespace WHERE contype = 'f' AND NOT convalidated"
    )
    return {(row["schema"], str(row["table"]), str(row["name"])) for row in rows}
