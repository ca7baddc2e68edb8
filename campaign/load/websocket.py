"""One WebSocket (RFC 6455) over the sans-I/O layer of `websockets`: the upgrade, messages out, messages in.

The library keeps the rules; bytes, moments and what counts as a reply are ours, so that a reply is timed when
it arrives and not when a task gets around to it. No extension is offered: messages come uncompressed.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from typing import cast

from websockets.client import ClientProtocol
from websockets.exceptions import InvalidStatus, PayloadTooBig
from websockets.frames import Close, Frame, Opcode
from websockets.http11 import Request as Handshake
from websockets.http11 import Response
from websockets.typing import Subprotocol
from websockets.uri import WebSocketURI

from campaign.load.connections import Dialer, MakeConnection
from campaign.load.failure import ExchangeError
from campaign.load.tally import ErrorKind
from campaign.target.origin import Origin
from campaign.target.request import Request
from campaign.target.talk import SWITCHED

DONE = 1000
"""The purpose of the connection is fulfilled (RFC 6455 section 7.4.1)."""

_OURS = frozenset({
    "host", "connection", "upgrade", "accept", "accept-encoding", "content-length", "sec-websocket-key",
    "sec-websocket-version", "sec-websocket-extensions", "sec-websocket-protocol",
})  # fmt: skip
"""Headers that the handshake sets itself, or that mean nothing in it."""

_LONGEST = 123
"""Characters of a text in an error; a reason never has more (section 5.5.1), so no secret in it is halved."""

_FIGURED = re.compile(r"\S*\d\S*")

_MESSAGES = frozenset({Opcode.TEXT, Opcode.BINARY, Opcode.CONT})


class WebSocket(asyncio.Protocol):
    """A WebSocket, and the answer to its upgrade: `chunks` holds the body of a refusal, the last reply, or
    why the server left.

    One thing is waited for at a time: the upgrade, a reply, or the end. `on_push` is called for every message
    that is no reply, `heard` with every message. `rested` is for those who keep it open without talking.
    """

    __slots__ = (
        "_failure", "_loop", "_now_ns", "_parts", "_protocol", "_transport", "_waiting", "_wanted", "chunks",
        "headers", "heard", "on_push", "received", "rested", "status",
    )  # fmt: skip

    def __init__(self, *, loop: asyncio.AbstractEventLoop, now_ns: Callable[[], int]) -> None:
        self._loop = loop
        self._now_ns = now_ns
        self._transport: asyncio.Transport
        self._protocol: ClientProtocol | None = None
        self._waiting: asyncio.Future[int] | None = None
        self._wanted: bytes | None = None
        self._failure: ExchangeError | None = None
        self._parts: list[bytes] = []
        self.on_push: Callable[[], None] = _ignore
        self.heard: Callable[[bytes], None] | None = None
        self.status = self.received = self.rested = 0
        self.headers: list[tuple[bytes, bytes]] = []
        self.chunks: list[bytes] = []

    def upgrade(self, request: Request, *, cookie: bytes, max_size: int) -> asyncio.Future[int]:
        """A future of the moment in ns when the server granted or refused (`status` says which).

        It may raise ExchangeError. `cookie` is a whole header line or nothing; messages may have `max_size`
        bytes.
        """
        headers = _headers(request, cookie)
        offered = [Subprotocol(each) for name, each in headers if name.lower() == "sec-websocket-protocol"]
        subprotocols = [Subprotocol(each.strip()) for line in offered for each in line.split(",")]
        origin = request.origin
        uri = WebSocketURI(origin.secure, origin.host, origin.port, request.target, "")
        protocol = ClientProtocol(uri, subprotocols=subprotocols or None, max_size=max_size)
        handshake = protocol.connect()
        _lay_out(handshake, headers)
        protocol.send_request(handshake)
        self._protocol = protocol
        self._flush(protocol)
        return self._wait()

    def ask(self, message: bytes, wanted: bytes) -> asyncio.Future[int]:
        """Send a text message; a future of the moment in ns when one came back that contains `wanted`.

        It may raise ExchangeError.
        """
        protocol = cast("ClientProtocol", self._protocol)
        if self._failure is None:
            protocol.send_text(message)
            self._flush(protocol)
            self._wanted = wanted
        return self._wait()

    def lost(self) -> asyncio.Future[int]:
        """A future without a result; it raises ExchangeError when the server is gone. Cancel it at will."""
        return self._wait()

    def leave(self) -> None:
        """Say goodbye, if the other side still listens, and close without waiting for its goodbye."""
        protocol = self._protocol
        if protocol is not None and self.status == SWITCHED and self._failure is None:
            protocol.send_close(DONE)
            self._flush(protocol)
            self._failure = ExchangeError(ErrorKind.RESET, "we left")
            self._transport.close()
        else:
            self.close()

    def close(self) -> None:
        """Drop the connection at once."""
        self._transport.abort()

    def expire(self) -> None:
        """Fail what is waited for: its time is over."""
        what = "reply" if self.status else "answer to the upgrade"
        self.fail(ErrorKind.TIMEOUT, f"no {what} in time")

    def fail(self, kind: ErrorKind, detail: str) -> None:
        """End the session with an ExchangeError, now or when something is waited for next."""
        self.close()
        if self._failure is None:
            self._failure = ExchangeError(kind, detail)
            if self._waiting is not None and not self._waiting.done():
                self._waiting.set_exception(self._failure)

    # What the event loop calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Take in what came: the answer to the upgrade, messages, a goodbye."""
        protocol = self._protocol
        if protocol is None:
            self.fail(ErrorKind.PROTOCOL, "an answer before the request")
        if protocol is None or self._failure is not None:
            return
        self.received += len(data)
        protocol.receive_data(data)
        self._take_in(protocol)

    def eof_received(self) -> None:
        """The server hung up: a goodbye that is known already, the end of a refusal, or too early."""
        protocol = self._protocol
        if protocol is not None and self._failure is None:
            protocol.receive_eof()
            self._take_in(protocol)
        self.fail(ErrorKind.RESET, "connection closed without a goodbye")

    def connection_lost(self, exc: Exception | None) -> None:
        """Whatever was waited for is lost."""
        self.fail(ErrorKind.RESET, f"connection {'reset' if exc else 'closed'} without a goodbye")

    def _take_in(self, protocol: ClientProtocol) -> None:
        now_ns = self._now_ns()
        for event in protocol.events_received():
            if isinstance(event, Response):
                self._answered(event, now_ns, refusal=protocol.handshake_exc)
            elif isinstance(event, Frame) and event.opcode in _MESSAGES:
                self._part(event, now_ns)
        self._flush(protocol)
        self._notice_the_end(protocol)

    def _answered(self, response: Response, now_ns: int, *, refusal: Exception | None) -> None:
        self.status = response.status_code
        self.headers = [
            (name.lower().encode("latin-1", "replace"), value.encode("latin-1", "replace"))
            for name, value in response.headers.raw_items()
        ]
        self.chunks = [bytes(response.body)] if response.body else []
        if refusal is None or isinstance(refusal, InvalidStatus):
            self._resolve(now_ns)

    def _part(self, frame: Frame, now_ns: int) -> None:
        self._parts.append(bytes(frame.data))
        if frame.fin:
            message, self._parts = b"".join(self._parts), []
            self._message(message, now_ns)

    def _message(self, message: bytes, now_ns: int) -> None:
        if self.heard is not None:
            self.heard(message)
        if self._wanted is None or self._wanted not in message:
            self.on_push()
            return
        self._wanted = None
        self.chunks = [message]
        self._resolve(now_ns)

    def _notice_the_end(self, protocol: ClientProtocol) -> None:
        if protocol.close_rcvd is not None:
            self.chunks = [protocol.close_rcvd.reason.encode()]
            self.fail(ErrorKind.RESET, f"closed by the server with {_said(protocol.close_rcvd)}")
        elif isinstance(protocol.parser_exc, PayloadTooBig):
            self.fail(ErrorKind.PROTOCOL, f"a message larger than {protocol.max_message_size} bytes")
        elif protocol.parser_exc is not None and not isinstance(protocol.parser_exc, EOFError):
            self.fail(ErrorKind.PROTOCOL, f"not WebSocket: {_printable(str(protocol.parser_exc))}")
        elif protocol.handshake_exc is not None and not isinstance(protocol.handshake_exc, InvalidStatus):
            self._explain_handshake(protocol.handshake_exc)

    def _explain_handshake(self, error: Exception) -> None:
        if isinstance(error.__cause__, EOFError):
            where = "in the middle of" if self.received else "before"
            self.fail(ErrorKind.RESET, f"connection closed {where} the answer to the upgrade")
        else:
            self.fail(ErrorKind.PROTOCOL, f"no WebSocket upgrade: {_printable(str(error))}")

    def _wait(self) -> asyncio.Future[int]:
        self._waiting = waiting = self._loop.create_future()
        if self._failure is not None:
            waiting.set_exception(self._failure)
        return waiting

    def _resolve(self, now_ns: int) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(now_ns)

    def _flush(self, protocol: ClientProtocol) -> None:
        for data in protocol.data_to_send():
            if data and not self._transport.is_closing():
                self._transport.write(data)


async def open_socket(dialer: Dialer, origin: Origin, *, now_ns: Callable[[], int]) -> WebSocket:
    """A connection to `origin` that is not upgraded yet. Raises ExchangeError."""
    loop = asyncio.get_running_loop()
    make = cast("MakeConnection", lambda: WebSocket(loop=loop, now_ns=now_ns))
    return cast("WebSocket", await dialer.dial(origin, make))


def _ignore() -> None:
    return


def _headers(request: Request, cookie: bytes) -> list[tuple[str, str]]:
    lines = (request.head + cookie).decode("latin-1").split("\r\n")[1:]
    pairs = (line.partition(": ") for line in lines if line)
    return [(name, value) for name, _, value in pairs]


def _lay_out(handshake: Handshake, headers: list[tuple[str, str]]) -> None:
    """Put the operation's own headers into the handshake; a Host that it names stands for the address."""
    for name, value in headers:
        if name.lower() == "host":
            del handshake.headers["Host"]
            handshake.headers["Host"] = value
        elif name.lower() not in _OURS:
            handshake.headers[name] = value


def _said(goodbye: Close) -> str:
    """Code and reason; words with figures differ each time and are left to the samples."""
    return f"{int(goodbye.code)} {_printable(_FIGURED.sub('…', goodbye.reason))}".rstrip()


def _printable(text: str) -> str:
    return "".join(each if each.isprintable() else "\ufffd" for each in text[:_LONGEST])
