"""List-append on a real database: transactions of appends and reads on a few keys, all of it recorded."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from random import Random
from typing import Any

from sqlalchemy import Column, Connection, Integer, Table, Text, insert, select, update

from campaign.database.address import Kind
from phases.database.invariants.bench import Bench, GivenUpError, Tally, added, attempt
from phases.database.invariants.checker import Verdict, check_history
from phases.database.invariants.history import Append, Operation, Read, Transaction

AT_ONCE = 5
"""Keys that are worked on at any moment: few, so that transactions meet."""

LONGEST = 40
"""Appends to a key, about, before the next one takes its place: lists stay short."""

KEYS = 1000
MOST_TRANSACTIONS = 10_000
MOST_OPERATIONS = 4
LEAST = 10
"""Transactions that each worker has tried, however long they take."""
UNORDERED = 0.1
UNDONE = 0.08
"""The share of transactions that are undone on purpose: nobody may ever see what they did."""


class _Plan:
    """What the workers share: the next value, the next transaction, and which keys are in use."""

    def __init__(self) -> None:
        self._values = count(1)
        self._numbers = count(1)
        self._lock = threading.Lock()
        self._appended = 0

    def transaction(self) -> int:
        """The number of the next transaction."""
        with self._lock:
            return next(self._numbers)

    def value(self) -> int:
        """A value that was never appended before."""
        with self._lock:
            self._appended += 1
            return next(self._values)

    def key(self, draw: Random) -> int:
        """One of the keys in use: they move on as lists grow."""
        first = self._appended // LONGEST
        return min(first + draw.randrange(AT_ONCE), KEYS - 1)


@dataclass(slots=True)
class _Log:
    """What one worker did."""

    tally: Tally = field(default_factory=Tally)
    history: list[Transaction] = field(default_factory=list)


def run_appends(bench: Bench) -> dict[str, Any]:
    """The fact of this check: what was done, and every anomaly, judged by nobody yet."""
    table = bench.territory.table(
        "inv_lists",
        Column("id", Integer, primary_key=True, autoincrement=False),
        Column("elements", Text, nullable=False),
    )
    bench.territory.create(table)
    with bench.server.writing() as connection:
        connection.execute(insert(table), [{"id": each, "elements": ""} for each in range(KEYS)])
    plan = _Plan()
    bench.begin()
    logs = bench.together([partial(_work, bench, table, plan, number=each) for each in range(bench.workers)])
    history = sorted((each for log in logs for each in log.history), key=lambda each: each.number)
    with bench.server.reading() as connection:
        rows = connection.execute(select(table)).all()
    final = {int(row.id): _values(row.elements) for row in rows if row.elements}
    return _fact(bench, history, check_history(history, final), added([each.tally for each in logs]))


def _work(bench: Bench, table: Table, plan: _Plan, *, number: int) -> _Log:
    draw, log = bench.draw(number), _Log()
    with bench.engine.connect() as connection:
        while (
            not bench.over(log.tally.attempts, least=LEAST)
            and (turn := plan.transaction()) <= MOST_TRANSACTIONS
        ):
            steps = list(_steps(plan, draw))
            link = connection
            if bench.server.kind is Kind.SQLITE:
                link.execution_options(reads=not any(isinstance(each, Append) for each in steps))
            done: list[Operation] = []
            give_up = draw.random() < UNDONE
            work = partial(_transact, table=table, steps=steps, done=done, give_up=give_up)
            status = attempt(link, work, log.tally)
            log.history.append(Transaction(turn, status, tuple(done)))
    return log


def _steps(plan: _Plan, draw: Random) -> Iterator[Operation]:
    """Operations on keys that are mostly in order: those that are not meet in deadlocks, which take time."""
    keys = [plan.key(draw) for _ in range(draw.randint(1, MOST_OPERATIONS))]
    for key in keys if draw.random() < UNORDERED else sorted(keys):
        yield Append(key, plan.value()) if draw.random() < 0.5 else Read(key, ())


def _transact(
    connection: Connection, *, table: Table, steps: list[Operation], done: list[Operation], give_up: bool
) -> None:
    """Do the steps one by one; `done` is what was tried of appends and what was answered of reads."""
    for step in steps:
        if isinstance(step, Append):
            done.append(step)
            longer = table.c.elements.concat(f"{step.value},")
            connection.execute(update(table).where(table.c.id == step.key).values(elements=longer))
        else:
            found = connection.execute(select(table.c.elements).where(table.c.id == step.key)).scalar_one()
            done.append(Read(step.key, _values(found)))
    if give_up:
        raise GivenUpError


def _values(elements: str) -> tuple[int, ...]:
    return tuple(int(each) for each in elements.split(",") if each)


def _fact(bench: Bench, history: list[Transaction], verdict: Verdict, tally: Tally) -> dict[str, Any]:
    return {
        **tally.plain(),
        "transactions": len(history),
        "appends": sum(1 for each in history for _ in each.appends()),
        "reads": sum(1 for each in history for _ in each.reads()),
        "snapshot": _strict_snapshot(bench),
        "anomalies": {kind.value: number for kind, number in verdict.counts.items()},
        "cases": [
            {"kind": each.kind.value, "text": each.text, "shown": list(each.shown)} for each in verdict.cases
        ],
    }


def _strict_snapshot(bench: Bench) -> bool:
    """Whether MariaDB refuses to write beside its snapshot."""
    if bench.server.kind is not Kind.MYSQL:
        return False
    found = bench.server.rows("SHOW GLOBAL VARIABLES LIKE 'innodb_snapshot_isolation'")
    return bool(found) and str(found[0]["Value"]).upper() in {"ON", "1"}
