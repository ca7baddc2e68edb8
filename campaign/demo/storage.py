"""Brings a database, new or used before, into the state in which the service can run."""

from collections.abc import Collection

from sqlalchemy import Connection, Index, Table, inspect, select, text
from sqlalchemy.schema import CreateIndex, CreateTable, DropIndex

from campaign.demo.database import Database
from campaign.demo.defects import (
    DELETE_LEAVES_ROWS,
    LAZY_COMMIT,
    MISSING_INDEX,
    NO_FOREIGN_KEYS,
    SLOW_HISTORY,
    SLOW_START,
)
from campaign.demo.lease import DROP
from campaign.demo.options import DemoOptions, UnusableOptionError
from campaign.demo.references import set_references
from campaign.demo.schema import ACTIVITY_INDEXES, MESSAGE_INDEXES, activities, metadata, parents
from campaign.demo.seeding import seed


def prepare(database: Database, options: DemoOptions) -> tuple[str, ...]:
    """Create what is missing: tables, the seeded rows if there is no parent yet, indexes; and bring what an
    earlier start left into the state that these options want. Returns the names of the tables created.

    Indexes come last, because filling a table is several times as fast without them. Raises
    UnusableOptionError where a table of somebody else has the name of one of ours.
    """
    with database.writing() as connection:
        there = _there(connection)
        if SLOW_START not in options.defects:
            connection.execute(text(DROP))
        for table in metadata.sorted_tables:
            connection.execute(_created(table, options.defects))
        set_references(connection, without=_without_references(options.defects))
        if connection.execute(select(parents.c.id).limit(1)).first() is None:
            seed(connection, options)
        _set_indexes(connection, options.defects)
        if database.kind == "postgresql":
            connection.execute(text("ANALYZE"))
            _set_durability(connection, lazy=LAZY_COMMIT in options.defects)
    return tuple(table.name for table in metadata.sorted_tables if table.name not in there)


def leave(database: Database, created: Collection[str]) -> None:
    """Drop the tables that `prepare` created; what was there before is kept, as a healthy start wants it."""
    with database.writing() as connection:
        connection.execute(text(DROP))
        metadata.drop_all(connection, tables=[metadata.tables[name] for name in created])
        kept = len(created) < len(metadata.tables)
        if kept:
            _set_indexes(connection, frozenset())
        if kept and database.kind == "postgresql":
            set_references(connection)
        if database.kind == "postgresql":
            _set_durability(connection, lazy=False)


def _there(connection: Connection) -> set[str]:
    """The names of our tables that exist. Raises UnusableOptionError where one is not ours."""
    inspector = inspect(connection)
    there = set(inspector.get_table_names()) & set(metadata.tables)
    for name in sorted(there):
        columns = {each["name"] for each in inspector.get_columns(name)}
        if columns != set(metadata.tables[name].columns.keys()):
            raise UnusableOptionError(
                f"the database has a table {name} that is not the demo's: give the demo a database of its own"
            )
    return there


def _set_indexes(connection: Connection, defects: frozenset[str]) -> None:
    for table in metadata.sorted_tables:
        for index in table.indexes:
            connection.execute(_wanted(index, defects))


def _without_references(defects: frozenset[str]) -> frozenset[str]:
    """The tables whose rows nothing deletes together with what they belong to."""
    if NO_FOREIGN_KEYS in defects:
        return frozenset(metadata.tables)
    return frozenset({activities.name}) if DELETE_LEAVES_ROWS in defects else frozenset()


def _created(table: Table, defects: frozenset[str]) -> CreateTable:
    if table.name in _without_references(defects):
        return CreateTable(table, include_foreign_key_constraints=[], if_not_exists=True)
    return CreateTable(table, if_not_exists=True)


def _wanted(index: Index, defects: frozenset[str]) -> CreateIndex | DropIndex:
    left_out = (SLOW_HISTORY in defects and index in MESSAGE_INDEXES) or (
        MISSING_INDEX in defects and index in ACTIVITY_INDEXES
    )
    return DropIndex(index, if_exists=True) if left_out else CreateIndex(index, if_not_exists=True)


def _set_durability(connection: Connection, *, lazy: bool) -> None:
    """Whether all later sessions wait for the disk; what an earlier start left is put back."""
    now_lazy = connection.execute(text("SHOW synchronous_commit")).scalar() == "off"
    if lazy == now_lazy:
        return
    quote = connection.dialect.identifier_preparer.quote
    name = quote(connection.execute(text("SELECT current_database()")).scalar_one())
    change = "SET synchronous_commit = off" if lazy else "RESET synchronous_commit"
    connection.execute(text(f"ALTER DATABASE {name} {change}"))
