"""One user's dealings with the target: its connections and cookies, and every exchange recorded.

Every operation ends in exactly one sample, whatever the target does, with two exceptions: what could not be
sent at all is only counted as an error, and what we cut ourselves at the end of a run is not recorded.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import cast

from campaign.clock import SECOND, Clock
from campaign.load.body import decode
from campaign.load.connections import Dialer
from campaign.load.cookies import Jar
from campaign.load.failure import ExchangeError
from campaign.load.links import Links
from campaign.load.recorder import Recorder
from campaign.load.redirects import REDIRECTS, next_request
from campaign.load.sample import describe
from campaign.load.spec import UNSENT, ErrorKind, ErrorSample
from campaign.load.step import IDEMPOTENT, Step
from campaign.load.transport import Connection
from campaign.redact import Redactor
from campaign.target.expression import TemplateError
from campaign.target.feeds import FeedExhaustedError
from campaign.target.request import Request
from campaign.target.scope import RenderError, Scope

IDLE = SECOND // 2
"""Nanoseconds; a server may close a connection that was idle for longer just as we send on it. Closing one in
the middle of work is a failure.
"""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What all sessions of one worker share."""

    clock: Clock
    dialer: Dialer
    recorder: Recorder
    redact: Redactor


class Session:
    """The dealings of one user; one operation at a time."""

    __slots__ = (
        "_connection", "_in_vain", "_jar", "_links", "_now_ns", "_recorder", "_redact", "_request", "_sent",
        "_wall", "scope",
    )  # fmt: skip

    def __init__(self, scope: Scope, surroundings: Surroundings) -> None:
        self.scope = scope
        self._now_ns = surroundings.clock.now_ns
        self._wall = surroundings.clock.wall
        self._recorder = surroundings.recorder
        self._redact = surroundings.redact
        self._links = Links(surroundings.dialer, clock=surroundings.clock, recorder=surroundings.recorder)
        self._jar = Jar()
        self._request: Request | None = None
        self._connection: Connection | None = None
        self._sent = 0
        self._in_vain = False

    async def perform(self, step: Step, due: int) -> tuple[int, ExchangeError | None]:
        """The moment in ns when the operation ended, and its failure if any. Raises FeedExhaustedError."""
        began = self._now_ns()
        self._request = self._connection = None
        self._sent = 0
        self._links.begin()
        try:
            request = step.build(self.scope)
        except (RenderError, TemplateError, FeedExhaustedError) as error:
            failure = ExchangeError(ErrorKind.RENDER, str(error))
            self._record(step, failure, due=due, began=began, done=began)
            if isinstance(error, FeedExhaustedError):
                raise
            return began, failure
        watch = self._recorder.watch
        if not self._in_vain:
            watch.began(began)
        step.timeout.start(self, began)
        try:
            done = await self._exchange(request, step)
        except ExchangeError as error:
            done = self._now_ns()
            self._in_vain = not error.answered  # who got no answer waits on, until there is one again
            if error.answered:
                watch.answered(done)
            return self._record(step, error, due=due, began=began, done=done)
        except asyncio.CancelledError:
            self._in_vain = True
            self.close()
            raise
        finally:
            step.timeout.stop(self)
        self._in_vain = False
        watch.answered(done)
        return self._record(step, self._judge(step), due=due, began=began, done=done)

    def expire(self) -> None:
        """Fail the operation in flight: its time is over."""
        self._links.expire()
        if self._connection is not None:
            what = "whole answer" if self._connection.received else "answer"
            self._connection.fail(ErrorKind.TIMEOUT, f"no {what} in time")

    def close(self) -> None:
        """Let go of every connection, and wait for nothing."""
        self._links.close()
        if self._in_vain:
            self._in_vain = False
            self._recorder.watch.failed(self._now_ns())

    def start_over(self) -> None:
        """Become a user that was never here: no connections, cookies or saved values."""
        self._links.close()
        self._jar = Jar()
        self.scope.values.clear()

    async def _exchange(self, request: Request, step: Step) -> int:
        """The moment of the last byte of the answer that counts, redirects followed."""
        left = step.redirects
        while True:
            done = await self._send(request, step)
            following = self._taken_in(request, follow=step.redirects > 0)
            if following is None:
                return done
            if not left:
                raise ExchangeError(
                    ErrorKind.PROTOCOL, f"more than {step.redirects} redirects", answered=True
                )
            left -= 1
            request = following

    async def _send(self, request: Request, step: Step) -> int:
        """The moment of the last byte of the answer, on the kept connection where there is one."""
        connection = self._links.kept(request.origin)
        if connection is not None:
            idle = self._now_ns() - connection.last_used
            try:
                return await self._ask(connection, request, step)
            except ExchangeError as error:
                untouched = error.kind is ErrorKind.RESET and not connection.received
                if not untouched or idle < IDLE or request.method not in IDEMPOTENT:
                    raise
        self._connection = None
        connection = await self._links.open(request.origin)
        return await self._ask(connection, request, step)

    def _ask(self, connection: Connection, request: Request, step: Step) -> asyncio.Future[int]:
        self._connection = connection
        self._request = request
        cookie = b""
        if self._jar:
            cookie = self._jar.header(request.origin, path=request.target, now=self._wall())
        if not self._sent:
            self._sent = self._now_ns()
        return connection.send(
            request.wire(cookie),
            head_only=request.method == "HEAD",
            keep_body=step.needs_body,
            max_body=step.max_body,
        )

    def _taken_in(self, request: Request, *, follow: bool) -> Request | None:
        """The request that the answer sends us on to, if any; its cookies are kept."""
        connection = self._connection
        if connection is None:
            return None
        for name, value in connection.headers:
            if name == b"set-cookie":
                self._jar.store(value, request.origin, path=request.target, now=self._wall())
        if not follow or connection.status not in REDIRECTS:
            return None
        return next_request(request, connection.status, headers=connection.headers)

    def _judge(self, step: Step) -> ExchangeError | None:
        """What is wrong with the answer, or None."""
        connection = cast("Connection", self._connection)
        body = b""
        if step.needs_body:
            try:
                body = decode(connection.chunks, connection.headers, limit=step.max_body)
            except ExchangeError as error:
                return error
        miss = step.expectation.check(connection.status, connection.headers, body, values=self.scope.values)
        return None if miss is None else ExchangeError(ErrorKind(miss.kind), miss.detail, answered=True)

    def _record(
        self, step: Step, error: ExchangeError | None, *, due: int, began: int, done: int
    ) -> tuple[int, ExchangeError | None]:
        recorder = self._recorder
        if error is not None and error.kind in UNSENT:
            batch = recorder.batch(step.index, due)
            recorder.failure(step.index, batch, error=error, done=done, describe=self._describe)
            return done, error
        connection = self._connection
        batch = recorder.sample(
            step.index,
            due=due,
            began=began,
            sent=self._sent or began,
            done=done,
            received=0 if connection is None else connection.received,
        )
        if error is not None:
            recorder.failure(step.index, batch, error=error, done=done, describe=self._describe)
        return done, error

    def _describe(self, at: float) -> ErrorSample:
        return describe(
            at, self.scope.number, request=self._request, answer=self._connection, redact=self._redact
        )
