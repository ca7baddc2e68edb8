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

from campaign.demo.defects import ERRORS_UNDER_LOAD

POOL_WAIT_S = 5.0
SQLITE_BUSY_MS = 5_000
POSTGRES_LIMITS = "-c statement_timeout=10000 -c lock_timeout=5000"


class Database:
    """The engine with one pool, in the three forms that the stores need."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        sqlite = engine.dialect.name == "sqlite"
        self._one_writer: AbstractContextManager[Any] = threading.Lock() if sqlite else nullcontext()
        if sqlite:
            self._reader = engine
            self._observer = engine.execution_options(begin_with="BEGIN")
            self._writer = engine.execution_options(begin_with="BEGIN IMMEDIATE")
        else:
            self._reader = engine.execution_options(isolation_level="AUTOCOMMIT")
            self._observer = engine.execution_options(isolation_level="REPEATABLE READ")
            self._writer = engine

    @property
    def kind(self) -> str:
        """`sqlite` or `postgresql`."""
        return self._engine.dialect.name

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
    """The database at `url`, with a pool of `connections`."""
    pool: dict[str, Any] = {"pool_size": connections, "max_overflow": 0, "pool_timeout": POOL_WAIT_S}
    if ERRORS_UNDER_LOAD in defects:
        pool |= {"pool_size": 2, "pool_timeout": 0}
    if make_url(url).get_backend_name() == "sqlite":
        return Database(_sqlite(url, pool))
    # The ping before use means that a database restart costs no request.
    limits = {"connect_timeout": 3, "options": POSTGRES_LIMITS}
    return Database(create_engine(url, pool_pre_ping=True, hide_parameters=True, connect_args=limits, **pool))


def _sqlite(url: str, pool: dict[str, Any]) -> Engine:
    engine = create_engine(
        url,
        poolclass=QueuePool,
        hide_parameters=True,
        connect_args={"check_same_thread": False},
        **pool,
    )
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # we say BEGIN ourselves, see _begin_sqlite
    for pragma in (
        f"busy_timeout={SQLITE_BUSY_MS}",
        "journal_mode=WAL",
        "synchronous=NORMAL",
        "foreign_keys=ON",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    if statement := connection.get_execution_options().get("begin_with"):
        connection.exec_driver_sql(statement)
