"""Connections and transactions, the same for SQLite and PostgreSQL.

Three kinds of work: `reading` (each statement by itself), `snapshot` (several reads of one moment) and
`writing` (all or nothing). Writers of SQLite queue for a lock in this process: the file has room for one
writer, and SQLite's own way of waiting, polling with growing pauses, makes some wait far too long.
"""

import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.pool import QueuePool

from campaign.demo.defects import ERRORS_UNDER_LOAD, LAZY_COMMIT, POOL_TOO_SMALL

POOL_WAIT_S = 5.0
SQLITE = ("busy_timeout=5000", "foreign_keys=ON", "journal_mode=WAL", "synchronous=NORMAL")
SQLITE_LAZY = (*SQLITE[:-1], "synchronous=OFF")
SQLITE_FILLING = ("busy_timeout=5000", "foreign_keys=OFF", "journal_mode=DELETE", "synchronous=OFF")
"""Everything is written once, and not waited for until it is on the disk."""

POSTGRES = "-c statement_timeout=10000 -c lock_timeout=5000"
POSTGRES_FILLING = "-c lock_timeout=5000"


class Database:
    """One pool of connections, in the three forms that the stores need."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.kind = engine.dialect.name
        self._one_writer: AbstractContextManager[Any] = nullcontext()
        self._reader: Engine = engine.execution_options(isolation_level="AUTOCOMMIT")
        self._observer: Engine = engine.execution_options(isolation_level="REPEATABLE READ")
        self._writer: Engine = engine
        if self.kind == "sqlite":
            self._one_writer = threading.Lock()
            self._reader = engine
            self._observer = engine.execution_options(begin_with="BEGIN")
            self._writer = engine.execution_options(begin_with="BEGIN IMMEDIATE")

    def reading(self) -> AbstractContextManager[Connection]:
        """A connection whose statements each see the newest committed data."""
        return self._reader.connect()

    def snapshot(self) -> AbstractContextManager[Connection]:
        """A connection whose statements all see the same moment."""
        return self._observer.connect()

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction: committed at the end, undone on an exception."""
        with self._one_writer, self._writer.begin() as connection:
            yield connection

    def in_use(self) -> int:
        """Connections taken from the pool at this moment."""
        pool = self._engine.pool
        return pool.checkedout() if isinstance(pool, QueuePool) else 0

    def ping(self) -> None:
        """Ask the database for an answer; raises what SQLAlchemy raises if there is none."""
        with self.reading() as connection:
            connection.execute(text("SELECT 1"))

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()


def open_database(url: str, *, connections: int, defects: frozenset[str]) -> Database:
    """The database at `url` for serving, with a pool of `connections`."""
    pool = {"pool_size": connections, "pool_timeout": POOL_WAIT_S}
    if ERRORS_UNDER_LOAD in defects:
        pool = {"pool_size": 2, "pool_timeout": 0}
    if POOL_TOO_SMALL in defects:
        pool = {"pool_size": 1}  # and SQLAlchemy's own patience, 30 seconds
    return _open(url, sqlite=SQLITE_LAZY if LAZY_COMMIT in defects else SQLITE, postgres=POSTGRES, pool=pool)


def open_to_fill(url: str) -> Database:
    """The database at `url` for writing very much at once, while nobody else uses it.

    Safe against a crash of this process; on SQLite not against one of the machine.
    """
    return _open(url, sqlite=SQLITE_FILLING, postgres=POSTGRES_FILLING, pool={"pool_size": 1})


def _open(url: str, *, sqlite: tuple[str, ...], postgres: str, pool: dict[str, Any]) -> Database:
    common = {"poolclass": QueuePool, "max_overflow": 0, "hide_parameters": True, **pool}
    if make_url(url).get_backend_name() == "sqlite":
        engine = create_engine(url, connect_args={"check_same_thread": False}, **common)
        _prepare_sqlite(engine, sqlite)
    else:
        limits = {"connect_timeout": 3, "options": postgres}
        # A ping before each use: a restart of the database then costs no request.
        engine = create_engine(url, pool_pre_ping=True, connect_args=limits, **common)
    return Database(engine)


def _prepare_sqlite(engine: Engine, pragmas: tuple[str, ...]) -> None:
    def connected(connection: Any, _record: object) -> None:
        connection.isolation_level = None  # the driver must not begin transactions, `began` does
        for pragma in pragmas:
            connection.execute(f"PRAGMA {pragma}")

    def began(connection: Connection) -> None:
        if statement := connection.get_execution_options().get("begin_with"):
            connection.exec_driver_sql(statement)

    event.listen(engine, "connect", connected)
    event.listen(engine, "begin", began)
