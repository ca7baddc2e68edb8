"""Plays schedules on real sessions: a session that has to wait is left waiting, and the others go on."""

from __future__ import annotations

import time
from collections.abc import Mapping

from campaign.database.address import Kind
from campaign.database.server import Server
from phases.database.isolation.actors import Actor
from phases.database.isolation.levels import Level
from phases.database.isolation.schedules import Schedule
from phases.database.isolation.verdicts import Rows, Run

ACTORS = 3
GLANCE = 0.004
"""Seconds within which most statements end; only then the server is asked whether they wait for a lock."""

PATIENCE: Mapping[Kind, float] = {Kind.POSTGRESQL: 1.0, Kind.MYSQL: 0.4, Kind.SQLITE: 0.03}
"""Seconds after which a statement counts as waiting though the server does not say so; SQLite never says."""

LAST = 6.0
"""Seconds for everything to end, longer than any lock is waited for."""

_WAITS = {
    Kind.POSTGRESQL: "SELECT cardinality(pg_blocking_pids(:number)) > 0",
    Kind.MYSQL: (
        "SELECT COUNT(*) FROM information_schema.INNODB_TRX"
        " WHERE trx_mysql_thread_id = :number AND trx_state = 'LOCK WAIT'"
    ),
}


class Stage:
    """A table with two rows, and three sessions at one level."""

    def __init__(self, server: Server, table: str, level: Level) -> None:
        self._server = server
        self._table = table
        self._actors = [Actor(server, level) for _ in range(ACTORS)]
        self._asks = True

    def play(self, schedule: Schedule) -> Run:
        """What was seen when the steps were done in their order."""
        self._set_up()
        cast = {number: self._actors[number - 1] for number in schedule.sessions}
        run = Run()
        for number, actor in cast.items():
            actor.begin()
            self._settle(number, actor, run)
        for step in schedule.steps:
            actor = cast[step.session]
            actor.do(step.sql.format(table=self._table), read=step.read)
            for number, other in cast.items():
                self._settle(number, other, run)
        return self._ended(cast, run)

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

    def _settle(self, number: int, actor: Actor, run: Run) -> None:
        """Return when the session has done all it was asked for, or waits for another."""
        until = time.monotonic() + PATIENCE[self._server.kind]
        while not actor.wait(GLANCE):
            if time.monotonic() > until or self._waits(actor):
                run.blocked.add(number)
                return

    def _waits(self, actor: Actor) -> bool:
        """Whether the server says that it waits for a lock; not asked again where we may not know."""
        statement = _WAITS.get(self._server.kind)
        if statement is None or not self._asks:
            return False
        try:
            return bool(self._server.scalar(statement, number=actor.number))
        except Exception:  # noqa: BLE001 - a right that we lack: then time tells
            self._asks = False
            return False

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
