"""Races on constraints: two sides do at the same moment what must not both succeed."""

from __future__ import annotations

import threading
from collections import Counter
from functools import partial
from typing import Any

from sqlalchemy import (
    CheckConstraint,
    Column,
    Connection,
    ForeignKey,
    Integer,
    Table,
    delete,
    func,
    insert,
    select,
    update,
)

from phases.database.invariants.bench import Bench, GivenUpError, Tally, added, attempt
from phases.database.invariants.changes import Changes, together
from phases.database.invariants.history import Status

MOST_ROUNDS = 2000
LEAST = 4
"""Rounds that are played, however long they take."""
MOST_KEPT = 5
MEET_SECONDS = 5.0
"""After so long a worker does not wait for the other any more."""

STOCK = 10
ROWS = 4


class _Rounds:
    """Rounds that workers begin together, until the time is up."""

    def __init__(self, bench: Bench, parties: int) -> None:
        self._bench = bench
        self._barrier = threading.Barrier(parties, action=self._decide)
        self._number = -1
        self._going = True

    def _decide(self) -> None:
        self._number += 1
        self._going = not self._bench.over(self._number, least=LEAST) and self._number < MOST_ROUNDS

    def next(self) -> int | None:
        """The number of the round that all begin now; None when it is over."""
        try:
            self._barrier.wait(MEET_SECONDS)
        except threading.BrokenBarrierError:
            return None
        return self._number if self._going else None

    def leave(self) -> None:
        """Let nobody wait for one that is gone."""
        self._barrier.abort()


def run_foreign_key(bench: Bench, *, constrained: bool = True) -> dict[str, Any]:
    """The fact of this check: a parent is deleted while a child of it is stored, again and again."""
    parents = bench.territory.table(
        "inv_parents", Column("id", Integer, primary_key=True, autoincrement=False)
    )
    reference = (ForeignKey(bench.territory.full("inv_parents.id")),) if constrained else ()
    children = bench.territory.table(
        "inv_children",
        Column("id", Integer, primary_key=True, autoincrement=False),
        Column("parent_id", Integer, *reference, nullable=False),
    )
    bench.territory.create(parents, children)
    pairs = max(1, bench.workers // 2)
    bench.begin()
    works = []
    for pair in range(pairs):
        rounds = _Rounds(bench, 2)
        works.append(partial(_store, bench, (parents, children), rounds, first=pair * MOST_ROUNDS))
        works.append(partial(_remove, bench, parents, rounds, first=pair * MOST_ROUNDS))
    done = bench.together(works)
    stored = added(done[0::2])
    removed = added(done[1::2])
    missing = children.outerjoin(parents, children.c.parent_id == parents.c.id)
    orphaned = (
        select(children.c.id).select_from(missing).where(parents.c.id.is_(None)).order_by(children.c.id)
    )
    with bench.server.reading() as connection:
        orphans = [int(row.id) for row in connection.execute(orphaned)]
    return {
        **added([stored, removed]).plain(),
        "stored": stored.commits,
        "removed": removed.commits,
        "violations": {"orphans": len(orphans)} if orphans else {},
        "examples": [f"child {each} has no parent" for each in orphans[:MOST_KEPT]],
    }


def _store(bench: Bench, tables: tuple[Table, Table], rounds: _Rounds, *, first: int) -> Tally:
    """Make a parent that everybody sees, then store a child of it while the other side deletes it."""
    parents, children = tables
    tally = Tally()
    try:
        with bench.engine.connect() as connection:
            number: int | None = -1
            while number is not None:
                following = first + number + 1
                made = attempt(connection, partial(_add, parents, {"id": following}), Tally())
                number = rounds.next()
                if number is not None and made is Status.OK:
                    attempt(
                        connection,
                        partial(_add, children, {"id": following, "parent_id": following}),
                        tally,
                    )
    finally:
        rounds.leave()
    return tally


def _add(table: Table, row: dict[str, Any], connection: Connection) -> None:
    connection.execute(insert(table), row)


def _remove(bench: Bench, parents: Table, rounds: _Rounds, *, first: int) -> Tally:
    tally = Tally()
    try:
        with bench.engine.connect() as connection:
            while (number := rounds.next()) is not None:
                attempt(connection, partial(_delete, parents, number=first + number), tally)
    finally:
        rounds.leave()
    return tally


def _delete(parents: Table, connection: Connection, *, number: int) -> None:
    if not connection.execute(delete(parents).where(parents.c.id == number)).rowcount:
        raise GivenUpError


def run_unique_key(bench: Bench, *, constrained: bool = True) -> dict[str, Any]:
    """The fact of this check: all workers store the same new key at the same moment, again and again."""
    table = bench.territory.table(
        "inv_names",
        Column("id", Integer, primary_key=True),
        Column("name", Integer, nullable=False, unique=constrained),
    )
    bench.territory.create(table)
    rounds = _Rounds(bench, bench.workers)
    bench.begin()
    done = bench.together([partial(_claim, bench, table, rounds) for _ in range(bench.workers)])
    wins: Counter[int] = Counter()
    for _, won in done:
        wins.update(won)
    counted = select(table.c.name, func.count().label("rows")).group_by(table.c.name)
    with bench.server.reading() as connection:
        there = {int(row.name): int(row.rows) for row in connection.execute(counted)}
    tally = added([each for each, _ in done])
    wrong = {
        "keys stored twice": [each for each, rows in there.items() if rows > 1],
        "keys confirmed to several": [each for each, times in wins.items() if times > 1],
        "confirmed keys that are not there": [each for each in wins if each not in there],
    }
    return {
        **tally.plain(),
        "keys": len(there),
        "violations": {what: len(keys) for what, keys in wrong.items() if keys},
        "examples": [
            f"{what}: key {key}, {there.get(key, 0)} rows, confirmed {wins[key]} times"
            for what, keys in wrong.items()
            for key in sorted(keys)[:MOST_KEPT]
        ],
    }


def _claim(bench: Bench, table: Table, rounds: _Rounds) -> tuple[Tally, list[int]]:
    tally, won = Tally(), []
    try:
        with bench.engine.connect() as connection:
            while (number := rounds.next()) is not None:
                if attempt(connection, partial(_add, table, {"name": number}), tally) is Status.OK:
                    won.append(number)
    finally:
        rounds.leave()
    return tally, won


def run_check_constraint(bench: Bench, *, constrained: bool = True) -> dict[str, Any]:
    """The fact of this check: stocks that must not fall below 0 are taken from and added to at once."""
    rule = (CheckConstraint("amount >= 0"),) if constrained else ()
    table = bench.territory.table(
        "inv_stocks",
        Column("id", Integer, primary_key=True, autoincrement=False),
        Column("amount", Integer, nullable=False),
        *rule,
    )
    bench.territory.create(table)
    with bench.server.writing() as connection:
        connection.execute(insert(table), [{"id": each, "amount": STOCK} for each in range(ROWS)])
    bench.begin()
    done = bench.together([partial(_trade, bench, table, number=each) for each in range(bench.workers)])
    tally = added([each for each, _, _ in done])
    changes = together(changed for _, changed, _ in done)
    below = sorted({each for _, _, seen in done for each in seen if each < 0})
    with bench.server.reading() as connection:
        amounts = {int(row.id): int(row.amount) for row in connection.execute(select(table))}
    negative = [f"stock {number} holds {amount}" for number, amount in amounts.items() if amount < 0]
    lost = [
        f"stock {number} holds {amounts[number]}, its confirmed changes make {expected}"
        for number, expected in changes.wrong(amounts, STOCK).items()
    ]
    seen = [f"a stock of {each} was seen" for each in below]
    wrong = {"stocks below 0": len(negative) + len(seen), "lost changes": len(lost)}
    return {
        **tally.plain(),
        "violations": {what: times for what, times in wrong.items() if times},
        "examples": [*negative, *seen, *lost][:MOST_KEPT],
    }


def _trade(bench: Bench, table: Table, *, number: int) -> tuple[Tally, Changes, set[int]]:
    draw, tally, changes = bench.draw(number), Tally(), Changes()
    seen: set[int] = set()
    with bench.engine.connect() as connection:
        while not bench.over(tally.attempts, least=10 * LEAST):
            row, change = draw.randrange(ROWS), draw.choice((-5, -4, -3, 2, 3, 4))
            status = attempt(connection, partial(_change, table, seen, row=row, change=change), tally)
            changes.note(status, {row: change})
    return tally, changes, seen


def _change(table: Table, seen: set[int], connection: Connection, *, row: int, change: int) -> None:
    chosen = table.c.id == row
    connection.execute(update(table).where(chosen).values(amount=table.c.amount + change))
    seen.add(int(connection.execute(select(table.c.amount).where(chosen)).scalar_one()))
