"""The standard input and output of a container, over a connection to its engine."""

from __future__ import annotations

import os
import select
import socket
import ssl
import threading
import time
from contextlib import suppress
from typing import Protocol
from urllib.parse import quote

from campaign.faults.healing.engine import Engine, Line, SocketLine
from campaign.faults.healing.ssh import ProgramLine

HEADER = 8
"""Bytes before each piece of output: the stream's number, three zeros, the length (Docker's API, attach)."""

OUTPUT = 1

TURN = 0.2
"""Seconds that a reader waits at once, so that it sees that the connection was closed."""


class Wire(Protocol):
    """Bytes both ways."""

    def send(self, data: bytes) -> None:
        """Send all of it. Raises OSError."""

    def receive(self) -> bytes:
        """What comes next; nothing at the end."""

    def close(self) -> None:
        """End it."""


class SocketWire:
    """A socket that one thread reads and another writes; TLS allows only one of them at a time."""

    def __init__(self, connected: socket.socket) -> None:
        self._socket = connected
        self._turn = threading.Lock()

    def send(self, data: bytes) -> None:
        """Send all of it. Raises OSError."""
        with self._turn:
            self._socket.settimeout(10)
            self._socket.sendall(data)

    def receive(self) -> bytes:
        """What comes next; nothing at the end."""
        while self._socket.fileno() >= 0:
            with suppress(OSError, ValueError):
                select.select([self._socket], [], [], TURN)
            with self._turn:
                try:
                    self._socket.settimeout(0.001)
                    return self._socket.recv(65536)
                except (TimeoutError, BlockingIOError, ssl.SSLWantReadError):
                    continue
                except OSError:
                    return b""
        return b""

    def close(self) -> None:
        """End it, for the reader too."""
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()


class ProgramWire:
    """The pipes of a program that is the connection."""

    def __init__(self, line: ProgramLine) -> None:
        self._line = line

    def send(self, data: bytes) -> None:
        """Send all of it. Raises OSError."""
        assert self._line.program.stdin is not None  # noqa: S101 - a pipe was asked for
        self._line.program.stdin.write(data)
        self._line.program.stdin.flush()

    def receive(self) -> bytes:
        """What comes next; nothing at the end."""
        assert self._line.program.stdout is not None  # noqa: S101 - a pipe was asked for
        try:
            return os.read(self._line.program.stdout.fileno(), 65536)
        except (OSError, ValueError):
            return b""

    def close(self) -> None:
        """End the program."""
        self._line.close()


def attach(engine: Engine, container: str, *, seconds: float) -> Attached:
    """The container's standard input and output; it may be started after that. Raises OSError and
    ValueError.
    """
    wire = _wire(engine.dial(time.monotonic() + seconds))
    path = f"/containers/{quote(container, safe='')}/attach?stream=1&stdin=1&stdout=1&stderr=1"
    wire.send(f"POST {path} HTTP/1.1\r\nHost: engine\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n".encode())
    received = b""
    while b"\r\n\r\n" not in received:
        piece = wire.receive()
        if not piece:
            wire.close()
            raise ConnectionError("the engine ended the connection instead of attaching it")
        received += piece
    head, _, rest = received.partition(b"\r\n\r\n")
    if head.split(b" ")[1:2] not in ([b"101"], [b"200"]):
        wire.close()
        raise ValueError(f"not attached: {rest.decode(errors='replace').strip()}")
    return Attached(wire, rest)


def _wire(line: Line) -> Wire:
    if isinstance(line, SocketLine):
        return SocketWire(line.socket)
    assert isinstance(line, ProgramLine)  # noqa: S101 - there are two kinds
    return ProgramWire(line)


class Attached:
    """What a container's standard streams say; what it complains of is kept."""

    def __init__(self, wire: Wire, unread: bytes) -> None:
        self._wire, self._unread = wire, unread
        self.complaints = b""

    def send(self, data: bytes) -> None:
        """To its standard input. Raises OSError."""
        self._wire.send(data)

    def receive(self) -> bytes:
        """The next piece of its standard output; nothing at the end."""
        while True:
            while len(self._unread) < HEADER or len(self._unread) < HEADER + self._length():
                piece = self._wire.receive()
                if not piece:
                    return b""
                self._unread += piece
            number, length = self._unread[0], self._length()
            content = self._unread[HEADER : HEADER + length]
            self._unread = self._unread[HEADER + length :]
            if number == OUTPUT and content:
                return content
            self.complaints = (self.complaints + content)[-4000:]

    def _length(self) -> int:
        return int.from_bytes(self._unread[4:HEADER], "big")

    def close(self) -> None:
        """Let go; its standard input ends."""
        self._wire.close()
