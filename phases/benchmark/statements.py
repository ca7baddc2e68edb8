"""SQL statements one at a time, as the driver sends them: prepared where it can, on one connection."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, text
from sqlalchemy.exc import SQLAlchemyError

from campaign.database.address import Kind
from campaign.database.failure import FailureKind, failure_of
from campaign.database.server import STATEMENT_SECONDS, Server
from campaign.database.sql import bare
from phases.benchmark.settings import BenchmarkSettings, StatementEntry
from phases.benchmark.timed import FINE, Timed

MOST_ROWS = 10_000
"""Rows of one answer; a statement that gives more is none that somebody waits for."""

Execute = Callable[[], None]
Over = Callable[[], bool]


def time_statements(server: Server, settings: BenchmarkSettings, *, over: Over) -> dict[str, Timed]:
    """The times of every statement, in turn, until all are done or it is `over`. Blocks.

    What the server does not know how to refuse is refused by the session: it may only read unless the entry
    says `writes`.
    """
    times = {name: Timed(tick=FINE) for name in settings.statements}
    with _sessions(server, over=over) as session_for:
        ready = {
            name: _prepared(session_for(writes=entry.writes), entry)
            for name, entry in settings.statements.items()
            if not _too_much(session_for(writes=False), entry, timed=times[name])
        }
        warming = {name: Timed(tick=FINE) for name in ready}
        for _ in range(settings.warm_up):
            _round(ready, warming, over=over)
        for name in [name for name in ready if settings.warm_up and not warming[name].histogram.count]:
            times[name].trouble = next(iter(warming[name].errors), "it was never reached")
            del ready[name]
        for _ in range(settings.iterations):
            _round(ready, times, over=over)
    for timed in times.values():
        if not timed.asked and not timed.trouble:
            timed.trouble = "it was never reached"
    return times


def _round(ready: Mapping[str, Execute], times: Mapping[str, Timed], *, over: Over) -> None:
    for name, execute in ready.items():
        if over():
            return
        began = time.perf_counter_ns()
        try:
            execute()
        except Exception as error:  # noqa: BLE001 - of five drivers; `failure_of` says what it means
            times[name].fail(str(failure_of(error)))
        else:
            times[name].add(time.perf_counter_ns() - began)


@contextmanager
def _sessions(server: Server, *, over: Over) -> Iterator[Callable[..., Connection]]:
    """Gives the connection that may write or that may not, opened when it is first asked for."""
    opened: dict[bool, Connection] = {}

    def session_for(*, writes: bool) -> Connection:
        if writes not in opened:
            opened[writes] = _open(server, writes=writes, over=over)
        return opened[writes]

    try:
        yield session_for
    finally:
        for connection in opened.values():
            connection.invalidate()  # nobody else shall get one that may only read
            connection.close()


def _open(server: Server, *, writes: bool, over: Over) -> Connection:
    connection = server.engine.connect().execution_options(isolation_level="AUTOCOMMIT")
    for statement in _limits(server) if writes else (*_limits(server), READ_ONLY[server.kind]):
        connection.exec_driver_sql(statement)
    if server.kind is Kind.SQLITE:
        raw: Any = connection.connection.driver_connection
        raw.set_progress_handler(over, 100_000)  # what it answers with true is broken off
    return connection


READ_ONLY = {
    Kind.POSTGRESQL: "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY",
    Kind.MYSQL: "SET SESSION TRANSACTION READ ONLY",
    Kind.SQLITE: "PRAGMA query_only = ON",
}


def _limits(server: Server) -> tuple[str, ...]:
    """What makes a server cancel a statement that never returns; PostgreSQL was told when we connected."""
    if server.version.product == "MariaDB":
        return (f"SET SESSION max_statement_time = {STATEMENT_SECONDS}",)
    if server.version.product == "MySQL":
        return (f"SET SESSION max_execution_time = {STATEMENT_SECONDS * 1000}",)
    return ()


def _too_much(connection: Connection, entry: StatementEntry, *, timed: Timed) -> bool:
    """Whether a query gives more rows than anybody waits for; the server counts them, we fetch none."""
    if entry.writes:
        return False
    counting = f"SELECT count(*) FROM (SELECT 1 FROM ({bare_query(entry.sql)}) q LIMIT {MOST_ROWS + 1}) n"  # noqa: S608
    try:
        rows = connection.execute(text(counting), entry.params).scalar() or 0
    except SQLAlchemyError as error:
        failure = failure_of(error)
        if failure.kind is FailureKind.STATEMENT_TIMEOUT:
            timed.trouble = str(failure)
        return bool(timed.trouble)  # not every query can stand inside another; then it is simply tried
    if rows > MOST_ROWS:
        timed.trouble = f"it gives more than {MOST_ROWS:,} rows; benchmark it with a LIMIT, as it is used"
    return rows > MOST_ROWS


def bare_query(sql: str) -> str:
    """The query on lines of its own, so that a comment at its end hides nothing of ours."""
    return f"\n{sql.strip().rstrip(';')}\n" if bare(sql) else sql


def _prepared(connection: Connection, entry: StatementEntry) -> Execute:
    """Sends the statement and fetches its rows, on the driver's own cursor."""
    compiled = text(entry.sql).compile(dialect=connection.dialect)
    named = compiled.construct_params(entry.params)
    positions = compiled.positiontup
    values: Any = named if positions is None else tuple(named[name] for name in positions)
    sql, raw = str(compiled), connection.connection.driver_connection
    options = {"prepare": True} if type(raw).__module__.startswith("psycopg") else {}
    cursor: Any = raw.cursor()  # type: ignore[union-attr]

    def execute() -> None:
        cursor.execute(sql, values, **options)
        if cursor.description is not None:
            cursor.fetchmany(MOST_ROWS)

    return execute
