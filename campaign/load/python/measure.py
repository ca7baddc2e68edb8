"""Times a piece of a user's own code: `async with self.measure("query"): ...`."""

from __future__ import annotations

import asyncio
from types import TracebackType

from campaign.load.failure import ExchangeError
from campaign.load.python.blame import told
from campaign.load.python.courier import CUT_OFF, Courier
from campaign.load.tally import ErrorKind


class Stopwatch:
    """What is done inside is one sample; an exception makes it a failed one, and goes on to end the task.

    Rests (`self.sleep`) are left out of its time.
    """

    __slots__ = ("_began", "_courier", "_due", "_name", "_rested")

    def __init__(self, name: str, courier: Courier) -> None:
        self._name = name
        self._courier = courier
        self._due = self._began = self._rested = 0

    async def __aenter__(self) -> None:
        courier = self._courier
        self._due = await courier.take_due()
        self._rested = courier.rested
        self._began = courier.now()
        courier.begin_wait(self._began)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        courier = self._courier
        courier.end_wait(courier.now(), answered=_is_answer(error))
        if error is None:
            self._keep(None)
            await asyncio.sleep(0)  # what is inside may never wait, and others must get their turn
        elif isinstance(error, asyncio.CancelledError):
            if courier.was_cut_off():
                self._keep(ExchangeError(ErrorKind.TIMEOUT, CUT_OFF))
        elif isinstance(error, Exception):
            self._keep(ExchangeError(_kind(error), told(error, courier.session.redact), answered=True))
            courier.told = error
            await asyncio.sleep(0)

    def _keep(self, error: ExchangeError | None) -> None:
        courier = self._courier
        done = courier.now() - (courier.rested - self._rested)
        courier.keep(self._name, error, due=self._due, began=self._began, done=max(done, self._began))
        courier.unanswered = None if error is None or error.answered else error


def _is_answer(error: BaseException | None) -> bool:
    """Whether there was a sign of life, be it a refusal."""
    return error is None or (isinstance(error, Exception) and _kind(error) is ErrorKind.EXPECTATION)


def _kind(error: Exception) -> ErrorKind:
    """No answer in time, a broken connection, or anything else that is not what was expected."""
    if isinstance(error, TimeoutError):
        return ErrorKind.TIMEOUT
    return ErrorKind.RESET if isinstance(error, ConnectionError) else ErrorKind.EXPECTATION
