"""Connections at the level that is tested, threads that use them at once, and what became of each
transaction.
"""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, event
from sqlalchemy.exc import SQLAlchemyError

from campaign.database.address import Kind
from campaign.database.failure import RETRIED, FailureKind, failure_of
from campaign.database.server import Server, make_engine
from campaign.database.territory import Territory
from phases.database.invariants.history import Status

T = TypeVar("T")

MOST_LATE = 5.0
"""Seconds beyond its time that a check may take on a slow database to have seen anything at all."""

LOCK_SECONDS = 0.3
"""A transaction of ours waits so long for a lock at most, and is then tried again, as after a deadlock."""

_ON_CONNECT = {
    Kind.POSTGRESQL: (f"SET lock_timeout = '{round(LOCK_SECONDS * 1000)}ms'",),
    Kind.MYSQL: ("SET SESSION innodb_lock_wait_timeout = 1",),
    Kind.SQLITE: (f"PRAGMA busy_timeout = {round(LOCK_SECONDS * 1000)}", "PRAGMA foreign_keys = ON"),
}


class GivenUpError(Exception):
    """Raised inside a transaction that is to be undone on purpose."""


@dataclass(slots=True)
class Tally:
    """What became of transactions: `commits`, `undone` on purpose, `retried`, `refused` by a constraint,
    `unknown` (no answer to the commit), and other failures by what the server said.
    """

    commits: int = 0
    undone: int = 0
    retried: int = 0
    refused: int = 0
    unknown: int = 0
    failures: Counter[str] = field(default_factory=Counter)

    @property
    def attempts(self) -> int:
        """All of them, however they ended."""
        ended = self.commits + self.undone + self.retried + self.refused + self.unknown
        return ended + self.failures.total()

    def plain(self) -> dict[str, Any]:
        """The numbers as plain data, the most frequent failures only."""
        return {
            "commits": self.commits,
            "undone": self.undone,
            "retried": self.retried,
            "refused": self.refused,
            "unknown": self.unknown,
            "failures": dict(self.failures.most_common(5)),
        }


def added(tallies: Sequence[Tally]) -> Tally:
    """All of them as one."""
    total = Tally()
    for each in tallies:
        total.commits += each.commits
        total.undone += each.undone
        total.retried += each.retried
        total.refused += each.refused
        total.unknown += each.unknown
        total.failures.update(each.failures)
    return total


_CONSTRAINTS = frozenset({FailureKind.UNIQUE, FailureKind.FOREIGN_KEY, FailureKind.CHECK})


class Bench:
    """A place to stress a database in: its own engine, the tables' place, workers, time and seed."""

    def __init__(
        self,
        server: Server,
        territory: Territory,
        *,
        level: str,
        workers: int,
        seconds: float,
        seed: int,
        halted: Callable[[], bool],
    ) -> None:
        self.server = server
        self.territory = territory
        self.workers = workers
        self.seconds = seconds
        self.seed = seed
        self._halted = halted
        self._until = 0.0
        self.engine = _engine(server, level=level, workers=workers)
        with self.engine.connect() as connection:
            self.level = str(connection.get_isolation_level())

    def begin(self, share: float = 1.0) -> None:
        """Start the time of a check: `share` of the seconds that each has."""
        self._until = time.monotonic() + self.seconds * share

    def over(self, done: int, *, least: int) -> bool:
        """Whether a worker that did `done` things should end: the check's time is up and `least` are done, or
        would take too long, or the campaign is stopped.
        """
        late = time.monotonic() - self._until
        return self._halted() or late >= MOST_LATE or (late >= 0 and done >= least)

    @property
    def halted(self) -> bool:
        """Whether the campaign is stopped."""
        return self._halted()

    def draw(self, number: int) -> random.Random:
        """The seeded chance of one worker."""
        return random.Random(self.seed * 1000 + number)

    def together(self, works: Sequence[Callable[[], T]]) -> list[T]:
        """What each of these gives, run at once in threads. Raises the first thing that one raises."""
        with ThreadPoolExecutor(max_workers=len(works), thread_name_prefix="invariants") as pool:
            waiting = [pool.submit(work) for work in works]
            return [each.result() for each in waiting]

    def close(self) -> None:
        """Close all its connections."""
        self.engine.dispose()


def _engine(server: Server, *, level: str, workers: int) -> Engine:
    """Connections at that level. SQLite has but one, and its driver is told to leave BEGIN to us."""
    chosen = {} if level == "default" or server.kind is Kind.SQLITE else {"isolation_level": level.upper()}
    engine = make_engine(server.address, tag=server.tag, pool_size=workers + 3, max_overflow=2, **chosen)

    @event.listens_for(engine, "connect")
    def connected(driver: Any, _record: Any) -> None:
        if server.kind is Kind.SQLITE:
            driver.isolation_level = None
        cursor = driver.cursor()
        for statement in _ON_CONNECT[server.kind]:
            cursor.execute(statement)
        cursor.close()
        driver.commit()

    if server.kind is Kind.SQLITE:

        @event.listens_for(engine, "begin")
        def began(connection: Connection) -> None:
            reads = connection.get_execution_options().get("reads", False)
            connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")

    return engine


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A connection whose transactions only read."""
    with engine.connect() as connection:
        yield connection.execution_options(reads=True)


def attempt(connection: Connection, work: Callable[[Connection], None], tally: Tally) -> Status:
    """How one transaction ended, and counted in the tally.

    It is unknown where the connection broke while its commit was under way.
    """
    sent = False
    try:
        transaction = connection.begin()
        work(connection)
        sent = True
        transaction.commit()
    except GivenUpError:
        tally.undone += 1
        _undo(connection)
        return Status.FAIL
    except SQLAlchemyError as error:
        _undo(connection)
        return _counted(error, tally, sent=sent)
    tally.commits += 1
    return Status.OK


def _counted(error: SQLAlchemyError, tally: Tally, *, sent: bool) -> Status:
    failure = failure_of(error)
    if sent and failure.kind in {FailureKind.CONNECTION, FailureKind.OTHER, FailureKind.STATEMENT_TIMEOUT}:
        tally.unknown += 1
        return Status.UNKNOWN
    if failure.kind in RETRIED:
        tally.retried += 1
    elif failure.kind in _CONSTRAINTS:
        tally.refused += 1
    else:
        tally.failures[str(failure)] += 1
    return Status.FAIL


def _undo(connection: Connection) -> None:
    """Roll back what is open; a broken connection is replaced when it is used again."""
    transaction = connection.get_transaction()
    try:
        if transaction is not None:
            transaction.rollback()
    except SQLAlchemyError:
        connection.invalidate()
