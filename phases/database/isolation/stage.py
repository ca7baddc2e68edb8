"""Plays schedules on real sessions: a session that has to wait is left waiting, and the others go on."""

from __future__ import annotations

import time
from collections.abc import Mapping

from campaign.database.address import Kind
from campaign.database.server import Server
from phases.database.isolation.actors import Actor
from phases.database.isolation.levels import Level
from phases.database.isolation.schedules import ABORT, COMMIT, Schedule
from phases.database.isolation.verdicts import Rows, Run

ACTORS = 3
GLANCE = 0.004
"""Seconds within which most statements end; only then the server is asked whether they wait for a lock."""

PATIENCE = 1.0
"""Seconds after which we go on though nobody says that a statement waits; then nothing is proved by it."""

FOREVER = float("inf")

LAST = 6.0
"""Seconds for everything to end, longer than any lock is waited for."""

_LOOKS: Mapping[Kind, float] = {Kind.POSTGRESQL: 0.004, Kind.MYSQL: 0.11, Kind.SQLITE: 0.0}
"""Seconds between two looks at who waits; InnoDB renews its tables only when nobody read them for 100 ms."""

_BLOCKERS = {
    Kind.POSTGRESQL: "SELECT unnest(pg_blocking_pids(:number)) AS pid",
    Kind.MYSQL: (
        "SELECT blocking.trx_mysql_thread_id AS pid FROM information_schema.INNODB_LOCK_WAITS AS waits"
        " JOIN information_schema.INNODB_TRX AS asking ON asking.trx_id = waits.requesting_trx_id"
        " JOIN information_schema.INNODB_TRX AS blocking ON blocking.trx_id = waits.blocking_trx_id"
        " WHERE asking.trx_mysql_thread_id = :number"
    ),
}
"""Whom a session waits for, in the server's own words."""


class Stage:
    """A table with two rows, and three sessions at one level."""

    def __init__(self, server: Server, table: str, level: Level) -> None:
        self._server = server
        self._table = table
        self._actors: list[Actor] = []
        self._asks = True
        try:
            for _ in range(ACTORS):
                self._actors.append(Actor(server, level))
        except BaseException:  # a server that takes no third session gets the others back
            self.close()
            raise

    def play(self, schedule: Schedule) -> Run:
        """What was seen when the steps were done in their order."""
        self._set_up()
        cast = {number: self._actors[number - 1] for number in schedule.sessions}
        run, waiting = Run(), set[int]()
        for number, actor in cast.items():
            actor.begin()
            self._settle(number, actor, waiting, run)
        for step in schedule.steps:
            cast[step.session].do(step.sql.format(table=self._table), read=step.read)
            self._settle(step.session, cast[step.session], waiting, run)
            if step.sql in {COMMIT, ABORT} or cast[step.session].failure is not None:
                self._let_on(cast, waiting, run)
            run.blocked |= waiting - run.slow
        return self._ended(cast, run)

    def _let_on(self, cast: Mapping[int, Actor], waiting: set[int], run: Run) -> None:
        """Somebody gave up what it held: see who of those that waited goes on."""
        for number in sorted(waiting):
            waiting.discard(number)
            self._settle(number, cast[number], waiting, run)

    def close(self) -> None:
        """End all sessions."""
        for each in self._actors:
            each.close()

    def _set_up(self) -> None:
        for each in self._actors:
            each.start_over()
        with self._server.writing() as connection:
            connection.exec_driver_sql(f"DELETE FROM {self._table} WHERE id < 100")  # noqa: S608 - ours
            connection.exec_driver_sql(
                f"INSERT INTO {self._table} (id, value) VALUES (1, 10), (2, 20)"  # noqa: S608 - ours
            )

    def _settle(self, number: int, actor: Actor, waiting: set[int], run: Run) -> None:
        """Return when the session has done all it was asked for, or is one of those `waiting` for another.

        One that takes long without a word of the server is among them too, and `slow`.
        """
        if number in waiting:
            return
        began = time.monotonic()
        looked = began - _LOOKS.get(self._server.kind, 0.0) / 2
        while not actor.wait(GLANCE):
            now = time.monotonic()
            if now - began > PATIENCE:
                run.slow.add(number)
                waiting.add(number)
                return
            if now - looked > _LOOKS[self._server.kind]:
                looked = now
                if self._waits(actor):
                    waiting.add(number)
                    return

    def _waits(self, actor: Actor) -> bool:
        """Whether the server says that it waits for another of ours; not asked again where we may not."""
        if self._server.kind is Kind.SQLITE:
            return actor.refused_so_far
        if not self._asks:
            return False
        try:
            blockers = self._server.rows(_BLOCKERS[self._server.kind], number=actor.number)
        except Exception:  # noqa: BLE001 - a right that we lack, or a server without it: then time tells
            self._asks = False
            return False
        ours = {each.number for each in self._actors}
        return any(int(each["pid"]) in ours for each in blockers)

    def _ended(self, cast: Mapping[int, Actor], run: Run) -> Run:
        until = time.monotonic() + LAST
        for actor in cast.values():
            actor.wait(max(0.0, until - time.monotonic()))
        for number, actor in cast.items():
            run.reads |= actor.reads
            if actor.committed:
                run.committed.add(number)
            if actor.failure is not None:
                run.failures[number] = actor.failure
        run.final = self._final()
        return run

    def _final(self) -> Rows:
        statement = f"SELECT id, value FROM {self._table} WHERE id IN (1, 2) ORDER BY id"  # noqa: S608 - ours
        return tuple((int(each["id"]), int(each["value"])) for each in self._server.rows(statement))
