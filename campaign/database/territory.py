"""A place of our own in somebody else's database: made, filled, and dropped again, also after a crash.

On PostgreSQL it is a schema, elsewhere a prefix of table names. Its name is `campaign_` and eight hex digits,
and a table `owner` in it says who made it, so that `campaign clean` finds what a killed run left behind and
never takes what is still in use or somebody else's.
"""

from __future__ import annotations

import re
import secrets
from typing import TYPE_CHECKING, Any

from campaign.database.address import Kind
from campaign.database.failure import FailureKind, failure_of
from campaign.database.server import Server
from campaign.target.owner import Owner

if TYPE_CHECKING:
    from sqlalchemy import Column, MetaData, Table
    from sqlalchemy.schema import SchemaItem

_NAME = re.compile(r"campaign_[0-9a-f]{8}")
OWNER = "owner"
"""The table that says whose the place is: host, process, and when it was made (seconds since 1970)."""


class Territory:
    """Tables of our own. Make them with `table` and `create`; `drop` takes all of them away at once."""

    def __init__(self, server: Server, name: str) -> None:
        from sqlalchemy import MetaData  # noqa: PLC0415

        self.server = server
        self.name = name
        self.schema = name if server.kind is Kind.POSTGRESQL else None
        self.prefix = "" if self.schema else f"{name}_"
        self.metadata: MetaData = MetaData(schema=self.schema)

    def table(self, name: str, *parts: Column[Any] | SchemaItem) -> Table:
        """A table of ours by its short name; nothing is made yet. On MariaDB and MySQL it is InnoDB."""
        from sqlalchemy import Table  # noqa: PLC0415

        return Table(f"{self.prefix}{name}", self.metadata, *parts, mysql_engine="InnoDB")

    def full(self, name: str) -> str:
        """How statements and foreign keys call it: `full("children")`, `full("children.id")`."""
        return f"{self.schema}.{name}" if self.schema else f"{self.prefix}{name}"

    def create(self, *tables: Table) -> None:
        """Make these tables and their indexes."""
        with self.server.writing() as connection:
            self.metadata.create_all(connection, tables=list(tables), checkfirst=False)

    def drop(self) -> None:
        """Take away everything that is in it, whoever made it there."""
        drop(self.server, self.name)


def claim(server: Server) -> Territory:
    """A new place of our own. Raises what SQLAlchemy raises where we may not make one."""
    from sqlalchemy import BigInteger, Column, Float, String, insert  # noqa: PLC0415

    territory = Territory(server, f"campaign_{secrets.token_hex(4)}")
    owner = territory.table(
        OWNER,
        Column("host", String(255), nullable=False),
        Column("process", BigInteger, nullable=False),
        Column("began", Float(53), nullable=False),
    )
    mine = Owner.here()
    row = {"host": mine.host, "process": mine.process, "began": mine.began}
    with server.writing() as connection:  # one transaction, where tables are made in one
        if territory.schema:
            connection.exec_driver_sql(f"CREATE SCHEMA {territory.schema}")
        territory.metadata.create_all(connection, tables=[owner], checkfirst=False)
        connection.execute(insert(owner), row)
    return territory


def places(server: Server) -> dict[str, Owner]:
    """All places of this and of earlier runs in the database, and who made each.

    What has a name like ours and no table `owner` like ours is somebody else's, and not among them.
    """
    owners = {name: _owner(server, name) for name in _names(server)}
    return {name: owner for name, owner in owners.items() if owner is not None}


def is_there(server: Server, name: str) -> bool:
    """Whether anything is left of the place of that name, by the server's own list of schemas or tables."""
    return name in _names(server)


def drop(server: Server, name: str) -> None:
    """Drop the place of that name with all that is in it; one that is not there is dropped already.

    Raises ValueError for a name that is not one of ours.
    """
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} is not a place of ours")
    if server.kind is Kind.POSTGRESQL:
        server.run(f"DROP SCHEMA IF EXISTS {name} CASCADE")
        return
    off, on = _FOREIGN_KEYS[server.kind]
    tables = [each for each in _tables(server) if each.startswith(f"{name}_")]
    tables.sort(key=lambda table: table == f"{name}_{OWNER}")  # the mark last, so that a rest is found again
    server.run(off, *(f"DROP TABLE IF EXISTS {table}" for table in tables), on)


_FOREIGN_KEYS = {
    Kind.MYSQL: ("SET foreign_key_checks = 0", "SET foreign_key_checks = 1"),
    Kind.SQLITE: ("PRAGMA foreign_keys = OFF", "PRAGMA foreign_keys = ON"),
}


def _names(server: Server) -> list[str]:
    if server.kind is Kind.POSTGRESQL:
        found = server.rows("SELECT nspname AS name FROM pg_namespace WHERE nspname LIKE 'campaign\\_%'")
        names = {str(each["name"]) for each in found}
    else:
        names = {table[: len("campaign_") + 8] for table in _tables(server)}
    return sorted(name for name in names if _NAME.fullmatch(name))


def _tables(server: Server) -> list[str]:
    from sqlalchemy import inspect  # noqa: PLC0415

    return sorted(each for each in inspect(server.engine).get_table_names() if each.startswith("campaign_"))


def _owner(server: Server, name: str) -> Owner | None:
    """Who made it; None where there is no such table. One without a row was killed while it was made."""
    from sqlalchemy.exc import SQLAlchemyError  # noqa: PLC0415

    place = Territory(server, name)
    try:
        found = server.rows(f"SELECT host, process, began FROM {place.full(OWNER)}")  # noqa: S608 - ours
    except SQLAlchemyError as error:
        if failure_of(error).kind is FailureKind.CONNECTION:
            raise
        return None
    if not found:
        return Owner("", 0, 0.0)
    return Owner(str(found[0]["host"]), int(found[0]["process"]), float(found[0]["began"]))
