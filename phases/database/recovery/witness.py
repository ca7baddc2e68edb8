"""What the server says itself: since when it runs, which sessions it has, which rows are there.

Every call blocks, and begins with new connections: one that is open may lead to a server that is gone, or
that stands still and never answers.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from sqlalchemy import Table, select
from sqlalchemy.exc import SQLAlchemyError

from campaign.database import uptime
from campaign.database.address import Kind
from campaign.database.failure import failure_of
from campaign.database.server import Server, Session
from campaign.database.sessions import sessions

T = TypeVar("T")

PAUSE = 0.1
CLEAR_SECONDS = 3.0
"""What the server gets to notice that sessions ended."""

NO_TABLE = ("42P01", "/1146", "3F000")


def patiently(ask: Callable[[], T], server: Server, *, seconds: float) -> T:
    """What `ask` gives, tried again on new connections until it gives something. Raises its last error."""
    until = time.monotonic() + seconds
    while True:
        server.engine.dispose()
        try:
            return ask()
        except (SQLAlchemyError, OSError) as error:
            if time.monotonic() >= until or _has_no_table(error):
                raise
            time.sleep(PAUSE)


@dataclass(frozen=True, slots=True)
class Run:
    """One run of the server: when it was started by its own clock (seconds since 1970), and how many seconds
    it ran when it was asked; None where it does not say.
    """

    start: float | None
    age: float | None


def run_of(server: Server) -> Run:
    """The run that the server is in now."""
    return Run(uptime.started_at(server), _age(server))


def _age(server: Server) -> float | None:
    if server.kind is Kind.POSTGRESQL:
        asked = "SELECT EXTRACT(EPOCH FROM clock_timestamp() - pg_postmaster_start_time())::float8"
        return float(server.scalar(asked))
    if server.kind is Kind.MYSQL:
        (told,) = server.rows("SHOW GLOBAL STATUS LIKE 'Uptime'")
        return float(told["Value"])
    return None


def restarted(kind: Kind, before: Run, after: Run) -> bool | None:
    """Whether these are two different runs; None where that is not known, as of a server that says whole
    seconds and had run for hardly more than one.
    """
    if before.start is None or after.start is None or before.age is None:
        return None
    if uptime.restarted(kind, before.start, after.start):
        return True
    return None if before.age <= uptime.TOLERANCE.get(kind, 0.0) else False


def rows_found(server: Server, table: Table, trial: int) -> list[int] | None:
    """The ids that are there of one trial; None where the table itself is gone."""
    try:
        with server.reading() as connection:
            return list(connection.execute(select(table.c.id).where(table.c.trial == trial)).scalars())
    except SQLAlchemyError as error:
        if _has_no_table(error):
            return None
        raise


def _has_no_table(error: BaseException) -> bool:
    return failure_of(error).code.endswith(NO_TABLE)


@dataclass(frozen=True, slots=True)
class Left:
    """Sessions of ours that the server still has, and how many of them hold a transaction open."""

    sessions: int
    in_transaction: int


def left_over(server: Server, *, tag: str, numbers: frozenset[int]) -> Left:
    """What is left of the sessions that are called `tag`, or have these ids where sessions have no name."""
    until = time.monotonic() + CLEAR_SECONDS
    while True:
        left = [each for each in sessions(server) if _ours(each, server, tag=tag, numbers=numbers)]
        if not left or time.monotonic() >= until:
            return Left(len(left), _in_transaction(server, left))
        time.sleep(PAUSE)


def _ours(session: Session, server: Server, *, tag: str, numbers: frozenset[int]) -> bool:
    if server.kind is Kind.POSTGRESQL:
        return session.application == tag
    return session.id in numbers and not session.own  # an open port of ours is the control pool's


def _in_transaction(server: Server, left: list[Session]) -> int:
    if server.kind is Kind.POSTGRESQL:
        return sum("in transaction" in each.state for each in left)
    try:
        rows = server.rows("SELECT trx_mysql_thread_id AS id FROM information_schema.INNODB_TRX")
    except SQLAlchemyError:  # not everybody may look
        return 0
    return len({each.id for each in left} & {int(row["id"]) for row in rows})
