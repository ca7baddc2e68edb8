"""Brings a database, new or used before, into the state in which the service can run."""

from sqlalchemy import Connection, Index, Table, select, text
from sqlalchemy.schema import CreateIndex, CreateTable, DropIndex

from campaign.demo.database import Database
from campaign.demo.defects import LAZY_COMMIT, MISSING_INDEX, NO_FOREIGN_KEYS, SLOW_HISTORY
from campaign.demo.options import DemoOptions
from campaign.demo.schema import ACTIVITY_INDEXES, MESSAGE_INDEXES, metadata, parents
from campaign.demo.seeding import seed


def prepare(database: Database, options: DemoOptions) -> None:
    """Create what is missing: tables, the seeded rows if there is no parent yet, indexes.

    Indexes come last, because filling a table is several times as fast without them.
    """
    with database.writing() as connection:
        for table in metadata.sorted_tables:
            connection.execute(_created(table, options.defects))
        if connection.execute(select(parents.c.id).limit(1)).first() is None:
            seed(connection, options)
        for table in metadata.sorted_tables:
            for index in table.indexes:
                connection.execute(_wanted(index, options.defects))
        if database.kind == "postgresql":
            connection.execute(text("ANALYZE"))
            _set_durability(connection, lazy=LAZY_COMMIT in options.defects)


def _created(table: Table, defects: frozenset[str]) -> CreateTable:
    if NO_FOREIGN_KEYS in defects:
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
