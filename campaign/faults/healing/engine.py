"""The little HTTP that an engine (Docker, Podman) needs: one request per connection, answers read to the end.

Addresses: `unix:///path`, `tcp://host:port` (TLS with certificates), `ssh://user@host[:port]` (through
`docker system dial-stdio` there). Every request has a time-out as a whole: an engine may hang.
"""

from __future__ import annotations

import json
import os
import selectors
import socket
import time
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import urlsplit

DOCKER_PORT, DOCKER_TLS_PORT = 2375, 2376
MOST = 64 << 20
"""Bytes of an answer; ours are a few kilobytes."""


class EngineError(Exception):
    """The engine cannot be asked: not there, no permission, no answer in time, or no HTTP."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An engine's answer: its HTTP status, and its JSON (None where it is none)."""

    status: int
    data: Any

    @property
    def fine(self) -> bool:
        """Whether it was done, or was so before (304)."""
        return 200 <= self.status < 300 or self.status == 304

    @property
    def said(self) -> str:
        """The engine's own words for a failure."""
        message = self.data.get("message") if isinstance(self.data, dict) else None
        return str(message or f"HTTP {self.status}").strip()


class Line(Protocol):
    """A connection that is opened already."""

    def exchange(self, request: bytes, *, until: float) -> bytes:
        """All that comes back until the other side closes; `until` is a moment of `time.monotonic`."""

    def close(self) -> None:
        """Let go of it."""


class Engine:
    """An engine by its address; `tls` names the files `ca`, `cert` and `key`, or is None."""

    def __init__(self, address: str, tls: Mapping[str, str] | None = None) -> None:
        self.address = address
        self._tls = tls

    def ask(self, method: str, path: str, *, body: Any = None, seconds: float = 10.0) -> Answer:
        """The answer to one request. Raises EngineError."""
        until = time.monotonic() + seconds
        try:
            with closing(self.dial(until)) as line:
                return _parsed(line.exchange(_request(method, path, body), until=until))
        except TimeoutError as error:
            raise EngineError(f"{self.address}: no answer within {seconds:.0f} s") from error
        except OSError as error:
            raise EngineError(f"{self.address}: {error.strerror or error}") from error
        except ValueError as error:
            raise EngineError(f"{self.address}: not an engine's answer: {error}") from error

    def dial(self, until: float) -> Line:
        """A connection of its own. Raises OSError and ValueError."""
        where = urlsplit(self.address)
        if where.scheme in ("unix", "http+unix"):
            return SocketLine(_dial_unix(where.path, until))
        if where.scheme in ("tcp", "http", "https"):
            return SocketLine(self._dial_tcp(where.hostname or "", where.port, until=until))
        if where.scheme == "ssh":
            from campaign.faults.healing.ssh import ProgramLine  # noqa: PLC0415 - costs memory, is rare

            return ProgramLine(where)
        raise ValueError(f"an address of the kind {where.scheme!r} is not known")

    def _dial_tcp(self, host: str, port: int | None, *, until: float) -> socket.socket:
        secure = self._tls is not None or urlsplit(self.address).scheme == "https"
        address = host, port or (DOCKER_TLS_PORT if secure else DOCKER_PORT)
        plain = socket.create_connection(address, timeout=_left(until))
        return self._secured(plain, host) if secure else plain

    def _secured(self, plain: socket.socket, host: str) -> socket.socket:
        import ssl  # noqa: PLC0415 - three megabytes that most guardians never need

        files = self._tls or {}
        context = ssl.create_default_context(cafile=files.get("ca") or None)
        if files.get("cert"):
            context.load_cert_chain(files["cert"], files.get("key") or None)
        return context.wrap_socket(plain, server_hostname=host)


class SocketLine:
    """A connected socket, plain or TLS."""

    def __init__(self, connected: socket.socket) -> None:
        self.socket = self._socket = connected

    def exchange(self, request: bytes, *, until: float) -> bytes:
        """All that comes back. Raises OSError, TimeoutError too."""
        self._socket.settimeout(_left(until))
        self._socket.sendall(request)
        received = bytearray()
        while not _complete(received):
            self._socket.settimeout(_left(until))
            piece = self._socket.recv(65536)
            if not piece:
                break
            received += piece
        return bytes(received)

    def close(self) -> None:
        """Close it."""
        self._socket.close()


def read_pipe(descriptor: int, *, until: float) -> bytes:
    """All that comes out of a pipe. Raises TimeoutError."""
    received = bytearray()
    with selectors.DefaultSelector() as selector:
        selector.register(descriptor, selectors.EVENT_READ)
        while not _complete(received):
            if not selector.select(_left(until)):
                raise TimeoutError
            piece = os.read(descriptor, 65536)
            if not piece:
                break
            received += piece
    return bytes(received)


def _dial_unix(path: str, until: float) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX)
    try:
        connection.settimeout(_left(until))
        connection.connect(path)
    except OSError:
        connection.close()
        raise
    return connection


def _left(until: float) -> float:
    """Seconds that are left. Raises TimeoutError where there are none."""
    left = until - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def _request(method: str, path: str, body: Any) -> bytes:
    """The request; a body of bytes is a tar, any other is sent as JSON."""
    packed = isinstance(body, bytes)
    content = body if packed else b"" if body is None else json.dumps(body).encode()
    head = [
        f"{method} {path} HTTP/1.1",
        "Host: engine",
        "Connection: close",
        f"Content-Length: {len(content)}",
    ]
    if content:
        head.append(f"Content-Type: application/{'x-tar' if packed else 'json'}")
    return "\r\n".join([*head, "", ""]).encode() + content


def _complete(received: bytes | bytearray) -> bool:
    """Whether a whole answer is there, for those who keep the connection although asked to close it."""
    if len(received) > MOST:
        raise ValueError("too long")
    head, found, body = bytes(received).partition(b"\r\n\r\n")
    if not found:
        return False
    if _status(head) in (204, 304):
        return True
    headers = _headers(head)
    if headers.get("transfer-encoding", "").lower() == "chunked":
        return body.endswith(b"0\r\n\r\n")
    length = headers.get("content-length", "")
    return length.isdecimal() and len(body) >= int(length)


def _parsed(received: bytes) -> Answer:
    head, found, body = received.partition(b"\r\n\r\n")
    if not found:
        raise ValueError("it ended before its headers did")
    if _headers(head).get("transfer-encoding", "").lower() == "chunked":
        body = _dechunked(body)
    try:
        return Answer(_status(head), json.loads(body) if body.strip() else None)
    except ValueError:
        return Answer(_status(head), None)


def _status(head: bytes) -> int:
    words = head.split(b"\r\n", 1)[0].split()
    if len(words) < 2 or not words[0].startswith(b"HTTP/1.") or not words[1].isdigit():
        raise ValueError("no HTTP")
    return int(words[1])


def _headers(head: bytes) -> dict[str, str]:
    lines = head.decode("latin-1").split("\r\n")[1:]
    return {name.strip().lower(): value.strip() for name, _, value in (each.partition(":") for each in lines)}


def _dechunked(body: bytes) -> bytes:
    whole = bytearray()
    while body:
        size, _, body = body.partition(b"\r\n")
        count = int(size.split(b";")[0] or b"0", 16)
        if not count:
            break
        whole += body[:count]
        body = body[count + 2 :]
    return bytes(whole)
