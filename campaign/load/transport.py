"""One HTTP/1.1 connection, one request in flight: bytes out, one answer in. The hot path of the load.

httptools finds the parts of the answer and calls the `on_*` methods below; what it does not do is done here:
HEAD answers without a body, bodies that end with the connection, answers nobody asked for, and bounds on what
is kept in memory.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from typing import cast

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

from campaign.clock import SECOND
from campaign.load.failure import ExchangeError
from campaign.load.kept import FAILED, SHELF, TOLD
from campaign.load.tally import ErrorKind
from campaign.target.request import Request

MAX_HEAD = 256 * 1024
"""Bytes of status line and headers (informational answers included) that are read before we give up."""


IDLE_LIMIT = 4 * SECOND
"""Nanoseconds; a connection idle for longer is not trusted, as many servers close theirs after 5 s."""

MARGIN = SECOND
"""Nanoseconds; an idle connection is given up so much before its Keep-Alive timeout."""

_NAMES: dict[bytes, bytes] = {}
"""Header names as they came, and in lower case: all connections share these instead of keeping their own."""

MAX_NAMES = 1000
"""Names that are shared; a hostile server could send any number."""

_KEEP_ALIVE = re.compile(rb"timeout\s*=\s*\"?(\d{1,6})")


class Connection(asyncio.Protocol):
    """A connection, and after an exchange its answer: `status`, `headers` (lower case), `chunks` of the body.

    `received` counts the bytes of the current answer, head and body, as they came over the wire. Who wants to
    see the body piece by piece puts a list of its own into `chunks` once the request is sent.
    """

    rested = 0
    """A plain exchange has no rests."""

    __slots__ = (
        "_asked", "_body_size", "_complete", "_excess", "_head_only", "_keep_body", "_limit", "_loop",
        "_max_body", "_now_ns", "_parser", "_persistent", "_transport", "chunks", "closed", "headers",
        "idle_limit", "last_used", "received", "status", "unasked",
    )  # fmt: skip

    def __init__(self, *, loop: asyncio.AbstractEventLoop, now_ns: Callable[[], int]) -> None:
        self._loop = loop
        self._now_ns = now_ns
        self._transport: asyncio.Transport
        self._asked: asyncio.Future[int] | None = None
        self._parser = HttpResponseParser(self)
        self.closed = False
        self.unasked = False
        self.idle_limit = IDLE_LIMIT
        self.last_used = 0
        self.status = self.received = 0
        self.headers: list[tuple[bytes, bytes]] = []
        self.chunks: list[bytes] = []

    def send(self, request: Request, *, cookie: bytes, keep_body: bool, max_body: int) -> asyncio.Future[int]:
        """A future of the moment in ns when the answer was whole; it may raise ExchangeError.

        `cookie` is a whole header line or nothing. Without `keep_body` the body is counted and dropped, but
        for the beginning of a refusal's. A longer body than `max_body` bytes is an error.
        """
        self._complete = self._excess = False
        self._persistent = True
        self._head_only = request.method == "HEAD"  # its answer has no body, whatever the headers say
        self._keep_body = keep_body
        self._max_body = max_body
        self._limit = MAX_HEAD
        self.status = self.received = self._body_size = 0
        self.headers.clear()
        self.chunks = []
        self._asked = asked = self._loop.create_future()
        self._transport.write(request.wire(cookie))
        return asked

    def expire(self) -> None:
        """Fail the exchange in flight: its time is over."""
        self.fail(ErrorKind.TIMEOUT, f"no {'whole answer' if self.received else 'answer'} in time")

    def end(self) -> None:
        """While a piece of the body is taken in: that was all that is wanted, the answer is whole.

        The connection goes, unless the server ends the body in the same breath.
        """
        self._complete = True
        self._persistent = False

    def fail(self, kind: ErrorKind, detail: str) -> None:
        """End the exchange in flight, if there is one, with an ExchangeError, and the connection with it."""
        self.close()
        asked, self._asked = self._asked, None
        if asked is not None and not asked.done():
            asked.set_exception(ExchangeError(kind, detail))

    def close(self) -> None:
        """Drop the connection at once, without waiting for anything."""
        self.closed = True
        self._transport.abort()

    # What the event loop calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Parse what came, and resolve the exchange when its answer is whole."""
        if self._asked is None:
            self.unasked = True
            self.close()
            return
        self.received += len(data)
        if self.received > self._limit and (wrong := self._look_closer()) is not None:
            self.fail(*wrong)
            return
        try:
            self._parser.feed_data(data)
        except HttpParserUpgrade:
            self.fail(ErrorKind.PROTOCOL, "the server switched protocols unasked")
            return
        except HttpParserError as error:
            self.fail(ErrorKind.PROTOCOL, "bytes after the answer" if self._complete else _explain(error))
            return
        if self._body_size > self._max_body:
            self.fail(ErrorKind.PROTOCOL, self._too_large())
        elif self._complete:
            self.finish()

    def eof_received(self) -> None:
        """The server has said all it wants to say: the end of a body without a length, or too early."""
        if self.status and not self._complete and self._ends_with_connection():
            self._persistent = False
            self.finish()
        self.fail(ErrorKind.RESET, self._cut_off("closed"))

    def connection_lost(self, exc: Exception | None) -> None:
        """Whatever was in flight is lost; let go of the parser, which refers back to us."""
        self.fail(ErrorKind.RESET, self._cut_off("reset" if exc else "closed"))
        del self._parser

    # What the parser calls.

    def on_message_begin(self) -> None:
        """A message begins; one too many when the answer is already whole."""
        if self._complete:
            self._excess = True

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a header."""
        name = _NAMES.get(name) or _lower(name)
        self.headers.append((name, value))
        if name == b"keep-alive":
            self.idle_limit = _idle_limit(value)

    def on_headers_complete(self) -> None:
        """The head is whole; informational ones (1xx) are passed over."""
        status = self._parser.get_status_code()
        if status < 200:
            self.headers.clear()
            return
        self.status = status
        self._limit = self.received + MAX_HEAD
        if self._head_only:
            self.on_message_complete()
            self._parser = HttpResponseParser(self)  # the old one waits for a body that never comes

    def on_body(self, data: bytes) -> None:
        """Keep a piece of the body where somebody wants it, or the beginning of a refusal's."""
        self._body_size += len(data)
        if self._head_only:
            self._excess = True
        elif self._keep_body:
            self.chunks.append(data)
        elif self.status >= FAILED and (left := TOLD - self._body_size + len(data)) > 0:
            self.chunks.append(data[:left])

    def on_message_complete(self) -> None:
        """The answer is whole, unless it was informational."""
        if self.status:
            self._complete = True
            self._persistent = self._parser.should_keep_alive()

    def finish(self) -> None:
        """Resolve the exchange, whose answer is whole."""
        if self._excess:
            self.fail(ErrorKind.PROTOCOL, "bytes after the answer")
            return
        self.last_used = self._now_ns()
        asked, self._asked = self._asked, None
        if not self._persistent:
            self.close()
        if asked is not None and not asked.done():
            asked.set_result(self.last_used)

    def _ends_with_connection(self) -> bool:
        names = {name for name, _ in self.headers}
        return b"content-length" not in names and b"transfer-encoding" not in names

    def _look_closer(self) -> tuple[ErrorKind, str] | None:
        """What is wrong with a large answer; asked once for each of its next few hundred KiB."""
        if self._is_too_large():
            return ErrorKind.PROTOCOL, self._too_large()
        if self._keep_body:
            kept = SHELF.put(self.chunks, self._body_size)
            if kept is None:
                self.chunks = []
                return ErrorKind.EXHAUSTED, "no memory left for large answers"
            self.chunks = kept
        return None

    def _is_too_large(self) -> bool:
        """Whether there is more of the answer than any sane one has; bodies have their own limit."""
        if not self.status:
            return True
        # A chunk of one byte costs five more; the rest is the head, and trailers.
        self._limit = self.received + MAX_HEAD
        return self.received - self._body_size > 5 * self._body_size + 2 * MAX_HEAD

    def _too_large(self) -> str:
        if not self.status:
            return f"headers larger than {MAX_HEAD} bytes"
        if self._body_size > self._max_body:
            return f"body larger than {self._max_body} bytes"
        return "an answer much larger than its body"

    def _cut_off(self, how: str) -> str:
        if not self.received:
            return f"connection {how} before the answer"
        return f"connection {how} in the middle of the answer"


def _lower(name: bytes) -> bytes:
    lower = name.lower()
    if len(_NAMES) < MAX_NAMES:
        _NAMES[name] = lower
    return lower


def _explain(error: HttpParserError) -> str:
    text = str(error).splitlines()[0] if str(error) else type(error).__name__
    return f"not HTTP: {text[:80]}"


def _idle_limit(keep_alive: bytes) -> int:
    match = _KEEP_ALIVE.search(keep_alive)
    return max(int(match[1]) * SECOND - MARGIN, 0) if match else IDLE_LIMIT
