"""What a table looks like to a planner: its columns, what its indexes begin with, about how many rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from campaign.database.address import Kind
from campaign.database.server import Server

if TYPE_CHECKING:
    from sqlalchemy import Inspector

MOST_COUNTED = 1_000_000
"""Rows; a table without statistics is counted so far."""


@dataclass(frozen=True, slots=True)
class Shape:
    """A table: `indexes` are the columns of each index, unique constraint and primary key, in order; `rows`
    is the server's estimate, counted where it has none.
    """

    name: str
    schema: str | None
    columns: tuple[str, ...]
    indexes: tuple[tuple[str, ...], ...]
    rows: int

    def leads_with(self, columns: tuple[str, ...]) -> bool:
        """Whether an index begins with one of these columns."""
        return any(index[0] in columns for index in self.indexes if index)

    def covers(self, columns: tuple[str, ...]) -> bool:
        """Whether an index begins with all of these columns, in whichever order."""
        return any(set(index[: len(columns)]) == set(columns) for index in self.indexes)


def shape_of(server: Server, name: str, schema: str | None = None) -> Shape:
    """What the catalogue says of a table. Raises SQLAlchemy's NoSuchTableError where there is none."""
    from sqlalchemy import inspect  # noqa: PLC0415

    inspector = inspect(server.engine)
    columns = tuple(str(each["name"]) for each in inspector.get_columns(name, schema))
    return Shape(
        name, schema, columns, indexes_of(inspector, name, schema), row_estimate(server, name, schema)
    )


def indexes_of(inspector: Inspector, name: str, schema: str | None = None) -> tuple[tuple[str, ...], ...]:
    """The columns of each index of a table, "" where it indexes an expression, its keys among them."""
    found: list[tuple[str, ...]] = [tuple(inspector.get_pk_constraint(name, schema)["constrained_columns"])]
    found += [tuple(each["column_names"]) for each in inspector.get_unique_constraints(name, schema)]
    for index in inspector.get_indexes(name, schema):
        found.append(tuple(column or "" for column in index["column_names"]))
    return tuple(dict.fromkeys(each for each in found if each))


def row_estimate(server: Server, name: str, schema: str | None = None) -> int:
    """About how many rows a table has: by the server's statistics, else counted up to MOST_COUNTED."""
    estimate = _estimated(server, name, schema)
    return _counted(server, name, schema) if estimate is None else estimate


def quoted(server: Server, name: str, schema: str | None = None) -> str:
    """The table's name as it is written in a statement."""
    return ".".join(identifier(server, each) for each in (schema, name) if each)


def identifier(server: Server, name: str) -> str:
    """A name as it is written in a statement, its per-cent signs as they are: SQLAlchemy doubles them for
    drivers whose parameters begin with one.
    """
    said = str(server.engine.dialect.identifier_preparer.quote(name))
    return said.replace("%%", "%") if said.count("%") == 2 * name.count("%") else said


def _estimated(server: Server, name: str, schema: str | None) -> int | None:
    if server.kind is Kind.POSTGRESQL:
        found = server.scalar(
            "SELECT reltuples::bigint FROM pg_class WHERE oid = to_regclass(:name)",
            name=quoted(server, name, schema),
        )
        return None if found is None or found < 0 else int(found)
    if server.kind is Kind.MYSQL:
        return _number(
            server.scalar(
                "SELECT TABLE_ROWS FROM information_schema.TABLES "
                "WHERE TABLE_NAME = :name AND TABLE_SCHEMA = COALESCE(:schema, DATABASE())",
                name=name,
                schema=schema,
            )
        )
    return None


def _counted(server: Server, name: str, schema: str | None) -> int:
    table = quoted(server, name, schema).replace(":", "\\:")  # which are no parameters
    statement = f"SELECT COUNT(*) FROM (SELECT 1 FROM {table} LIMIT :most) AS counted"  # noqa: S608 - quoted
    return int(server.scalar(statement, most=MOST_COUNTED) or 0)


def _number(value: Any) -> int | None:
    return None if value is None else int(value)
