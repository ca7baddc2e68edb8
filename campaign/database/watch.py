"""Ends what waits for a server that stands still: drivers wait for ever for an answer that never comes.

A server that is frozen still acknowledges what we send, so neither the network nor its own time-out of
statements ends anything. One thread looks at the connections that are in use, and closes the socket of each
that had nothing to say for too long: who waits on it gets an error.
"""

from __future__ import annotations

import socket
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sqlalchemy import Engine

LONGEST = 40.0
"""Seconds without a new statement after which a connection in use is taken as lost."""

HURRIED = 3.0
"""The same once the campaign is stopped."""

_EVERY = 0.25


class Watch:
    """The connections in use, and when each was last given something to do."""

    def __init__(self) -> None:
        self._busy: dict[int, tuple[Any, float]] = {}
        self._lock = threading.Lock()
        self._longest = LONGEST
        self._thread: threading.Thread | None = None

    def attach(self, engine: Engine) -> None:
        """Look after all connections of this engine."""
        from sqlalchemy import event  # noqa: PLC0415

        for begins in ("first_connect", "connect"):  # before SQLAlchemy asks a new connection what it is
            event.listen(engine.pool, begins, lambda driver, *_: self._note(driver), insert=True)
        event.listen(engine.pool, "checkout", lambda driver, *_: self._note(driver))
        event.listen(engine.pool, "checkin", lambda driver, *_: self._forget(driver))
        event.listen(engine.pool, "close", lambda driver, *_: self._forget(driver))
        event.listen(engine.pool, "close_detached", lambda driver, *_: self._forget(driver))
        event.listen(engine.pool, "detach", lambda driver, *_: self._forget(driver))
        event.listen(
            engine, "before_cursor_execute", lambda connection, *_: self._note(connection.connection)
        )

    def relax(self) -> None:
        """From now on the usual patience."""
        self._longest = LONGEST

    def hurry(self) -> None:
        """From now on little patience: the campaign is stopped."""
        self._longest = HURRIED

    def _note(self, connection: Any) -> None:
        driver = getattr(connection, "driver_connection", connection)
        with self._lock:
            self._busy[id(driver)] = driver, time.monotonic()
            if self._thread is None:
                self._thread = threading.Thread(target=self._look, name="database watch", daemon=True)
                self._thread.start()

    def _forget(self, connection: Any) -> None:
        driver = getattr(connection, "driver_connection", connection)
        with self._lock:
            self._busy.pop(id(driver), None)

    def _look(self) -> None:
        while True:
            time.sleep(_EVERY)
            limit = time.monotonic() - self._longest
            with self._lock:
                late = [driver for driver, since in self._busy.values() if since < limit]
                for driver in late:
                    self._busy.pop(id(driver), None)
                over = not self._busy
                if over:
                    self._thread = None
            for driver in late:
                cut(driver)
            if over:
                return


WATCH = Watch()
"""One for the process: a stop is for all connections."""


def cut(driver: Any) -> None:
    """Shut the socket of a driver's connection, so that nobody waits on it any longer."""
    number = _descriptor(driver)
    if number < 0:
        return
    with suppress(OSError):
        copy = socket.fromfd(number, socket.AF_INET, socket.SOCK_STREAM)
        try:
            copy.shutdown(socket.SHUT_RDWR)
        finally:
            copy.close()


def _descriptor(driver: Any) -> int:
    """The socket of a psycopg or PyMySQL connection; -1 where there is none."""
    with suppress(Exception):
        if hasattr(driver, "pgconn"):
            return int(driver.pgconn.socket)
        return int(driver._sock.fileno())  # noqa: SLF001 - PyMySQL has no other way
    return -1
