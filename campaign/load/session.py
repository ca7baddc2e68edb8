"""One user's dealings with the target: its connections and cookies, and every exchange recorded.

Every operation ends in exactly one sample, whatever the target does, with two exceptions: what could not be
sent at all is only counted as an error, and what is under way when a run is stopped early is not recorded.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, cast

from campaign.clock import SECOND, Clock
from campaign.load.answer import Answer, Channel
from campaign.load.body import decode
from campaign.load.cleanup import Made, note_doubt
from campaign.load.connections import Dialer
from campaign.load.cookies import Jar
from campaign.load.failure import ExchangeError
from campaign.load.life import Visit
from campaign.load.links import Links
from campaign.load.lookout import Lookout
from campaign.load.private import Path, secrets_of
from campaign.load.recorder import Recorder
from campaign.load.redirects import REDIRECTS, next_request
from campaign.load.sample import describe
from campaign.load.step import IDEMPOTENT, Step
from campaign.load.streams import missed
from campaign.load.tally import UNSENT, ErrorKind, ErrorSample
from campaign.redact import Redactor, mask_own
from campaign.target.expression import TemplateError
from campaign.target.feeds import FeedExhaustedError
from campaign.target.origin import Origin
from campaign.target.request import Request
from campaign.target.scope import RenderError, Scope
from campaign.target.talk import SWITCHED, SocketScript

if TYPE_CHECKING:
    from campaign.load.websocket import WebSocket

IDLE = SECOND // 2
"""Nanoseconds; a server may close a connection that was idle for longer just as we send on it. Closing one in
the middle of work is a failure.
"""


LARGE = 2**16
"""Bytes of a body that is not kept once it was judged well."""


UNFINISHED = ExchangeError(ErrorKind.CUT, "no answer when the time of the scenario was over")


class Identity(NamedTuple):
    """Whom a session is: what it knows, and its cookies (None: there are none)."""

    scope: Scope
    jar: Jar | None = None


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What all sessions of one worker share; `sockets` opens WebSockets where `dialer` does not speak
    HTTP/1.1. `secret_paths` are the saved values that nobody may read. `lookout` is there where answers are
    searched for canaries.
    """

    clock: Clock
    dialer: Dialer
    recorder: Recorder
    redact: Redactor
    sockets: Dialer | None = None
    secret_paths: frozenset[Path] = frozenset()
    lookout: Lookout | None = None


class Session:
    """The dealings of one user; one operation at a time. `views` are the further statistics it counts in,
    `visit` is its user's, which may end while a WebSocket is open. `made` is what it made and has not
    deleted.
    """

    __slots__ = (
        "_answer", "_due", "_in_vain", "_jar", "_links", "_now_ns", "_recorder", "_redact", "_request",
        "_secret_paths", "_sent", "_sockets", "_wall", "made", "scope", "views", "visit",
    )  # fmt: skip

    def __init__(self, scope: Scope, surroundings: Surroundings, links: Links | None = None) -> None:
        self.scope = scope
        self.views: tuple[str, ...] = ()
        self.made: list[Made] = []
        self.visit = Visit(surroundings.clock)
        self._now_ns = surroundings.clock.now_ns
        self._wall = surroundings.clock.wall
        self._recorder = surroundings.recorder
        self._redact = surroundings.redact
        self._secret_paths = surroundings.secret_paths
        self._links = links or Links(
            surroundings.dialer, clock=surroundings.clock, recorder=surroundings.recorder
        )
        self._sockets = surroundings.sockets or surroundings.dialer
        self._jar: Jar | None = None  # many targets set no cookie
        self._request: Request | None = None
        self._answer: Answer | None = None
        self._due = self._sent = 0
        self._in_vain = False

    async def perform(self, step: Step, due: int) -> tuple[int, ExchangeError | None]:
        """The moment in ns when the operation ended, and its failure if any. Raises FeedExhaustedError."""
        began = self._now_ns()
        self._request = self._answer = None
        self._due, self._sent = due, 0
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
            if step.script is None:
                done = await self._exchange(request, step)
            else:
                done = await self._converse(request, step, step.script)
        except ExchangeError as error:
            done = self._now_ns()
            self._in_vain = not error.answered  # who got no answer waits on, until there is one again
            if error.answered:
                watch.answered(done)
            if step.script is not None:  # it may quote the server's goodbye
                error.detail = self.redact(error.detail)
            return self._record(step, error, due=due, began=began, done=done)
        except asyncio.CancelledError:
            self._cut_short(step, due=due, began=began)
            raise
        finally:
            step.timeout.stop(self)
        self._in_vain = False
        watch.answered(done)
        return self._record(step, self._judge(step), due=due, began=began, done=done)

    def expire(self) -> None:
        """Fail the operation in flight: its time is over."""
        self._links.expire()
        if self._answer is not None:
            self._answer.expire()

    @property
    def recorder(self) -> Recorder:
        """Where its samples go."""
        return self._recorder

    @recorder.setter
    def recorder(self, recorder: Recorder) -> None:
        self._recorder = recorder

    def trouble(self, what: str, error: ExchangeError, *, at: int) -> None:
        """Keep a failure that belongs to no request, at that moment (clock ns)."""
        self._request = self._answer = None
        self._recorder.trouble(what, error, done=at, describe=self._describe)

    @property
    def status(self) -> int:
        """That of the last answer; 0 where there was none."""
        return 0 if self._answer is None else self._answer.status

    def close(self) -> None:
        """Let go of every connection, and wait for nothing."""
        self._links.close()
        if self._in_vain:
            self._in_vain = False
            self._recorder.watch.failed(self._now_ns())

    def start_over(self) -> None:
        """Become a user that was never here: no connections, cookies or saved values."""
        self._links.close()
        self._jar = None
        self.scope.values.clear()

    @property
    def identity(self) -> Identity:
        """Whom it is now."""
        return Identity(self.scope, self._jar)

    def become(self, somebody: Identity) -> Identity:
        """Go on as somebody else, on the same connections; who it was until now."""
        before = self.identity
        self.scope, self._jar = somebody
        return before

    def position(self, name: str) -> int:
        """The position of an operation that is known only as it happens."""
        return self._recorder.operation(name)

    def redact(self, text: str) -> str:
        """The text without secrets, those of this user neither."""
        return mask_own(text, secrets_of(self.scope, self._secret_paths), redact=self._redact)

    def blame(self, operation: int, error: ExchangeError, *, due: int, done: int) -> None:
        """Count an error of the last operation, which was kept as a good one."""
        self._recorder.blame(operation, self.views, error=error, due=due, done=done, describe=self._describe)

    def keep(self, operation: int, error: ExchangeError | None, *, due: int, began: int, done: int) -> None:
        """Keep a sample of something that the user did by itself, from `began` to `done`."""
        recorder = self._recorder
        if error is not None and error.kind in UNSENT:
            batch = recorder.batch(operation, due)
        else:
            batch = recorder.sample(operation, due=due, began=began, sent=began, done=done, received=0)
        for label in self.views:
            recorder.view(label, due=due, sent=began, done=done, error=error, received=0)
        if error is not None:
            said = error.detail
            recorder.failure(
                operation, batch, error=error, done=done,
                describe=lambda at: ErrorSample(at, self.scope.number, "a piece of Python", said),
            )  # fmt: skip

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
        self._answer = None
        connection = await self._links.open(request.origin)
        return await self._ask(connection, request, step)

    def _ask(self, channel: Channel, request: Request, step: Step) -> asyncio.Future[int]:
        self._answer = channel
        self._request = request
        cookie = b"" if self._jar is None else self._jar.line(request, self._wall())
        if not self._sent:
            self._sent = self._now_ns()
        asked = channel.send(request, cookie=cookie, keep_body=step.keep_body, max_body=step.max_body)
        if step.listening is not None:
            step.listening.attach(
                channel, asked, due=self._due, sent=self._sent, recorder=self._recorder, now_ns=self._now_ns
            )
        return asked

    async def _converse(self, request: Request, step: Step, script: SocketScript) -> int:
        """The moment when a WebSocket session was over."""
        from campaign.load.conversation import Conversation  # noqa: PLC0415 - its library is heavy

        self._request = request
        self._sent = self._now_ns()
        self._answer = socket = await self._links.in_time(lambda: self._open_socket(request.origin))
        cookie = b"" if self._jar is None else self._jar.line(request, self._wall())
        conversation = Conversation(
            socket, step, script, self.scope, self.visit, self._recorder, self, self._now_ns
        )
        try:
            done = await socket.upgrade(request, cookie=cookie, max_size=step.max_body)
            self._taken_in(request, follow=False)
            if socket.status == SWITCHED:
                self._recorder.measure(step.name, "connect", due=self._due, ns=done - self._sent)
                await conversation.hold()
            socket.leave()
        finally:
            socket.close()
        return self._now_ns()

    async def _open_socket(self, origin: Origin) -> WebSocket:
        from campaign.load.websocket import open_socket  # noqa: PLC0415 - its library is heavy

        return await open_socket(self._sockets, origin, now_ns=self._now_ns)

    def _taken_in(self, request: Request, *, follow: bool) -> Request | None:
        """The request that the answer sends us on to, if any; its cookies are kept."""
        answer = self._answer
        if answer is None:
            return None
        for name, value in answer.headers:
            if name == b"set-cookie":
                jar = self._jar = self._jar or Jar()
                jar.store(value, request.origin, path=request.target, now=self._wall())
        if not follow or answer.status not in REDIRECTS:
            return None
        return next_request(request, answer.status, headers=answer.headers)

    def _judge(self, step: Step) -> ExchangeError | None:
        """What is wrong with the answer, or None."""
        answer = cast("Answer", self._answer)
        body = b""
        if step.needs_body:
            try:
                body = decode(answer.chunks, answer.headers, limit=step.max_body)
            except ExchangeError as error:
                return error
        miss = step.expectation.check(answer.status, answer.headers, body, values=self.scope.values)
        if miss is not None:
            return ExchangeError(ErrorKind(miss.kind), miss.detail, answered=True)
        if step.listening is not None and answer.status < 300 and (nothing := missed(answer.chunks)):
            return nothing
        if len(body) > LARGE:
            answer.chunks = []  # nobody looks at it again, and the user may rest for long
        return None

    def _cut_short(self, step: Step, *, due: int, began: int) -> None:
        if self._recorder.cutting:
            self._record(step, UNFINISHED, due=due, began=began, done=self._now_ns())
        elif self._sent and step.undo is not None:
            note_doubt(self, UNFINISHED)
        self._in_vain = True
        self.close()

    def _record(
        self, step: Step, error: ExchangeError | None, *, due: int, began: int, done: int
    ) -> tuple[int, ExchangeError | None]:
        recorder = self._recorder
        answer, sent = self._answer, self._sent or began
        received, ended = (0, done) if answer is None else (answer.received, done - answer.rested)
        if error is not None and error.kind in UNSENT:
            batch = recorder.batch(step.index, due)
        else:
            batch = recorder.sample(
                step.index, due=due, began=began, sent=sent, done=ended, received=received
            )
        for label in self.views:
            recorder.view(label, due=due, sent=sent, done=ended, error=error, received=received)
        if error is not None:
            recorder.failure(step.index, batch, error=error, done=done, describe=self._describe)
            if self._sent and step.undo is not None:
                note_doubt(self, error)
        return done, error

    def _describe(self, at: float) -> ErrorSample:
        return describe(at, self.scope.number, request=self._request, answer=self._answer, redact=self.redact)
