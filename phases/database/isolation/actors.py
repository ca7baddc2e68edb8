"""One database session as an actor: it does one statement after the other in a thread of its own."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from campaign.database.address import Kind
from campaign.database.failure import Failure, failure_of
from campaign.database.server import Server
from phases.database.isolation.levels import Level
from phases.database.isolation.schedules import ABORT, COMMIT
from phases.database.isolation.verdicts import Rows

_AGAIN = 0.003
"""Seconds between two attempts of a statement that SQLite answers with BUSY, its way to say "wait"."""

_GIVE_UP = 0.25
"""Seconds after which such a statement is taken as refused."""

_NUMBER = {
    Kind.POSTGRESQL: "SELECT pg_backend_pid()",
    Kind.MYSQL: "SELECT CONNECTION_ID()",
}


BUSY = "SQLITE_BUSY"


class Actor:
    """A session at one level. `refused_so_far`: SQLite has it wait for another session at this moment.

    After an error it is poisoned: it rolls back and does nothing more until `start_over`, as later statements
    would run outside of the transaction.
    """

    def __init__(self, server: Server, level: Level) -> None:
        self.reads: dict[str, Rows] = {}
        self.committed = False
        self.failure: Failure | None = None
        self.refused_so_far = False
        self._level = level
        self._connection = _connect(server, level)
        self.number = _number(self._connection, server.kind)
        self._work: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._asked = self._done = 0
        self._thread = threading.Thread(target=self._live, name="isolation", daemon=True)
        self._thread.start()

    def do(self, sql: str, *, read: str = "") -> None:
        """Ask for a statement; it begins when those before it have ended."""
        self._asked += 1
        self._work.put(lambda: self._perform(sql, read))

    def begin(self) -> None:
        """Ask for the transaction to begin."""
        if self._level.begin:
            self.do(self._level.begin)

    @property
    def busy(self) -> bool:
        """Whether something that was asked for has not ended."""
        return self._done < self._asked

    def wait(self, seconds: float) -> bool:
        """Whether all that was asked for has ended within so many seconds."""
        until = time.monotonic() + seconds
        while self.busy:
            if time.monotonic() > until:
                return False
            time.sleep(0.0005)
        return True

    def start_over(self) -> None:
        """Forget what was seen, and any transaction."""
        self._asked += 1
        self._work.put(self._forget)
        self.wait(5.0)

    def close(self) -> None:
        """End the session; a statement that still runs ends with it."""
        self._work.put(None)
        self._thread.join(timeout=5.0)
        _quietly(self._connection.close)

    def _live(self) -> None:
        while (work := self._work.get()) is not None:
            work()
            self._done += 1

    def _perform(self, sql: str, read: str) -> None:
        if self.failure is not None:
            return
        until = time.monotonic() + _GIVE_UP
        while (failure := self._attempt(sql, read)) is not None:
            if failure.code != BUSY or time.monotonic() > until:
                self.failure = failure
                _quietly(self._rollback)
                break
            self.refused_so_far = True
            time.sleep(_AGAIN)
        self.refused_so_far = False

    def _attempt(self, sql: str, read: str) -> Failure | None:
        """How the statement failed; None where it did not."""
        try:
            self._execute(sql, read)
        except Exception as error:  # noqa: BLE001 - whatever the driver raises is what we are here to see
            return failure_of(error)
        return None

    def _execute(self, sql: str, read: str) -> None:
        if sql == COMMIT:
            self._end("COMMIT", self._connection.commit)
            self.committed = True
        elif sql == ABORT:
            self._rollback()
        else:
            cursor = self._connection.cursor()
            cursor.execute(sql)
            if read:
                self.reads[read] = tuple((int(number), int(value)) for number, value in cursor.fetchall())
            cursor.close()

    def _rollback(self) -> None:
        self._end("ROLLBACK", self._connection.rollback)

    def _end(self, statement: str, by_driver: Callable[[], None]) -> None:
        if not self._level.begin:
            by_driver()
            return
        cursor = self._connection.cursor()
        cursor.execute(statement)
        cursor.close()

    def _forget(self) -> None:
        _quietly(self._rollback)
        self.reads, self.committed, self.failure = {}, False, None


def _connect(server: Server, level: Level) -> Any:
    """A connection of the driver's own, of which SQLAlchemy's pool knows nothing more."""
    fairy = server.engine.raw_connection()
    connection = fairy.driver_connection
    fairy.detach()
    try:
        _leave_to_us(connection, server.kind, level)
        cursor = connection.cursor()  # type: ignore[union-attr]
        for statement in level.prepare:
            cursor.execute(statement)
        cursor.close()
    except BaseException:
        _quietly(connection.close)  # type: ignore[union-attr]
        raise
    return connection


def _leave_to_us(connection: Any, kind: Kind, level: Level) -> None:
    """The driver begins no transaction by itself, unless the level is that it does."""
    if kind is Kind.POSTGRESQL:
        connection.autocommit = True
    elif kind is Kind.MYSQL:
        connection.autocommit(True)
    else:
        connection.isolation_level = None if level.begin else ""


def _number(connection: Any, kind: Kind) -> int:
    if kind not in _NUMBER:
        return 0
    cursor = connection.cursor()
    cursor.execute(_NUMBER[kind])
    (number,) = cursor.fetchone()
    cursor.close()
    return int(number)


def _quietly(work: Callable[[], object]) -> None:
    """Do what may fail because the session is gone already."""
    with suppress(Exception):
        work()
