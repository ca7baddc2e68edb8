"""Work beside the schedules: short transactions on other rows of the same table, at a bounded rate."""

from __future__ import annotations

import random
import threading
from contextlib import suppress
from types import TracebackType
from typing import Self

from campaign.database.address import Kind
from campaign.database.server import Server
from phases.database.isolation.actors import Actor
from phases.database.isolation.levels import Level
from phases.database.isolation.schedules import COMMIT

WORKERS = 2
PAUSE = 0.005
"""Seconds between two transactions of a worker."""

ROWS = range(101, 121)
"""Their values are 1 more than a multiple of three, so that no condition of a schedule finds them."""


class Background:
    """Workers that run inside the `with` block. SQLite has room for one writer, so there they only read."""

    def __init__(self, server: Server, table: str, level: Level) -> None:
        self.transactions = 0
        self._server = server
        self._table = table
        self._level = level
        self._over = threading.Event()
        self._threads = [
            threading.Thread(target=self._work, args=(each,), daemon=True) for each in range(WORKERS)
        ]

    def __enter__(self) -> Self:
        rows = ", ".join(f"({row}, {3 * row + 1})" for row in ROWS)
        with self._server.writing() as connection:
            connection.exec_driver_sql(f"DELETE FROM {self._table} WHERE id > 100")  # noqa: S608 - ours
            connection.exec_driver_sql(f"INSERT INTO {self._table} (id, value) VALUES {rows}")  # noqa: S608
        for each in self._threads:
            each.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        for each in self._threads:
            each.join(timeout=6.0)

    def _work(self, seed: int) -> None:
        actor, chance = Actor(self._server, self._level), random.Random(seed)
        with suppress(Exception):  # the server has gone: the schedules say so
            while not self._over.wait(PAUSE):
                self._transact(actor, chance)
        actor.close()

    def _transact(self, actor: Actor, chance: random.Random) -> None:
        row = chance.choice(ROWS)
        actor.begin()
        actor.do(f"SELECT id, value FROM {self._table} WHERE id = {row}", read="row")  # noqa: S608 - ours
        if self._server.kind is not Kind.SQLITE:
            actor.do(f"UPDATE {self._table} SET value = value + 3 WHERE id = {row}")  # noqa: S608 - ours
        actor.do(COMMIT)
        actor.wait(5.0)
        self.transactions += actor.committed
        if actor.failure is not None:
            actor.start_over()
        actor.committed = False
