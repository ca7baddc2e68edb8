"""Brings a database, new or used before, into the state in which the service can run."""

from sqlalchemy import Index, select, text
from sqlalchemy.schema import CreateIndex, CreateTable, DropIndex

from campaign.demo.database import Database
from campaign.demo.defects import SLOW_HISTORY
from campaign.demo.options import DemoOptions
from campaign.demo.schema import MESSAGE_INDEXES, metadata, parents
from campaign.demo.seeding import seed


def prepare(database: Database, options: DemoOptions) -> None:
    """Create what is missing: tables, the seeded rows if there is no parent yet, indexes.

    Indexes come last, because filling a table is several times as fast without them.
    """
    with database.writing() as connection:
        for table in metadata.sorted_tables:
            connection.execute(CreateTable(table, if_not_exists=True))
        if connection.execute(select(parents.c.id).limit(1)).first() is None:
            seed(connection, options)
        for table in metadata.sorted_tables:
            for index in table.indexes:
                connection.execute(_wanted(index, options.defects))
        if database.kind == "postgresql":
            connection.execute(text("ANALYZE"))


def _wanted(index: Index, defects: frozenset[str]) -> CreateIndex | DropIndex:
    if SLOW_HISTORY in defects and index in MESSAGE_INDEXES:
        return DropIndex(index, if_exists=True)
    return CreateIndex(index, if_not_exists=True)
