"""One HTTP/2 connection (RFC 9113) over the library `h2`, one request in flight: what transport.py does for
HTTP/1.1, and slower by what the protocol and its Python cost.

Spoken over TLS where ALPN agrees on it, and in the clear by prior knowledge (section 3.3).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import cast

from h2 import events
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.exceptions import H2Error
from h2.settings import SettingCodes, Settings

from campaign.clock import FOREVER
from campaign.load.failure import ExchangeError
from campaign.load.kept import FAILED, TOLD
from campaign.load.tally import ErrorKind
from campaign.target.request import Request

WINDOW = 2**24
"""Bytes that the server may send ahead of our leave; a browser grants about as much."""

_OF_A_CONNECTION = (
    b"host",
    b"connection",
    b"keep-alive",
    b"proxy-connection",
    b"transfer-encoding",
    b"upgrade",
)
"""Headers that HTTP/2 has no use for (section 8.2.2)."""


class Forgetful(H2Connection):
    """A connection that remembers few streams that are over: the library's 65,536 would take 10 MB of each.

    What comes late for a forgotten one (data, a reset) is dropped as for the others.
    """

    MAX_CLOSED_STREAMS = 100


class Http2Connection(asyncio.Protocol):
    """A connection, and after an exchange its answer. It is trusted until the server says goodbye."""

    rested = 0
    """A plain exchange has no rests."""

    __slots__ = (
        "_asked", "_body_size", "_complete", "_ended", "_failure", "_greeted", "_http2", "_keep_body",
        "_loop", "_max_body", "_now_ns", "_rest", "_stream", "_transport", "chunks", "closed", "headers",
        "idle_limit", "last_used", "received", "status", "unasked",
    )  # fmt: skip

    def __init__(self, *, loop: asyncio.AbstractEventLoop, now_ns: Callable[[], int]) -> None:
        self._loop = loop
        self._now_ns = now_ns
        self._transport: asyncio.Transport
        self._http2 = Forgetful(H2Configuration(client_side=True, header_encoding=None))
        self._asked: asyncio.Future[int] | None = None
        self._stream = self._body_size = self._max_body = 0
        self._rest = b""
        self._complete = self._ended = self._keep_body = self._greeted = False
        self._failure: ExchangeError | None = None
        self.closed = self.unasked = False
        self.idle_limit = FOREVER
        self.last_used = 0
        self.status = self.received = 0
        self.headers: list[tuple[bytes, bytes]] = []
        self.chunks: list[bytes] = []

    def send(self, request: Request, *, cookie: bytes, keep_body: bool, max_body: int) -> asyncio.Future[int]:
        """A future of the moment in ns when the answer was whole; it may raise ExchangeError.

        `cookie` is a whole header line or nothing. Without `keep_body` the body is counted and dropped, but
        for the beginning of a refusal's. A longer body than `max_body` bytes is an error.
        """
        self._complete = self._ended = False
        self._keep_body = keep_body
        self._max_body = max_body
        self.status = self.received = self._body_size = 0
        self.headers, self.chunks = [], []
        self._asked = asked = self._loop.create_future()
        if self._failure is not None:
            asked.set_exception(self._failure)
            return asked
        try:
            self._begin(request, cookie)
        except H2Error as error:
            self.fail(ErrorKind.PROTOCOL, f"not sent: {_explain(error)}")
        return asked

    def expire(self) -> None:
        """Fail the exchange in flight: its time is over."""
        self.fail(ErrorKind.TIMEOUT, f"no {'whole answer' if self.status else 'answer'} in time")

    def end(self) -> None:
        """While a piece of the body is taken in: that was all that is wanted. The connection stays."""
        self._complete = True

    def finish(self) -> None:
        """Resolve the exchange that `end` has ended, or whose answer is whole."""
        if not self._ended or self._rest:
            self._cancel_stream()
        self.last_used = self._now_ns()
        asked, self._asked = self._asked, None
        if asked is not None and not asked.done():
            asked.set_result(self.last_used)

    def fail(self, kind: ErrorKind, detail: str) -> None:
        """End the exchange in flight, or the one to come, with an ExchangeError, and the connection too."""
        self.close()
        asked, self._asked = self._asked, None
        if self._failure is None:
            self._failure = ExchangeError(kind, detail)
        if asked is not None and not asked.done():
            asked.set_exception(self._failure)

    def close(self) -> None:
        """Drop the connection at once, without waiting for anything."""
        self.closed = True
        self._transport.abort()

    # What the event loop calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to speak HTTP/2, unless TLS has agreed on something else."""
        self._transport = cast("asyncio.Transport", transport)
        tls = transport.get_extra_info("ssl_object")
        if tls is not None and tls.selected_alpn_protocol() != "h2":
            chosen = tls.selected_alpn_protocol() or "nothing"
            self.fail(ErrorKind.PROTOCOL, f"the server chose {chosen} instead of h2")
            return
        wishes = {
            SettingCodes.ENABLE_PUSH: 0,
            SettingCodes.INITIAL_WINDOW_SIZE: WINDOW,
        }
        self._http2.local_settings = Settings(client=True, initial_values=wishes)
        self._http2.initiate_connection()
        self._http2.increment_flow_control_window(WINDOW)
        self._flush()

    def data_received(self, data: bytes) -> None:
        """Take in what came, and resolve the exchange when its answer is whole."""
        self.received += len(data)
        if not self._greeted and data.startswith(b"HTTP/"):
            self.fail(ErrorKind.PROTOCOL, "the server answered in HTTP/1.1")
            return
        self._greeted = True
        try:
            for event in self._http2.receive_data(data):
                self._take(event)
            if not self._complete:
                self._pump()
            self._flush()
        except H2Error as error:
            self.fail(ErrorKind.PROTOCOL, f"not HTTP/2: {_explain(error)}")
            return
        if self._body_size > self._max_body and self._asked is not None:
            self.fail(ErrorKind.PROTOCOL, f"body larger than {self._max_body} bytes")
        elif self._complete and self._asked is not None:
            self.finish()

    def connection_lost(self, exc: Exception | None) -> None:
        """Whatever was in flight is lost."""
        where = "in the middle of" if self.status else "before"
        self.fail(ErrorKind.RESET, f"connection {'reset' if exc else 'closed'} {where} the answer")

    def _begin(self, request: Request, cookie: bytes) -> None:
        self._stream = self._http2.get_next_available_stream_id()
        self._rest = request.body
        self._http2.send_headers(self._stream, _headers(request, cookie), end_stream=not request.body)
        self._pump()
        self._flush()

    def _pump(self) -> None:
        """Send as much of the body as the server lets us."""
        while self._rest:
            room = self._http2.local_flow_control_window(self._stream)
            size = min(room, self._http2.max_outbound_frame_size)
            if size <= 0:
                return
            piece, self._rest = self._rest[:size], self._rest[size:]
            self._http2.send_data(self._stream, piece, end_stream=not self._rest)

    def _flush(self) -> None:
        data = self._http2.data_to_send()
        if data and not self._transport.is_closing():
            self._transport.write(data)

    def _take(self, event: events.Event) -> None:
        match event:
            case events.DataReceived():
                self._http2.acknowledge_received_data(event.flow_controlled_length or 0, event.stream_id or 0)
                if event.stream_id == self._stream and not self._complete:
                    self._keep(event.data or b"")
            case events.ResponseReceived() if event.stream_id == self._stream:
                self._head(event.headers)
            case events.StreamEnded() if event.stream_id == self._stream:
                self._complete = self._ended = True
            case events.StreamReset() if event.stream_id == self._stream:
                self._reset(event.error_code)
            case events.ConnectionTerminated():
                self._goodbye(event.error_code, event.last_stream_id)

    def _head(self, headers: list[tuple[bytes, bytes]]) -> None:
        for name, value in headers:
            if name == b":status":
                self.status = int(value)
            else:
                self.headers.append((name, value))

    def _keep(self, piece: bytes) -> None:
        self._body_size += len(piece)
        if self._keep_body and piece:
            self.chunks.append(piece)
        elif self.status >= FAILED and (left := TOLD - self._body_size + len(piece)) > 0:
            self.chunks.append(piece[:left])

    def _reset(self, code: object) -> None:
        """After a whole answer it only says that nobody reads the rest of our body (section 8.1)."""
        self._rest = b""
        if not self._complete:
            self.fail(ErrorKind.RESET, f"stream reset by the server: {_name(code)}")

    def _goodbye(self, code: object, last_stream: int | None) -> None:
        """The server takes no further request; what it had not begun it never will."""
        self.closed = True
        if self._asked is None:
            self._transport.abort()
        elif last_stream is not None and last_stream < self._stream:
            self.fail(ErrorKind.RESET, f"the server said goodbye: {_name(code)}")

    def _cancel_stream(self) -> None:
        """Tell the server that nobody wants the rest, where there is one."""
        try:
            self._http2.reset_stream(self._stream, ErrorCodes.CANCEL)
        except H2Error:
            return  # the stream is over already
        finally:
            self._rest = b""
        self._flush()


def _headers(request: Request, cookie: bytes) -> list[tuple[bytes, bytes]]:
    authority, scheme = request.origin.authority.encode(), request.origin.scheme.encode()
    rest: list[tuple[bytes, bytes]] = []
    for line in (request.head + cookie).split(b"\r\n")[1:]:
        name, _, value = line.partition(b": ")
        name = name.lower()
        if name == b"host":
            authority = value
        elif name and name not in _OF_A_CONNECTION:
            rest.append((name, value))
    path = request.target.encode("latin-1")
    return [
        (b":method", request.method.encode()),
        (b":scheme", scheme),
        (b":authority", authority),
        (b":path", path),
        *rest,
    ]


def _name(code: object) -> str:
    return code.name if isinstance(code, ErrorCodes) else str(code)


def _explain(error: H2Error) -> str:
    return f"{type(error).__name__} {error}"[:80].strip()
