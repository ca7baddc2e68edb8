"""What a session sees of a protocol, whichever is spoken: an answer, and a channel that brings answers."""

from __future__ import annotations

import asyncio
from typing import Protocol

from campaign.target.request import Request


class Answer(Protocol):
    """What has come of an answer so far: `status` (0: nothing yet), `headers` (lower case), `chunks` of the
    body.

    `received` counts bytes as they came over the wire. `rested` is the part of the exchange, in ns, in which
    both sides had agreed to do nothing; it is in nobody's time.
    """

    status: int
    headers: list[tuple[bytes, bytes]]
    chunks: list[bytes]
    received: int

    @property
    def rested(self) -> int:
        """Nanoseconds; 0 for everything but a long session."""

    def expire(self) -> None:
        """Fail the exchange in flight: its time is over."""


class Channel(Answer, Protocol):
    """A connection that is kept from one request to the next, with one of them in flight."""

    closed: bool
    unasked: bool
    last_used: int
    idle_limit: int

    def send(self, request: Request, *, cookie: bytes, keep_body: bool, max_body: int) -> asyncio.Future[int]:
        """A future of the moment in ns when the answer was whole; it may raise ExchangeError.

        `cookie` is a whole header line or nothing. Without `keep_body` the body is counted and dropped, but
        for the beginning of a refusal's. A longer body than `max_body` bytes is an error.
        """

    def end(self) -> None:
        """While a piece of the body is taken in: that was all that is wanted, the answer is whole."""

    def finish(self) -> None:
        """Resolve the exchange that `end` has ended, where nothing is being taken in."""

    def close(self) -> None:
        """Drop the connection at once, without waiting for anything."""
