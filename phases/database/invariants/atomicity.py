"""Transactions ended in the middle from the server: all of a transaction is there, or nothing of it."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from sqlalchemy import Column, Connection, Integer, Table, func, insert, select
from sqlalchemy.exc import SQLAlchemyError

from campaign.database.address import Kind
from campaign.database.failure import failure_of
from campaign.database.sessions import end_session, own_sessions
from phases.database.invariants.bench import Bench, Tally, added, attempt
from phases.database.invariants.history import Status

ROWS = 4
"""Rows that one transaction stores, in two halves."""

MOST_ROUNDS = 300
LEAST = 3
"""Transactions of each kind and worker, however long they take."""
KILL_SECONDS = 2.0
GONE_SECONDS = 5.0
MOST_KEPT = 5
_OWN_NUMBER = {Kind.POSTGRESQL: "SELECT pg_backend_pid()", Kind.MYSQL: "SELECT CONNECTION_ID()"}


@dataclass(slots=True)
class Ledger:
    """How each transaction ended, by its number."""

    ends: dict[int, Status] = field(default_factory=dict)

    def wrong(self, rows: Counter[int]) -> dict[str, list[int]]:
        """What the rows that are there contradict: numbers of transactions by what is wrong with them."""
        found: dict[str, list[int]] = {
            "transactions of which a part is there": [
                each for each, there in rows.items() if there not in {0, ROWS}
            ],
            "transactions that failed and are there": [
                each for each, end in self.ends.items() if end is Status.FAIL and rows[each] == ROWS
            ],
            "confirmed transactions that are not there": [
                each for each, end in self.ends.items() if end is Status.OK and rows[each] == 0
            ],
        }
        return {what: sorted(numbers) for what, numbers in found.items() if numbers}


def steps_table(bench: Bench, name: str) -> Table:
    """A new table with one row for each step of each transaction."""
    table = bench.territory.table(
        name,
        Column("id", Integer, primary_key=True),
        Column("number", Integer, nullable=False, index=True),
        Column("step", Integer, nullable=False),
    )
    bench.territory.create(table)
    return table


def rows_there(bench: Bench, table: Table) -> Counter[int]:
    """How many rows of each transaction are there."""
    counted = select(table.c.number, func.count().label("rows")).group_by(table.c.number)
    with bench.server.reading() as connection:
        return Counter({int(row.number): int(row.rows) for row in connection.execute(counted)})


def contradictions(ledger: Ledger, rows: Counter[int]) -> dict[str, Any]:
    """The violations and a few examples, as plain data."""
    wrong = ledger.wrong(rows)
    return {
        "violations": {what: len(numbers) for what, numbers in wrong.items()},
        "examples": [
            f"transaction {each} ({ledger.ends.get(each, Status.UNKNOWN).value}): {rows[each]} of {ROWS} rows"
            for numbers in wrong.values()
            for each in numbers[:MOST_KEPT]
        ],
    }


@dataclass(slots=True)
class _Done:
    tally: Tally = field(default_factory=Tally)
    ledger: Ledger = field(default_factory=Ledger)
    middle: int = 0
    """Sessions that were ended while their transaction was half done."""
    racing: int = 0
    """Sessions that were ended at about the moment of their commit."""


Cut = Callable[[Bench, Connection], None]


def end_on_server(bench: Bench, connection: Connection) -> None:
    """The server ends the session of this connection; SQLite has none: the connection is dropped."""
    if bench.server.kind is Kind.SQLITE:
        connection.connection.dbapi_connection.close()  # type: ignore[union-attr] # it is there while it is used
        return
    own = connection.exec_driver_sql(_OWN_NUMBER[bench.server.kind]).scalar_one()
    end_session(bench.server, int(own))


def run_ended_sessions(bench: Bench, *, cut: Cut = end_on_server) -> dict[str, Any]:
    """The fact of this check: sessions ended between the halves of a transaction, and as it commits."""
    table = steps_table(bench, "inv_steps")
    bench.begin()
    victims = min(3, bench.workers)
    done = bench.together(
        [partial(_suffer, bench, table, cut, first=each * MOST_ROUNDS) for each in range(victims)]
    )
    await_gone(bench)
    ledger = Ledger({number: end for each in done for number, end in each.ledger.ends.items()})
    return {
        **_counts([each.tally for each in done]),
        "middle": sum(each.middle for each in done),
        "racing": sum(each.racing for each in done),
        **contradictions(ledger, rows_there(bench, table)),
    }


def _counts(tallies: list[Tally]) -> dict[str, Any]:
    """Numbers for people; that a session which was ended fails is no failure worth telling."""
    counts = added(tallies).plain()
    broken = counts.pop("failures")
    return {**counts, "broken_off": broken}


def _suffer(bench: Bench, table: Table, cut: Cut, *, first: int) -> _Done:
    """Transactions in turn: left alone, ended between their halves, ended as they commit."""
    done, draw = _Done(), bench.draw(first)
    for number in range(first, first + MOST_ROUNDS):
        if bench.over(number - first, least=LEAST):
            break
        with bench.engine.connect() as connection:
            turn = number % 3
            if turn == 2 and bench.server.kind is not Kind.SQLITE:
                end = _race(bench, connection, table, number, done=done, wait=draw.uniform(0, 0.004))
            else:
                end = _halved(bench, connection, table, number, cut=cut if turn else None, done=done)
        done.ledger.ends[number] = end
    return done


def _halved(
    bench: Bench, connection: Connection, table: Table, number: int, *, cut: Cut | None, done: _Done
) -> Status:
    reached = False

    def work(link: Connection) -> None:
        nonlocal reached
        _store(link, table, number, steps=range(ROWS // 2))
        if cut is not None:
            cut(bench, link)
            reached = True
        _store(link, table, number, steps=range(ROWS // 2, ROWS))

    end = attempt(connection, work, done.tally)
    done.middle += reached and end is Status.FAIL
    if end is Status.FAIL:
        connection.invalidate()
    return end


def _race(
    bench: Bench, connection: Connection, table: Table, number: int, *, done: _Done, wait: float
) -> Status:
    """End the session from another thread while the rest is stored and committed."""
    killer: list[threading.Thread] = []

    def work(link: Connection) -> None:
        _store(link, table, number, steps=range(ROWS // 2))
        own = int(link.exec_driver_sql(_OWN_NUMBER[bench.server.kind]).scalar_one())
        killer.append(threading.Thread(target=_end_later, args=(bench, own, wait), daemon=True))
        killer[0].start()
        _store(link, table, number, steps=range(ROWS // 2, ROWS))

    end = attempt(connection, work, done.tally)
    for each in killer:
        each.join(KILL_SECONDS)
    done.racing += bool(killer)
    connection.invalidate()  # its session is ended, or will be
    return end


def _end_later(bench: Bench, number: int, wait: float) -> None:
    time.sleep(wait)
    with suppress(SQLAlchemyError):  # it may be gone already
        end_session(bench.server, number)


def _store(connection: Connection, table: Table, number: int, *, steps: range) -> None:
    for step in steps:
        connection.execute(insert(table), {"number": number, "step": step})


def await_gone(bench: Bench) -> None:
    """Wait until the server has undone what was cut off: none of our sessions is at work any more."""
    until = time.monotonic() + GONE_SECONDS
    while time.monotonic() < until and not bench.halted:
        try:
            busy = [
                each for each in own_sessions(bench.server) if each.state.lower() not in {"idle", "sleep", ""}
            ]
        except SQLAlchemyError as error:
            raise RuntimeError(str(failure_of(error))) from error
        if not busy:
            return
        time.sleep(0.02)
