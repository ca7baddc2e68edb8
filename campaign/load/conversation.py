"""A WebSocket session as an operation: connect, message after message, stay, leave."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from campaign.clock import SECOND
from campaign.load.failure import ExchangeError
from campaign.load.life import Visit
from campaign.load.recorder import Recorder
from campaign.load.step import Step
from campaign.load.tally import ErrorKind
from campaign.load.timeouts import Expiring
from campaign.load.websocket import WebSocket
from campaign.target.expression import TemplateError
from campaign.target.feeds import FeedExhaustedError
from campaign.target.scope import RenderError, Scope
from campaign.target.talk import SocketScript


@dataclass(frozen=True, slots=True)
class Conversation:
    """What a user says over an open socket; each message has the time-out of the operation to itself."""

    socket: WebSocket
    step: Step
    script: SocketScript
    scope: Scope
    visit: Visit
    recorder: Recorder
    expiring: Expiring
    now_ns: Callable[[], int]

    def __post_init__(self) -> None:
        """From the first message on, which may come with the answer to the upgrade, pushes are counted."""
        self.socket.on_push = self._count_push

    async def hold(self) -> None:
        """Return when all is said and the stay is over, or the user leaves. Raises ExchangeError."""
        script = self.script
        for number in range(script.messages):
            if number and script.pause:
                await self._rest(script.pause)
            if self.visit.over(self.now_ns()):
                return
            await self._say()
        if script.stay:
            await self._rest(script.stay)

    async def _say(self) -> None:
        message, wanted = self._words()
        sent = self.now_ns()
        self.step.timeout.stop(self.expiring)
        self.step.timeout.start(self.expiring, sent)
        self.recorder.count(f"{self.step.name}.messages")
        done = await self.socket.ask(message, wanted.encode("utf-8", "replace"))
        self.recorder.measure(self.step.name, "round_trip", due=sent, ns=done - sent)
        self.recorder.watch.answered(done)
        self.recorder.watch.began(done)

    def _words(self) -> tuple[bytes, str]:
        try:
            return self.script.message(self.scope), self.script.reply(self.scope)
        except (RenderError, TemplateError, FeedExhaustedError) as error:
            raise ExchangeError(ErrorKind.RENDER, str(error), answered=True) from error

    async def _rest(self, seconds: float) -> None:
        """Keep the socket open while nothing is waited for; the rest is in nobody's time."""
        began = self.now_ns()
        self.step.timeout.stop(self.expiring)
        self.recorder.watch.answered(began)
        lost = self.socket.lost()
        wake = partial(self._wake, asyncio.current_task())
        lost.add_done_callback(wake)
        try:
            await self.visit.rest(began + round(seconds * SECOND))
        finally:
            lost.remove_done_callback(wake)
            now_ns = self.now_ns()
            self.socket.rested += now_ns - began
            self.recorder.watch.began(now_ns)
        if lost.done():
            await lost
        lost.cancel()
        self.step.timeout.start(self.expiring, now_ns)

    def _wake(self, task: asyncio.Task[None] | None, lost: asyncio.Future[int]) -> None:
        """The server is gone: there is nothing to stay for."""
        if task is not None and not lost.cancelled() and lost.exception() and self.visit.resting:
            self.visit.wake(task)

    def _count_push(self) -> None:
        self.recorder.count(f"{self.step.name}.pushes")
