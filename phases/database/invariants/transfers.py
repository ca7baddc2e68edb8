"""The bank: money moves between accounts at once, and the whole must stay the same at every moment."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeAlias

from sqlalchemy import Column, Connection, Integer, Table, insert, select, update

from phases.database.invariants.bench import Bench, Tally, added, attempt, reading
from phases.database.invariants.changes import Changes, together
from phases.database.invariants.history import Status
from phases.database.invariants.promises import one_snapshot, statement_snapshot

BALANCE = 100
"""What each account holds at first."""

MOST_KEPT = 5
LEAST = 10
"""Transfers that each worker has tried, however long they take."""


@dataclass(frozen=True, slots=True)
class Transfer:
    """An amount to move from one account to another."""

    source: int
    target: int
    amount: int


Teller: TypeAlias = Callable[[Connection, Table, Transfer], bool]
"""Moves the money within a transaction; whether there was enough of it."""


def locking_teller(connection: Connection, accounts: Table, transfer: Transfer) -> bool:
    """Whether the money was moved: reads both accounts under locks, in one order, then writes both back."""
    ends = sorted((transfer.source, transfer.target))
    found = select(accounts.c.id, accounts.c.balance).where(accounts.c.id.in_(ends)).order_by(accounts.c.id)
    balances = {row.id: row.balance for row in connection.execute(found.with_for_update())}
    return write_back(connection, accounts, transfer, balances=balances)


def write_back(
    connection: Connection, accounts: Table, transfer: Transfer, *, balances: dict[int, int]
) -> bool:
    """Whether there was enough; if so, both new balances are written."""
    if balances[transfer.source] < transfer.amount:
        return False
    changed = {
        transfer.source: balances[transfer.source] - transfer.amount,
        transfer.target: balances[transfer.target] + transfer.amount,
    }
    for number, balance in changed.items():
        connection.execute(update(accounts).where(accounts.c.id == number).values(balance=balance))
    return True


@dataclass(slots=True)
class _Seen:
    """What readers saw: how often they read, what was wrong, and a few of those balances."""

    reads: int = 0
    tally: Tally = field(default_factory=Tally)
    wrong: Counter[str] = field(default_factory=Counter)
    examples: list[str] = field(default_factory=list)

    def look(self, balances: dict[int, int], accounts: int) -> None:
        self.reads += 1
        for what, text in _faults(balances, accounts):
            self.wrong[what] += 1
            if self.wrong[what] <= MOST_KEPT:
                self.examples.append(text)


def run_transfers(bench: Bench, *, accounts: int, teller: Teller = locking_teller) -> dict[str, Any]:
    """The fact of this check: what was done, and every wrong total, negative balance and lost row."""
    table = bench.territory.table(
        "inv_accounts",
        Column("id", Integer, primary_key=True, autoincrement=False),
        Column("balance", Integer, nullable=False),
    )
    bench.territory.create(table)
    with bench.server.writing() as connection:
        connection.execute(insert(table), [{"id": each, "balance": BALANCE} for each in range(accounts)])
    bench.begin()
    readers = max(1, bench.workers // 3) if _may_read(bench) else 0
    writers = max(2, bench.workers - readers)
    moving = [partial(_move, bench, table, teller, number=each, accounts=accounts) for each in range(writers)]
    looking = [partial(_watch, bench, table, accounts=accounts) for _ in range(readers)]
    works: list[Callable[[], _Moved | _Seen]] = [*moving, *looking]
    done = bench.together(works)
    moved = [each for each in done if isinstance(each, _Moved)]
    seen = [each for each in done if isinstance(each, _Seen)]
    return _fact(bench, table, moved, seen, accounts=accounts)


@dataclass(slots=True)
class _Moved:
    tally: Tally = field(default_factory=Tally)
    changes: Changes = field(default_factory=Changes)


def _may_read(bench: Bench) -> bool:
    return statement_snapshot(bench.server.version.product, bench.level)


def _move(bench: Bench, table: Table, teller: Teller, *, number: int, accounts: int) -> _Moved:
    draw, moved = bench.draw(number), _Moved()
    with bench.engine.connect() as connection:
        while not bench.over(moved.tally.attempts, least=LEAST):
            source, target = draw.sample(range(accounts), 2)
            transfer = Transfer(source, target, draw.randint(1, BALANCE // 2))
            enough: list[bool] = []
            work = partial(_served, table=table, teller=teller, transfer=transfer, enough=enough)
            status = attempt(connection, work, moved.tally)
            if enough[-1:] == [True]:
                moved.changes.note(status, {source: -transfer.amount, target: transfer.amount})
    return moved


def _watch(bench: Bench, table: Table, *, accounts: int) -> _Seen:
    """Read the whole again and again: in two statements where a transaction sees one moment, else in one."""
    seen = _Seen()
    twice = one_snapshot(bench.server.version.product, bench.level)
    with reading(bench.engine) as connection:
        while not bench.over(seen.tally.attempts, least=1):
            found: dict[int, int] = {}
            status = attempt(connection, partial(_look, table=table, twice=twice, found=found), seen.tally)
            if status is Status.OK:
                seen.look(found, accounts)
    return seen


def _served(
    connection: Connection, *, table: Table, teller: Teller, transfer: Transfer, enough: list[bool]
) -> None:
    enough.append(teller(connection, table, transfer))


def _look(connection: Connection, *, table: Table, twice: bool, found: dict[int, int]) -> None:
    found.update(_whole(connection, table, twice=twice))


def _whole(connection: Connection, table: Table, *, twice: bool) -> dict[int, int]:
    columns = select(table.c.id, table.c.balance)
    parts = [columns.where(table.c.id % 2 == rest) for rest in (0, 1)] if twice else [columns]
    return {row.id: row.balance for part in parts for row in connection.execute(part)}


def _faults(balances: dict[int, int], accounts: int) -> list[tuple[str, str]]:
    """What is wrong with the whole, by kind and as a sentence."""
    total, expected = sum(balances.values()), accounts * BALANCE
    found = []
    if total != expected:
        found.append(("wrong total", f"the total was {total:,}, not {expected:,}: {_shown(balances)}"))
    if any(each < 0 for each in balances.values()):
        found.append(("negative balance", f"a balance was below 0: {_shown(balances)}"))
    if missing := set(range(accounts)) - set(balances):
        found.append(("missing rows", f"accounts {sorted(missing)[:10]} were not there"))
    if more := set(balances) - set(range(accounts)):
        found.append(("unexpected rows", f"accounts {sorted(more)[:10]} came from nowhere"))
    return found


def _shown(balances: dict[int, int]) -> str:
    return ", ".join(f"{number}: {balance}" for number, balance in sorted(balances.items())[:12])


def _fact(
    bench: Bench, table: Table, moved: list[_Moved], seen: list[_Seen], *, accounts: int
) -> dict[str, Any]:
    tally = added([each.tally for each in moved])
    last = _Seen()
    with bench.server.reading() as connection:
        balances = _whole(connection, table, twice=False)
    last.look(balances, accounts)
    _against_ledger(last, balances, together(each.changes for each in moved))
    wrong: Counter[str] = Counter()
    for each in (*seen, last):
        wrong.update(each.wrong)
    return {
        **tally.plain(),
        "reads": sum(each.reads for each in seen),
        "accounts": accounts,
        "total": accounts * BALANCE,
        "one_snapshot": one_snapshot(bench.server.version.product, bench.level),
        "violations": dict(wrong),
        "examples": [text for each in (last, *seen) for text in each.examples][:MOST_KEPT],
    }


def _against_ledger(last: _Seen, balances: dict[int, int], changes: Changes) -> None:
    """Hold each balance against what was confirmed to us; what had no answer may have happened or not."""
    for number, expected in changes.wrong(balances, BALANCE).items():
        last.wrong["balances that are not the sum of their transfers"] += 1
        last.examples.append(
            f"account {number} holds {balances[number]}, its confirmed transfers make {expected}"
        )
