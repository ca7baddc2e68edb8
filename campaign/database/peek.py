"""One look: a statement in a read-only transaction, under a timeout, rolled back."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

from campaign.database.address import Kind
from campaign.database.server import Server
from campaign.database.sql import for_control

if TYPE_CHECKING:
    from sqlalchemy import Connection

MOST_ROWS = 1_000


def peek(
    server: Server,
    sql: str,
    params: Mapping[str, Any],
    *,
    seconds: float,
    before: str = "",
    writing: bool = False,
) -> list[tuple[Any, ...]]:
    """The rows of a statement with parameters written `:name`, at most MOST_ROWS; `before` stands before it.

    The transaction is read-only, but for the EXPLAIN of a statement that is `writing`, which MariaDB refuses
    there. Nothing that it does stays. Raises the driver's errors.
    """
    with server.engine.connect() as connection, _undone(connection, server, seconds=seconds, writing=writing):
        raw: Any = connection.connection.driver_connection
        with closing(_cursor(raw, server.kind)) as cursor:
            cursor.execute(before + for_control(sql, server.kind), dict(params))
            return [tuple(row) for row in cursor.fetchmany(MOST_ROWS)]


@contextmanager
def _undone(connection: Connection, server: Server, *, seconds: float, writing: bool) -> Iterator[None]:
    milliseconds = round(seconds * 1000)
    if server.kind is Kind.SQLITE:
        with _lite(connection.connection.driver_connection, seconds):
            yield
        return
    if server.kind is Kind.POSTGRESQL:
        connection.exec_driver_sql("SET TRANSACTION READ ONLY")
        connection.exec_driver_sql(f"SET LOCAL statement_timeout = {milliseconds}")
    else:
        mysql = server.version.product == "MySQL"
        limit = f"max_execution_time = {milliseconds}" if mysql else f"max_statement_time = {seconds}"
        connection.exec_driver_sql(f"SET SESSION {limit}")
        connection.exec_driver_sql("START TRANSACTION" if writing else "START TRANSACTION READ ONLY")
    try:
        yield
    finally:
        connection.rollback()
        _forget(connection, server)


def _forget(connection: Connection, server: Server) -> None:
    name = {"MySQL": "max_execution_time", "MariaDB": "max_statement_time"}.get(server.version.product)
    if name:
        connection.exec_driver_sql(f"SET SESSION {name} = DEFAULT")
        connection.rollback()


@contextmanager
def _lite(raw: Any, seconds: float) -> Iterator[None]:
    """SQLite has no timeout of statements: another thread interrupts it."""
    clock = threading.Timer(seconds, raw.interrupt)
    raw.execute("PRAGMA query_only = ON")
    clock.start()
    try:
        yield
    finally:
        clock.cancel()
        clock.join()
        raw.rollback()
        raw.execute("PRAGMA query_only = OFF")


def _cursor(raw: Any, kind: Kind) -> Any:
    if kind is Kind.POSTGRESQL:
        from psycopg import ClientCursor  # noqa: PLC0415 - values stand in the plan, as in the statement

        return ClientCursor(raw)
    return raw.cursor()
