"""Connections and transactions, the same for SQLite and PostgreSQL.

Three kinds of work: `reading` (each statement by itself), `snapshot` (several reads of one moment) and
`writing` (all or nothing). While PostgreSQL is away all three refuse at once (`presence`). Writers of SQLite
queue for a lock in this process: the file has room for one writer, and SQLite's own way of waiting, polling
with growing pauses, makes some wait far too long.
"""

import itertools
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

from sqlalchemy import Connection, Engine, NullPool, Transaction, create_engine, event, make_url, text
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import QueuePool

from campaign.demo.defects import (
    ERRORS_UNDER_LOAD,
    HANG_ON_OUTAGE,
    LAZY_COMMIT,
    NO_RECONNECT,
    POOL_TOO_SMALL,
)
from campaign.demo.presence import Presence
from campaign.demo.problems import OutcomeUnknownError

POOL_WAIT_S = 5.0
SQLITE = ("busy_timeout=5000", "foreign_keys=ON", "journal_mode=WAL", "synchronous=NORMAL")
SQLITE_LAZY = (*SQLITE[:-1], "synchronous=OFF")
SQLITE_FILLING = ("busy_timeout=5000", "foreign_keys=OFF", "journal_mode=DELETE", "synchronous=OFF")
"""Everything is written once, and not waited for until it is on the disk."""

CONNECT_WITHIN_S = 2  # libpq takes no less
POSTGRES = "-c statement_timeout=10000 -c lock_timeout=5000"
POSTGRES_FILLING = "-c lock_timeout=5000"


class Database:
    """One pool of connections, in the three forms that the stores need."""

    def __init__(self, engine: Engine, presence: Presence | None = None) -> None:
        self._engine = engine
        self._presence = presence
        self.kind = engine.dialect.name
        self._one_writer: AbstractContextManager[Any] = nullcontext()
        self._reader: Engine = engine.execution_options(isolation_level="AUTOCOMMIT")
        self._observer: Engine = engine.execution_options(isolation_level="REPEATABLE READ")
        self._writer: Engine = engine
        self._opened: set[Any] = set()
        event.listen(engine, "connect", lambda connection, _record: self._opened.add(connection))
        event.listen(engine, "close", lambda connection, _record: self._opened.discard(connection))
        if self.kind == "sqlite":
            self._one_writer = threading.Lock()
            self._reader = engine
            self._observer = engine.execution_options(begin_with="BEGIN")
            self._writer = engine.execution_options(begin_with="BEGIN IMMEDIATE")

    def reading(self) -> AbstractContextManager[Connection]:
        """A connection whose statements each see the newest committed data."""
        self._require()
        return self._reader.connect()

    def snapshot(self) -> AbstractContextManager[Connection]:
        """A connection whose statements all see the same moment."""
        self._require()
        return self._observer.connect()

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction: committed at the end, undone on an exception.

        Raises OutcomeUnknownError where the database went away while it was asked to commit.
        """
        self._require()
        with (
            self._one_writer,
            self._writer.connect() as connection,
            connection.begin() as transaction,
        ):
            yield connection
            _commit(transaction)

    def in_use(self) -> int:
        """Connections taken from the pool at this moment."""
        pool = self._engine.pool
        return pool.checkedout() if isinstance(pool, QueuePool) else 0

    def ping(self) -> None:
        """Ask the database for an answer; raises what SQLAlchemy raises if there is none."""
        with self.reading() as connection:
            connection.execute(text("SELECT 1"))

    def close(self) -> None:
        """Close all connections, also those that were never given back: they would hold their locks."""
        if self._presence is not None:
            self._presence.close()
        self._engine.dispose()
        for left in tuple(self._opened):
            left.close()

    def _require(self) -> None:
        if self._presence is not None:
            self._presence.require()


def open_database(url: str, *, connections: int, defects: frozenset[str]) -> Database:
    """The database at `url` for serving, with a pool of `connections`."""
    pool = {"pool_size": connections, "pool_timeout": POOL_WAIT_S}
    if ERRORS_UNDER_LOAD in defects:
        pool = {"pool_size": 2, "pool_timeout": 0}
    if POOL_TOO_SMALL in defects:
        pool = {"pool_size": 1}  # and SQLAlchemy's own patience, 30 seconds
    if make_url(url).get_backend_name() == "sqlite":
        return _open_sqlite(url, SQLITE_LAZY if LAZY_COMMIT in defects else SQLITE, pool=pool)
    if NO_RECONNECT in defects:
        return Database(_opened_once(url, connections, pool=pool))
    if HANG_ON_OUTAGE in defects:
        return Database(create_engine(url, pool_pre_ping=True, **COMMON, **pool | {"pool_timeout": 3_600}))
    return _open_postgres(url, POSTGRES, pool=pool)


def open_to_fill(url: str) -> Database:
    """The database at `url` for writing very much at once, while nobody else uses it.

    Safe against a crash of this process; on SQLite not against one of the machine.
    """
    pool = {"pool_size": 1}
    if make_url(url).get_backend_name() == "sqlite":
        return _open_sqlite(url, SQLITE_FILLING, pool=pool)
    return _open_postgres(url, POSTGRES_FILLING, pool=pool)


COMMON: dict[str, Any] = {"poolclass": QueuePool, "max_overflow": 0, "hide_parameters": True}


def _open_sqlite(url: str, pragmas: tuple[str, ...], *, pool: dict[str, Any]) -> Database:
    engine = create_engine(url, connect_args={"check_same_thread": False}, **COMMON, **pool)
    _prepare_sqlite(engine, pragmas)
    return Database(engine)


def _open_postgres(url: str, settings: str, *, pool: dict[str, Any]) -> Database:
    limits = {"connect_timeout": CONNECT_WITHIN_S, "options": settings}
    # A ping before each use: a restart of the database then costs no request.
    engine = create_engine(url, pool_pre_ping=True, connect_args=limits, **COMMON, **pool)
    beside = create_engine(url, poolclass=NullPool, connect_args=limits, hide_parameters=True)
    presence = Presence("database", lambda: beside.connect().close())
    _keep_watch(engine, presence)
    return Database(engine, presence)


def _keep_watch(engine: Engine, presence: Presence) -> None:
    from campaign.demo.postgres import connect  # noqa: PLC0415 - its driver is not always installed

    def connecting(_dialect: object, _record: object, arguments: list[Any], options: dict[str, Any]) -> Any:
        presence.require()
        return connect(presence.lost, *arguments, **options)

    def failed(context: ExceptionContext) -> None:
        # A ping that fails is followed by a new connection; only if that fails too, the server is away.
        if not context.is_pre_ping and (context.is_disconnect or context.connection is None):
            presence.lost()

    event.listen(engine, "do_connect", connecting)
    event.listen(engine, "handle_error", failed)


def _opened_once(url: str, connections: int, *, pool: dict[str, Any]) -> Engine:
    """An engine whose pool is given the same few connections for ever, whatever became of them."""
    kept: list[Any] = []
    turn = itertools.count()

    def connecting(dialect: Any, _record: object, arguments: list[Any], options: dict[str, Any]) -> Any:
        if len(kept) < connections:
            kept.append(dialect.loaded_dbapi.connect(*arguments, **options))
            return kept[-1]
        connection = kept[next(turn) % connections]
        if connection.closed:
            raise dialect.loaded_dbapi.OperationalError("the connection is closed")
        return connection

    limits = {"connect_timeout": CONNECT_WITHIN_S, "options": POSTGRES}
    engine = create_engine(url, connect_args=limits, **COMMON, **pool)
    event.listen(engine, "do_connect", connecting)
    for opened in [engine.connect() for _ in range(connections)]:
        opened.close()
    return engine


def _commit(transaction: Transaction) -> None:
    try:
        transaction.commit()
    except OperationalError as error:
        if error.connection_invalidated:
            raise OutcomeUnknownError("the database went away, and it may have been stored") from error
        raise


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
