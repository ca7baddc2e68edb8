"""Between one Python user and the target: sends, times and rests for it, and keeps what came of it.

The first request (or timed piece) of a task was due when the task was; each further one is due when it is
asked for. So what a user's code does before its first request is waiting time of that user.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, NoReturn

from campaign.clock import SECOND
from campaign.load import retry
from campaign.load.cleanup import keep_books
from campaign.load.failure import ExchangeError
from campaign.load.life import Done, Visit
from campaign.load.python.answer import Answer, Failed, Sample
from campaign.load.python.durations import seconds_of
from campaign.load.python.exchange import Exchange
from campaign.load.python.requests import Shape, Wish
from campaign.load.python.signals import Broken, Departure, Exhausted
from campaign.load.python.workshop import Workshop
from campaign.load.session import Session
from campaign.load.tally import ErrorKind
from campaign.target.feeds import FeedExhaustedError

CUT_OFF = "given up by the user's own code"
"""The detail of a request that a user's code cancelled, as `asyncio.timeout` does."""


class Courier:
    """Sends for one user, one request at a time.

    `unanswered` is how the last request failed, where it got no whole answer; `missed` is what the task's
    own checks found wrong.
    """

    __slots__ = (
        "_busy", "_due", "_exchanges", "_last", "_waiting", "_workshop", "leaving", "missed", "rested",
        "session", "told", "unanswered", "visit",
    )  # fmt: skip

    def __init__(self, session: Session, visit: Visit, workshop: Workshop) -> None:
        self.session = session
        self.leaving = False
        self.rested = 0
        self.told: BaseException | None = None
        self.missed: ExchangeError | None = None
        self.unanswered: ExchangeError | None = None
        self.visit = visit
        self._workshop = workshop
        self._exchanges: dict[str, Exchange] = {}
        self._due: int | None = None
        self._last: Sample | None = None
        self._busy = self._waiting = False

    def begin(self, due: int) -> None:
        """A task begins, which was due then."""
        self._due = due
        self.told = self.missed = self.unanswered = None

    def now(self) -> int:
        """Clock nanoseconds."""
        return self.visit.now()

    async def send(self, operation: str, given: Mapping[str, Any]) -> Answer:
        """The answer to an operation of the campaign file. Raises Failed."""
        exchange = self._exchanges.get(operation) or await self._exchange(operation)
        exchange.given = given
        return _good(await self._perform(exchange))

    async def try_send(self, operation: str, given: Mapping[str, Any]) -> Answer:
        """The answer, whatever it is."""
        exchange = self._exchanges.get(operation) or await self._exchange(operation)
        exchange.given = given
        return await self._perform(exchange)

    async def request(self, name: str, shape: Shape, wish: Wish) -> Answer:
        """The answer to a request that is counted under `name`. Raises Failed."""
        return _good(await self.try_request(name, shape, wish))

    async def try_request(self, name: str, shape: Shape, wish: Wish) -> Answer:
        """The answer to a request, whatever it is."""
        index = self.session.position(self._workshop.names.known(name, self.session.redact))
        return await self._perform(Exchange(self._workshop.requests.step(shape, wish, index=index)))

    def check(self, condition: object, message: str) -> bool:
        """Whether the condition holds; where not, the last sample is counted as failed. Raises RuntimeError
        before the first.
        """
        if condition:
            return True
        if self._last is None:
            raise RuntimeError("check() speaks of the last request, and there was none yet")
        self.missed = self.miss(self._last, message)
        return False

    def miss(self, sample: Sample, message: str) -> ExchangeError:
        """Count a sample as failed, once: its answer was not what the user's code expects."""
        error = ExchangeError(ErrorKind.EXPECTATION, self.session.redact(message), answered=True)
        if not sample.failed:
            sample.failed = True
            self.session.blame(sample.index, error, due=sample.due, done=sample.done)
        return error

    async def sleep(self, seconds: float) -> None:
        """Return after so many seconds, which are in nobody's response time."""
        rest = round(seconds_of(seconds, "seconds") * SECOND)
        began = self.now()
        self.end_wait(began, answered=False)
        self._due = (began if self._due is None else self._due) + rest
        await self.visit.rest(began + rest)
        ended = self.now()
        self.rested += ended - began
        if self.visit.over(ended):
            await self.leave()

    @property
    def is_dismissed(self) -> bool:
        """Whether a cancellation is ours, and the end of the user; its own code may cancel its task, too."""
        return self.visit.dismissed

    def is_idle_since(self, due: int) -> bool:
        """Whether nothing was sent, measured or rested in the task that was due then."""
        return self._due == due

    async def take_due(self) -> int:
        """When that was due which begins now; the user's time may be over instead."""
        now = self.now()
        due = now if self._due is None else self._due
        if self.visit.over(due):
            await self.leave()
        self._due = None
        return due

    def keep(self, name: str, error: ExchangeError | None, *, due: int, began: int, done: int) -> None:
        """Keep a piece of Python as a sample under `name`."""
        index = self.session.position(self._workshop.names.known(name, self.session.redact))
        self.session.keep(index, error, due=due, began=began, done=done)
        self._last = Sample(index, due, done, failed=error is not None)

    def begin_wait(self, now: int) -> None:
        """Something is measured from now on: a target that freezes meanwhile stalls, as with a request."""
        if not self._waiting:
            self._waiting = True
            self.session.recorder.watch.began(now)

    def end_wait(self, now: int, *, answered: bool) -> None:
        """It came to its end, or went on to something that is watched by itself or is no waiting."""
        if self._waiting:
            self._waiting = False
            watch = self.session.recorder.watch
            (watch.answered if answered else watch.failed)(now)

    def was_cut_off(self) -> bool:
        """Whether a cancellation came from the user's own code, not from us."""
        return not (self.leaving or self.visit.over(self.now()))

    async def leave(self) -> NoReturn:
        """End the task from within; others get their turn even if the user's code goes on regardless."""
        await asyncio.sleep(0)
        raise Departure

    async def _exchange(self, operation: str) -> Exchange:
        await asyncio.sleep(0)  # code that asks again and again for what there is not must not hold up all
        if self.visit.over(self.now()):
            await self.leave()
        exchange = self._exchanges[operation] = Exchange(self._workshop.step(operation))
        return exchange

    async def _perform(self, exchange: Exchange) -> Answer:
        if self._busy:
            raise RuntimeError("a user does one request at a time: await each before the next")
        due = await self.take_due()
        index = exchange.step.index
        if self._waiting:
            self.end_wait(due, answered=False)
        self._busy = True
        try:
            done, error = await self._attempt(exchange, due)
        except asyncio.CancelledError:
            if self.was_cut_off():
                cut = ExchangeError(ErrorKind.TIMEOUT, CUT_OFF)
                self.session.keep(index, cut, due=due, began=due, done=self.now())
            raise
        except FeedExhaustedError as nothing_left:
            raise Exhausted(nothing_left) from nothing_left
        except Exception as ours:
            raise Broken(ours) from ours
        finally:
            self._busy = False
        if error is None and (exchange.step.undo or exchange.step.undoes):
            keep_books(self.session, exchange.step, given=exchange.own)
        self._last = sample = Sample(index, due, done, failed=error is not None)
        self.unanswered = None
        if error is not None and not error.answered:
            self.unanswered = error
            await asyncio.sleep(0)  # it may have failed before it had to wait for anything
        return Answer(
            sample, status=exchange.status, raw=exchange.headers, body=exchange.body, error=error,
            miss=self.miss,
        )  # fmt: skip

    async def _attempt(self, exchange: Exchange, due: int) -> Done:
        """The end of the exchange, tried again where its operation says so."""
        step = exchange.step
        if step.retry is None:
            return await self.session.perform(step, due)
        done, error = await retry.perform(step, step.retry, self.session, visit=self.visit, due=due)
        if error is not None and not error.answered:
            exchange.forget()
        return done, error


def _good(answer: Answer) -> Answer:
    error = answer._error  # noqa: SLF001 - one module in two
    if error is not None:
        raise Failed(answer, error)
    return answer
