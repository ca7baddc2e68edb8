"""SQL statements one at a time, as the driver sends them: prepared where it can, on one connection."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, nullcontext, suppress
from typing import Any

from sqlalchemy import Connection, CursorResult
from sqlalchemy.exc import SQLAlchemyError

from campaign.database.address import Kind
from campaign.database.failure import RETRIED, Failure, FailureKind, failure_of
from campaign.database.server import NOTICE_OUR_END, STATEMENT_SECONDS, Server
from campaign.database.sql import for_control
from phases.benchmark.settings import BenchmarkSettings, StatementEntry
from phases.benchmark.timed import FINE, Timed

MOST_ROWS = 10_000
"""Rows of one answer; a statement that gives more is none that somebody waits for."""

Execute = Callable[[], int]
"""Sends a statement once and gives the nanoseconds until its rows were there."""
Over = Callable[[], bool]


def time_statements(server: Server, settings: BenchmarkSettings, *, over: Over) -> dict[str, Timed]:
    """The times of every statement, in turn, until all are done or it is `over`. Blocks.

    What is not said to write is executed in a transaction that may only read, which is no part of its time.
    """
    times = {name: Timed(tick=FINE) for name in settings.statements}
    wanted = {
        name: entry
        for name, entry in settings.statements.items()
        if entry.writes or _is_fit(server, entry, timed=times[name], over=over)
    }
    with _sessions(server, over=over) as session_for:
        ready = {
            name: _prepared(session_for(writes=entry.writes), server.kind, entry)
            for name, entry in wanted.items()
        }
        warming = {name: Timed(tick=FINE) for name in ready}
        for _ in range(settings.warm_up):
            _round(ready, warming, over=over)
        for name in [name for name in ready if 0 < warming[name].asked == warming[name].failed]:
            times[name].take(warming[name])
            del ready[name]
        for _ in range(settings.iterations):
            _round(ready, times, over=over)
    for timed in times.values():
        if not timed.asked and not timed.trouble:
            timed.trouble = UNFINISHED if timed.unfinished else "it was never reached"
    return times


def _round(ready: Mapping[str, Execute], times: Mapping[str, Timed], *, over: Over) -> None:
    for name, execute in ready.items():
        if over():
            return
        began = time.perf_counter_ns()
        try:
            taken = execute()
        except Exception as error:  # noqa: BLE001 - of five drivers; `failure_of` says what it means
            _miss(times[name], failure_of(error), time.perf_counter_ns() - began, over=over)
        else:
            times[name].add(taken)


def _miss(timed: Timed, failure: Failure, nanoseconds: int, *, over: Over) -> None:
    """Count a statement that failed; one that was broken off as our time was over did not."""
    if failure.kind is FailureKind.STATEMENT_TIMEOUT and over():
        timed.cut(nanoseconds)
    else:
        timed.fail(str(failure), nanoseconds)


UNFINISHED = "it had no answer when the time was over"


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
    for statement in _limits(server):
        connection.exec_driver_sql(statement)
    if server.kind is Kind.SQLITE:
        if not writes:
            connection.exec_driver_sql("PRAGMA query_only = ON")
        raw: Any = connection.connection.driver_connection
        raw.set_progress_handler(over, 100_000)  # what it answers with true is broken off
    return connection


READ_ONLY = "START TRANSACTION READ ONLY"
"""No function lifts it, as one does with what a session has by default. SQLite's sessions may only read."""


@contextmanager
def _reading(cursor: Any, kind: Kind) -> Iterator[None]:
    if kind is Kind.SQLITE:
        yield
        return
    cursor.execute(READ_ONLY)
    try:
        yield
    finally:
        with suppress(Exception):  # a session that is lost fails the next statement
            cursor.execute("ROLLBACK")


def _limits(server: Server) -> tuple[str, ...]:
    """What makes a server cancel a statement that never returns, which PostgreSQL was told when we connected,
    or one that nobody waits for any more.
    """
    if server.version.product == "MariaDB":
        return (f"SET SESSION max_statement_time = {STATEMENT_SECONDS}",)
    if server.version.product == "MySQL":
        return (f"SET SESSION max_execution_time = {STATEMENT_SECONDS * 1000}",)
    return (NOTICE_OUR_END,) if server.kind is Kind.POSTGRESQL else ()


def _is_fit(server: Server, entry: StatementEntry, *, timed: Timed, over: Over) -> bool:
    """Whether a query goes well, tried before anything counts, and gives no more rows than anybody waits for.
    Where not, `timed` says why: a failure is the statement's own, a refusal by a session that may only read
    is ours.
    """
    failures = Timed(tick=FINE)
    for _ in range(TRIES):
        began = time.perf_counter_ns()
        try:
            too_much = _excess(server, entry, over=over)
        except SQLAlchemyError as error:
            failure = failure_of(error)
            _miss(failures, failure, time.perf_counter_ns() - began, over=over)
            if failure.kind in RETRIED:
                continue
            timed.trouble = str(failure) if failure.code in ONLY_READS else ""
            break
        timed.trouble = too_much
        return not timed.trouble
    timed.take(failures)
    return False


TRIES = 3
"""Times that a query is tried which an application would be expected to send again."""

ONLY_READS = frozenset({"25006", "25006/1792", "SQLITE_READONLY"})
"""How databases say that a session may only read."""

MOST_BYTES = 64 * 2**20


def _too_much(rows: int, size: int) -> str:
    if rows <= MOST_ROWS and size <= MOST_BYTES:
        return ""
    what = f"{MOST_ROWS:,} rows" if rows > MOST_ROWS else f"{MOST_BYTES // 2**20} MiB"
    return f"it gives more than {what}; benchmark it with a LIMIT, as it is used"


def _bytes_of(rows: Iterable[Iterable[Any]]) -> int:
    """What the texts and byte strings in these rows come to."""
    return sum(len(each) for row in rows for each in row if isinstance(each, str | bytes))


def _excess(server: Server, entry: StatementEntry, *, over: Over) -> str:
    """What is too much of a query's answer, "" where nothing is: we fetch no more, and keep none."""
    connection = _open(server, writes=False, over=over)
    try:
        if server.kind is not Kind.SQLITE:
            connection.exec_driver_sql(READ_ONLY)
        sql = for_control(entry.sql, server.kind)
        streaming = {"stream_results": True, "max_row_buffer": CHUNK}
        result, rows, size, portion = connection.exec_driver_sql(sql, entry.params, streaming), 0, 0, 1
        while rows <= MOST_ROWS and size <= MOST_BYTES and (fetched := result.fetchmany(portion)):
            rows, size, portion = rows + len(fetched), size + _bytes_of(fetched), min(CHUNK, 2 * portion)
        too_much = _too_much(rows, size)
        if too_much and server.kind is Kind.MYSQL:
            _break_off(server, connection, result)
        return too_much
    finally:
        connection.invalidate()
        connection.close()


CHUNK = 100
"""Rows that are fetched at a time where they are only counted."""


def _break_off(server: Server, connection: Connection, result: CursorResult[Any]) -> None:
    """End the query whose rows are still on their way: this protocol has no other way, and PyMySQL reads them
    all before it closes.
    """
    raw: Any = connection.connection.driver_connection
    server.run(f"KILL QUERY {int(raw.thread_id())}")
    with suppress(SQLAlchemyError, raw.Error):  # what the server says to that
        result.close()


def _prepared(connection: Connection, kind: Kind, entry: StatementEntry) -> Execute:
    """Sends the statement and fetches its rows, on the driver's own cursor."""
    raw: Any = connection.connection.driver_connection
    sql, cursor = for_control(entry.sql, kind), raw.cursor()
    options = {"prepare": True} if kind is Kind.POSTGRESQL else {}

    def execute() -> int:
        with nullcontext() if entry.writes else _reading(cursor, kind):
            began = time.perf_counter_ns()
            cursor.execute(sql, entry.params, **options)
            if cursor.description is not None:
                cursor.fetchmany(MOST_ROWS)
            return time.perf_counter_ns() - began

    return execute
