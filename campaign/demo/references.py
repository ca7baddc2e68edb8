"""Foreign keys of tables that may be older than this start: there, or not, as this start wants it."""

from collections.abc import Collection, Iterator

from sqlalchemy import Connection, ForeignKeyConstraint, Table, delete, exists, inspect, text

from campaign.demo.options import UnusableOptionError
from campaign.demo.schema import metadata


def set_references(connection: Connection, *, without: Collection[str] = ()) -> None:
    """Add the foreign keys that are missing, after the rows that would break them were deleted; drop those of
    the tables that are to be `without`.

    Raises UnusableOptionError on SQLite, which can do neither to a table that exists.
    """
    for table in metadata.sorted_tables:
        wanted = table.name not in without
        for constraint, name in list(_there(connection, table)):
            if wanted == bool(name):
                continue
            if connection.dialect.name == "sqlite":
                raise UnusableOptionError(_unchangeable(wanted=wanted))
            if wanted:
                _add(connection, table, constraint)
            else:
                _drop(connection, table, name)


def _there(connection: Connection, table: Table) -> Iterator[tuple[ForeignKeyConstraint, str]]:
    """Each foreign key as it should be, and its name in the database, or "" where it is not there."""
    found = {
        each["constrained_columns"][0]: each["name"] or "unnamed"
        for each in inspect(connection).get_foreign_keys(table.name)
    }
    for constraint in table.foreign_key_constraints:
        yield constraint, found.get(constraint.column_keys[0], "")


def _unchangeable(*, wanted: bool) -> str:
    had, way = ("no foreign keys", "use") if wanted else ("foreign keys", "for this defect use")
    return (
        f"the demo's tables in this SQLite file have {had}, and SQLite cannot change that: {way} a new file"
    )


def _add(connection: Connection, table: Table, constraint: ForeignKeyConstraint) -> None:
    (element,) = constraint.elements
    column, target = element.parent, element.column
    connection.execute(delete(table).where(~exists().where(target == column)))
    connection.execute(
        text(
            f"ALTER TABLE {table.name} ADD FOREIGN KEY ({column.name}) "
            f"REFERENCES {target.table.name} ({target.name}) ON DELETE CASCADE"
        )
    )


def _drop(connection: Connection, table: Table, name: str) -> None:
    quoted = connection.dialect.identifier_preparer.quote(name)
    connection.execute(text(f"ALTER TABLE {table.name} DROP CONSTRAINT {quoted}"))
