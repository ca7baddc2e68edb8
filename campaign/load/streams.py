"""Answers that come in little by little: when the first byte, each event and the last byte came.

All times count from `sent`, when the request went out; what lies between two events is a gap.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, cast

from campaign.clock import SECOND
from campaign.load.answer import Channel
from campaign.load.events import EventParser
from campaign.load.failure import ExchangeError
from campaign.load.recorder import Recorder
from campaign.load.tally import ErrorKind
from campaign.target.inflate import BodyError, Inflater
from campaign.target.spec import StreamSpec

MICROSECOND = 1_000
"""Nanoseconds; measures are kept in µs, so a stream's number of events is told as so many of them."""

_GOOD = range(200, 300)


class Parser(Protocol):
    """Finds events in pieces of a body."""

    def feed(self, piece: bytes) -> list[bytes]:
        """The events that this piece makes whole."""


class PieceParser:
    """Each piece of the body is an event, as it comes."""

    def feed(self, piece: bytes) -> list[bytes]:
        """The piece, unless there is nothing in it."""
        return [piece] if piece else []


class Deaf:
    """Finds nothing: the body is packed in a way that we cannot read."""

    def feed(self, piece: bytes) -> list[bytes]:  # noqa: ARG002 - the shape of every parser
        """No events."""
        return []


PARSERS: dict[str, Callable[[], Parser]] = {"events": EventParser, "chunks": PieceParser}


@dataclass(frozen=True, slots=True)
class Listening:
    """How an operation listens to its answers; `keep` says whether the body is wanted when it is whole."""

    operation: str
    spec: StreamSpec
    keep: bool

    def attach(
        self, channel: Channel, asked: asyncio.Future[int], *,
        due: int, sent: int, recorder: Recorder, now_ns: Callable[[], int],
    ) -> None:  # fmt: skip
        """Listen to the answer that `asked` is the future of; nothing of it has come yet."""
        stream = Stream(self, channel, asked, due=due, sent=sent, recorder=recorder, now_ns=now_ns)
        channel.chunks = stream
        asked.add_done_callback(stream.ended)
        if self.spec.at_most:
            left = self.spec.at_most - (now_ns() - sent) / SECOND
            stream.timer = asked.get_loop().call_later(max(left, 0.0), stream.time_out)


def missed(chunks: list[bytes]) -> ExchangeError | None:
    """What is wrong with the stream that stands where a good answer's pieces are kept, if anything."""
    return chunks.miss() if isinstance(chunks, Stream) else None


class Stream(list[bytes]):
    """Stands where a channel keeps the pieces of a body, and sees each one as it comes."""

    __slots__ = (
        "_asked", "_channel", "_due", "_events", "_inflater", "_last", "_listening", "_now_ns", "_over",
        "_parser", "_recorder", "_sent", "_tail", "_until", "timer",
    )  # fmt: skip

    def __init__(
        self, listening: Listening, channel: Channel, asked: asyncio.Future[int], *,
        due: int, sent: int, recorder: Recorder, now_ns: Callable[[], int],
    ) -> None:  # fmt: skip
        super().__init__()
        self._listening = listening
        self._channel = channel
        self._asked = asked
        self._due = due
        self._sent = sent
        self._recorder = recorder
        self._now_ns = now_ns
        self._parser: Parser | None = None
        self._inflater: Inflater | None = None
        self._until = listening.spec.until.encode()
        self._tail = b""
        self._events = 0
        self._last = sent
        self._over = False
        self.timer: asyncio.TimerHandle | None = None

    @property
    def left(self) -> bool:
        """Whether we have heard enough: the body may end anywhere."""
        return self._over

    def append(self, piece: bytes, /) -> None:
        """Take in a piece of the body."""
        if self._listening.keep:
            super().append(piece)
        if self._over or self._channel.status not in _GOOD:
            return
        now_ns = self._now_ns()
        if self._parser is None:
            self._parser = self._begin(now_ns)
        self._recorder.watch.answered(now_ns)  # while there is news the target does not stall
        self._recorder.watch.began(now_ns)
        self._look_into(piece, now_ns)

    def ended(self, asked: asyncio.Future[int]) -> None:
        """The exchange is over, however it went; a stream that was cut while it stalled shows how long it
        did.
        """
        if self.timer is not None:
            self.timer.cancel()
        if asked.cancelled() or self._parser is None:
            return
        error = asked.exception()
        if error is None:
            self._measure("stream", asked.result() - self._sent)
            self._measure("events", self._events * MICROSECOND)
        elif self._events and isinstance(error, ExchangeError) and error.kind is ErrorKind.TIMEOUT:
            self._measure("event_gap", self._now_ns() - self._last)

    def miss(self) -> ExchangeError | None:
        """What is wrong with a stream whose answer was good: nothing came in it."""
        if self._events:
            return None
        what = "event" if self._listening.spec.kind == "events" else "piece"
        return ExchangeError(ErrorKind.EXPECTATION, f"a stream without any {what}", answered=True)

    def time_out(self) -> None:
        """End a stream that has been listened to for long enough; how long it was silent then is a gap."""
        self._over = True
        if self._channel.status in _GOOD and not self._asked.done():
            if self._events:
                self._measure("event_gap", self._now_ns() - self._last)
            self._channel.end()
            self._channel.finish()

    def _look_into(self, piece: bytes, now_ns: int) -> None:
        plain = self._plain(piece)
        parser = cast("Parser", self._parser)
        for event in parser.feed(plain):
            if not self._over:
                self._take(event, now_ns)
        if self._over:
            self._channel.end()

    def _begin(self, now_ns: int) -> Parser:
        self._measure("first_byte", now_ns - self._sent)
        encodings = b",".join(value for name, value in self._channel.headers if name == b"content-encoding")
        if encodings:
            try:
                self._inflater = Inflater(encodings.decode("latin-1"))
            except BodyError:
                return Deaf()
        return PARSERS[self._listening.spec.kind]()

    def _plain(self, piece: bytes) -> bytes:
        if self._inflater is None:
            return piece
        try:
            return self._inflater.feed(piece)
        except BodyError:
            self._inflater = None
            self._parser = Deaf()
            return b""  # what is wrong with a body that is wanted is said when it is whole

    def _take(self, event: bytes, now_ns: int) -> None:
        if self._events:
            self._measure("event_gap", now_ns - self._last)
        else:
            self._measure("first_event", now_ns - self._sent)
        self._last = now_ns
        self._events += 1
        self._recorder.count(f"{self._listening.operation}.events")
        self._over = self._events == self._listening.spec.events or self._says_the_end(event)

    def _says_the_end(self, event: bytes) -> bool:
        """Whether the text that ends the stream has come; between chunks it may be cut in two."""
        if not self._until:
            return False
        if self._listening.spec.kind == "chunks":
            event = self._tail + event
            self._tail = event[-len(self._until) + 1 :] if len(self._until) > 1 else b""
        return self._until in event

    def _measure(self, name: str, ns: int) -> None:
        self._recorder.measure(self._listening.operation, name, due=self._due, ns=ns)
