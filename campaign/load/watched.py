"""Sessions whose answers are searched for other people's canaries; nothing here runs otherwise."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, cast

from campaign.clock import SECOND
from campaign.load.answer import Answer
from campaign.load.body import decode
from campaign.load.failure import ExchangeError
from campaign.load.links import Links
from campaign.load.lookout import Lookout
from campaign.load.pool import PoolSession
from campaign.load.session import Session, Surroundings
from campaign.load.step import Step
from campaign.load.tally import ErrorKind, Sighting
from campaign.target.origin import Origin
from campaign.target.scope import Scope

if TYPE_CHECKING:
    from campaign.load.websocket import WebSocket

LEFT = ExchangeError(ErrorKind.CUT, "we hung up in the middle of the answer, as asked")


class WatchedSession(Session):
    """A session that shows everything it is answered to a lookout, and may hang up in the middle."""

    def __init__(self, scope: Scope, surroundings: Surroundings, links: Links | None = None) -> None:
        super().__init__(scope, surroundings, links)
        self._lookout = cast("Lookout", surroundings.lookout)
        self._step: Step | None = None
        self._searched = self._has_left = False

    async def perform(self, step: Step, due: int) -> tuple[int, ExchangeError | None]:
        """As every session does; one user in so many hangs up before it is done."""
        self._step, self._searched, self._has_left = step, False, False
        seconds = self._lookout.leaving()
        if seconds is None:
            return await super().perform(step, due)
        timer = asyncio.get_running_loop().call_later(seconds, self._hang_up)
        try:
            return await super().perform(step, due)
        finally:
            timer.cancel()

    def _hang_up(self) -> None:
        self._has_left = True
        self._lookout.left()
        self.expire()

    def _judge(self, step: Step) -> ExchangeError | None:
        self._search(step)
        return super()._judge(step)

    def _record(
        self, step: Step, error: ExchangeError | None, *, due: int, began: int, done: int
    ) -> tuple[int, ExchangeError | None]:
        self._search(step)
        if self._has_left and error is not None and error.kind in {ErrorKind.TIMEOUT, ErrorKind.RESET}:
            error = LEFT
        elif self._sent:
            self._lookout.took((done - self._sent) / SECOND)
        return super()._record(step, error, due=due, began=began, done=done)

    async def _open_socket(self, origin: Origin) -> WebSocket:
        socket = await super()._open_socket(origin)
        socket.heard = self._hear
        return socket

    def _hear(self, message: bytes) -> None:
        self._lookout.search(message, self.scope.canary, tell=self._sighting)

    def _search(self, step: Step) -> None:
        """Search the answer of this exchange, or the part of it that came, once."""
        answer = self._answer
        if self._searched or answer is None or not answer.received:
            return
        self._searched = True
        headers = b"\n".join(value for _, value in answer.headers)
        data = b"\n".join((_unpacked(answer, limit=step.max_body), headers))
        self._lookout.search(data, self.scope.canary, tell=self._sighting)

    def _sighting(self, canary: str) -> Sighting:
        at = self._recorder.seconds(self._now_ns())
        name = self._step.name if self._step is not None else ""
        return Sighting(name, canary, self._describe(at))


class WatchedPoolSession(WatchedSession, PoolSession):
    """The same with connections that are shared."""


def _unpacked(answer: Answer, *, limit: int) -> bytes:
    """The body; where it cannot be unpacked, as it came."""
    try:
        return decode(answer.chunks, answer.headers, limit=limit)
    except ExchangeError:
        return b"".join(answer.chunks)
