"""A connection to PostgreSQL that does not wait for a server which has fallen silent.

A statement may take its time, behind a lock for instance, as long as the server lives. A server that is
frozen or cut off says nothing at all, and keep-alives are of no use against it: the kernel of a frozen
machine's neighbour still answers. So a wait that gets long asks the server for a sign of life beside it.
"""

import socket
import time
from collections.abc import Callable, Generator
from contextlib import suppress
from typing import Any

from psycopg import Connection, OperationalError

PATIENCE_S = 0.6
"""How long a wait may be before the server is asked for a sign of life, and again after each."""

SIGN_WITHIN_S = 0.8
STANDARD_PORT = 5432
TLS_WANTED = bytes((0, 0, 0, 8, 4, 210, 22, 47))
"""PostgreSQL's SSLRequest: the shortest question that a server answers, before any login."""


def connect(lost: Callable[[], None], *arguments: Any, **options: Any) -> Connection[Any]:
    """A connection of psycopg's; where it gives up on a silent server it calls `lost` first.

    Raises psycopg's OperationalError, and sooner than psycopg itself where the server is silent.
    """
    host = options.get("host") or ""
    if host and "," not in host and not host.startswith("/"):
        there = (host, int(options.get("port") or STANDARD_PORT))
        if not _gives_sign(lambda: socket.create_connection(there, SIGN_WITHIN_S / 2)):
            raise OperationalError("the server does not answer")
    connection = _Watchful.connect(*arguments, **options)
    connection.lost = lost
    return connection


class _Watchful(Connection[Any]):
    lost: Callable[[], None]

    def wait(self, gen: Any, *arguments: Any, **options: Any) -> Any:
        """The outcome of one exchange with the server; raises OperationalError where it has died away."""
        return super().wait(self._watched(gen), *arguments, **options)

    def _watched(self, exchange: Generator[Any, Any, Any]) -> Generator[Any, Any, Any]:
        until = time.monotonic() + PATIENCE_S
        ready = None
        while True:
            try:
                wanted = exchange.send(ready)
            except StopIteration as ended:
                return ended.value
            ready = yield wanted  # 0 after each interval in which nothing came
            if not ready and time.monotonic() > until:
                if not gives_sign(self.pgconn.socket):
                    self._give_up(exchange)
                until = time.monotonic() + PATIENCE_S

    def _give_up(self, exchange: Generator[Any, Any, Any]) -> None:
        with suppress(AttributeError):  # not yet set while the connection itself is set up
            self.lost()
        exchange.close()
        self.pgconn.finish()
        raise OperationalError("the server has fallen silent: the connection is closed")


def gives_sign(descriptor: int) -> bool:
    """Whether the server behind a connected socket answers on another connection, within SIGN_WITHIN_S."""

    def beside() -> socket.socket:
        with socket.socket(fileno=descriptor) as ours:
            family, there = ours.family, ours.getpeername()
            ours.detach()
        another = socket.socket(family)
        another.settimeout(SIGN_WITHIN_S / 2)
        another.connect(there)
        return another

    return _gives_sign(beside)


def _gives_sign(connected: Callable[[], socket.socket]) -> bool:
    try:
        with connected() as beside:
            beside.sendall(TLS_WANTED)
            return bool(beside.recv(1))
    except OSError:
        return False
