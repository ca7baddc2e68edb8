"""An open database: a small pool for control, and what the server says of itself and of its sessions."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from campaign.database.address import Address, Kind
from campaign.database.failure import FailureKind, failure_of
from campaign.database.watch import WATCH
from campaign.errors import ConfigurationError, TargetUnreachableError

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

APPLICATION = "campaign"
"""What our sessions are called in the server's own list (PostgreSQL)."""

CONNECT_SECONDS = 5
STATEMENT_SECONDS = 30
"""After so long the server cancels a statement of ours, where it can."""

NOTICE_OUR_END = (
    "SELECT set_config(name, '1s', false) FROM pg_settings WHERE name = 'client_connection_check_interval'"
)
"""Makes PostgreSQL 14 and later end a statement whose client has gone, within about a second."""

LOOK_AT_FILE = "SELECT sqlite_version() FROM (SELECT COUNT(*) FROM sqlite_master)"
"""The version of SQLite, which alone would be said of any file."""

MOST_SESSIONS = 24


class AccessError(ConfigurationError):
    """The database is there and does not let us in: a wrong password, an unknown database, no rights."""

    slug = "database-access"


@dataclass(frozen=True, slots=True)
class Session:
    """One session in the server's own list. `state` is the server's word ("active", "idle", "idle in
    transaction", "Sleep"); `seconds` is how long it has been in it.
    """

    id: int
    user: str
    client: str
    application: str
    state: str
    seconds: float
    statement: str
    own: bool


@dataclass(frozen=True, slots=True)
class Version:
    """What a server is: `product` is PostgreSQL, MariaDB, MySQL or SQLite."""

    product: str
    numbers: tuple[int, ...]
    text: str


class Server:
    """An open database; make it with `open_server`, close it afterwards. Its calls block: use
    `asyncio.to_thread`.

    `tag` marks our sessions in the server's list.
    """

    def __init__(self, address: Address, engine: Engine, version: Version, tag: str) -> None:
        self.address = address
        self.engine = engine
        self.version = version
        self.tag = tag

    @property
    def kind(self) -> Kind:
        """Which family of databases it is."""
        return self.address.kind

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection in autocommit, for looking."""
        with self.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction: committed at the end, undone on an exception."""
        with self.engine.begin() as connection:
            yield connection

    def scalar(self, statement: str, **params: Any) -> Any:
        """The first value of a statement's first row, or None."""
        from sqlalchemy import text  # noqa: PLC0415

        with self.reading() as connection:
            return connection.execute(text(statement), params).scalar()

    def rows(self, statement: str, **params: Any) -> list[dict[str, Any]]:
        """All rows of a statement by column name."""
        from sqlalchemy import text  # noqa: PLC0415

        with self.reading() as connection:
            return [dict(each) for each in connection.execute(text(statement), params).mappings()]

    def run(self, *statements: str) -> None:
        """Run statements one by one, each committed by itself."""
        with self.reading() as connection:
            for statement in statements:
                connection.exec_driver_sql(statement)

    def close(self) -> None:
        """Close all our connections."""
        self.engine.dispose()


def open_server(address: Address, *, tag: str) -> Server:
    """The database at `address`, which has answered.

    Raises AccessError where it does not let us in, TargetUnreachableError where it is not there.
    """
    if address.kind is Kind.SQLITE:
        _check_file(address)
    engine = make_engine(address, tag=tag)
    try:
        with engine.connect() as connection:
            version = _version(connection, address.kind)
    except Exception as error:
        engine.dispose()
        raise _explained(error, address) from error
    return Server(address, engine, version, tag)


def _check_file(address: Address) -> None:
    """Return where the file is there: SQLite would make an empty one of any name. Raises AccessError."""
    name = address.control.database
    if not name or name == ":memory:":
        raise AccessError("a SQLite database in memory is seen by its own process alone; name its file")
    if not name.startswith("file:") and not Path(name).is_file():
        raise AccessError(f"the database {address.shown} does not exist: there is no file {name}")


def make_engine(address: Address, *, tag: str, **options: Any) -> Engine:
    """A synchronous engine whose sessions carry `tag`; `options` go to SQLAlchemy's `create_engine`."""
    from sqlalchemy import create_engine  # noqa: PLC0415
    from sqlalchemy.pool import QueuePool  # noqa: PLC0415

    pool = {"pool_size": 2, "max_overflow": MOST_SESSIONS - 2, "pool_timeout": CONNECT_SECONDS}
    chosen = {"poolclass": QueuePool, "hide_parameters": True, **pool, **options}
    logging.getLogger("sqlalchemy.pool").setLevel(logging.CRITICAL)  # a server that dies is no news for a log
    engine = create_engine(address.control, connect_args=connect_args(address.kind, tag=tag), **chosen)
    WATCH.attach(engine)
    return engine


def connect_args(kind: Kind, *, tag: str, statement_seconds: float = STATEMENT_SECONDS) -> dict[str, Any]:
    """What the control driver is told when it connects: who we are, and how long we wait for anything."""
    if kind is Kind.POSTGRESQL:
        limit = f"-c statement_timeout={round(statement_seconds * 1000)}"
        return {"connect_timeout": CONNECT_SECONDS, "application_name": tag, "options": limit}
    if kind is Kind.MYSQL:
        return {
            "connect_timeout": CONNECT_SECONDS,
            "read_timeout": round(statement_seconds) + 5,
            "write_timeout": round(statement_seconds) + 5,
        }
    return {"timeout": CONNECT_SECONDS, "check_same_thread": False}


def tag_of(run: str) -> str:
    """What sessions of the run with this id are called."""
    return f"{APPLICATION}/{run}"


def _version(connection: Connection, kind: Kind) -> Version:
    from sqlalchemy import text  # noqa: PLC0415

    asks = {Kind.POSTGRESQL: "SHOW server_version", Kind.SQLITE: LOOK_AT_FILE}
    said = str(connection.execute(text(asks.get(kind, "SELECT VERSION()"))).scalar())
    product = {Kind.POSTGRESQL: "PostgreSQL", Kind.SQLITE: "SQLite"}.get(kind)
    product = product or ("MariaDB" if "mariadb" in said.lower() else "MySQL")
    head = said.partition(" ")[0].partition("-")[0]
    return Version(
        product, tuple(int(each) for each in head.split(".") if each.isdigit()), f"{product} {head}"
    )


def _explained(error: Exception, address: Address) -> Exception:
    failure = failure_of(error)
    said = failure.text.lower()
    if failure.kind is FailureKind.ACCESS or any(word in said for word in _NO_ENTRY):
        return AccessError(f"the database {address.shown} does not let us in: {failure.text}")
    return TargetUnreachableError(f"the database {address.shown} does not answer: {failure.text}")


_NO_ENTRY = ("password", "authentication", "access denied", "does not exist", "is not a database")
"""Words of servers that are there; psycopg gives no code for what fails while it connects."""


def own_ports() -> set[int]:
    """The local TCP ports of this process and of all that it started."""
    import psutil  # noqa: PLC0415

    me = psutil.Process(os.getpid())
    ports: set[int] = set()
    for process in (me, *me.children(recursive=True)):
        try:
            ports |= {each.laddr.port for each in process.net_connections("tcp") if each.laddr}
        except psutil.Error:
            continue
    return ports
