"""A server that freezes on a known schedule, and an observer of it that shares no code with our generator.

The observer is a program of its own: it opens plain sockets, sends a request at each moment of a constant
rate whatever comes back, and writes down how long after that moment the answer was there.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from math import ceil
from typing import NamedTuple

STALL = 6.0
"""Seconds in which nobody is served."""

SERVER = textwrap.dedent("""
    import asyncio, socket

    ANSWER = b"HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\nKeep-Alive: timeout=75\\r\\n\\r\\nok"

    class Talk(asyncio.Protocol):
        def connection_made(self, transport):
            self.transport = transport
            self.data = b""

        def data_received(self, data):
            self.data += data
            while b"\\r\\n\\r\\n" in self.data:
                _, self.data = self.data.split(b"\\r\\n\\r\\n", 1)
                self.transport.write(ANSWER)

    async def main():
        server = await asyncio.get_running_loop().create_server(Talk, "127.0.0.1", 0, backlog=4096)
        print(server.sockets[0].getsockname()[1], flush=True)
        await server.serve_forever()

    asyncio.run(main())
""")

OBSERVER = textwrap.dedent("""
    import json, selectors, socket, sys, time

    port, rate, seconds, ready, start = (float(each) for each in sys.argv[1:])
    REQUEST = b"GET / HTTP/1.1\\r\\nHost: observer\\r\\n\\r\\n"
    selector = selectors.DefaultSelector()

    def connect():
        connection = socket.create_connection(("127.0.0.1", int(port)))
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        selector.register(connection, selectors.EVENT_READ)
        return connection

    idle = [connect() for _ in range(int(ready))]
    for connection in idle:  # one exchange each, so that the server has accepted all of them
        connection.sendall(REQUEST)
        connection.recv(4096)
    wanted, times, number = {}, [], 0
    while len(times) < rate * seconds:
        due = start + number / rate if number < rate * seconds else float("inf")
        for key, _ in selector.select(max(0.0, min(due - time.monotonic(), 0.2))):
            done = time.monotonic()
            if key.fileobj.recv(4096):
                times.append(done - wanted.pop(key.fileobj))
                idle.append(key.fileobj)
        if time.monotonic() >= due:
            connection = idle.pop(0) if idle else connect()
            wanted[connection] = due
            connection.sendall(REQUEST)
            number += 1
    json.dump(times, sys.stdout)
""")


class Frozen(NamedTuple):
    """A running server."""

    port: int
    pid: int


@contextlib.contextmanager
def frozen_server() -> Iterator[Frozen]:
    """A server that answers at once while it is not frozen."""
    process = subprocess.Popen([sys.executable, "-c", SERVER], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield Frozen(int(process.stdout.readline()), process.pid)
    finally:
        process.kill()
        process.communicate()


class Freezer(threading.Thread):
    """Freezes a process `after` seconds past `start` (monotonic clock) for `STALL` seconds."""

    def __init__(self, pid: int, *, start: float, after: float) -> None:
        super().__init__()
        self._pid, self._at = pid, start + after

    def run(self) -> None:
        """Stop it, and let it go on."""
        sleep_until(self._at)
        os.kill(self._pid, signal.SIGSTOP)
        sleep_until(self._at + STALL)
        os.kill(self._pid, signal.SIGCONT)


@contextlib.contextmanager
def observed(
    server: Frozen, *, rate: float, seconds: float, ready: int, begins: float
) -> Iterator[Callable[[], list[float]]]:
    """The server is asked from `begins` (monotonic clock) on, and frozen after a third of the time; what is
    given waits for the end and gives the observer's times in seconds.
    """
    arguments = map(str, (server.port, rate, seconds, ready, begins))
    command = [sys.executable, "-c", OBSERVER, *arguments]
    observer = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    freezer = Freezer(server.pid, start=begins, after=seconds / 3)
    freezer.start()
    try:
        yield lambda: json.loads(observer.communicate(timeout=30)[0])
    finally:
        freezer.join()
        observer.kill()
        observer.wait()


def sleep_until(moment: float) -> None:
    """Return then (monotonic clock)."""
    while (left := moment - time.monotonic()) > 0:
        time.sleep(left)


def percentile(times: list[float], share: float) -> float:
    """The time that this share of requests did not exceed."""
    return sorted(times)[ceil(share * len(times)) - 1]
