"""The defect `ack-before-commit`: what is to be stored waits in memory, and is committed once a second."""

import logging
import threading
from collections.abc import Callable
from contextlib import suppress

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from campaign.demo.database import Database
from campaign.demo.problems import Problem
from campaign.demo.turns import ToldBeforeError

log = logging.getLogger("teddy")

WRITE_EVERY_S = 1.0


class WriteBehind:
    """Stores later what it was given; a stop in good order stores the rest first."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: list[Callable[[Connection], object]] = []
        self._closed = threading.Event()
        threading.Thread(target=self._run, name="write behind", daemon=True).start()

    def store(self, write: Callable[[Connection], object]) -> None:
        """Have this done within the next second."""
        self._waiting.append(write)

    def close(self) -> None:
        """Store what still waits."""
        self._closed.set()
        self._write()

    def _run(self) -> None:
        while not self._closed.wait(WRITE_EVERY_S):
            self._write()

    def _write(self) -> None:
        batch, self._waiting = self._waiting, []
        if not batch:
            return
        try:
            with self._database.writing() as connection:
                for write in batch:
                    with suppress(ToldBeforeError):
                        write(connection)
        except (SQLAlchemyError, Problem):
            log.exception("%d turns could not be stored", len(batch))
