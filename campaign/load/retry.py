"""Tries an operation again where the campaign file asks for it (`retry:`); nothing here runs otherwise.

Every attempt is a sample of its own, due when its pause is over, so the operation's error rate counts the
attempts that failed. The user goes on with what the last one came to.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from campaign.clock import SECOND
from campaign.load.actions import Actor
from campaign.load.cleanup import keep_books
from campaign.load.failure import ExchangeError
from campaign.load.life import Done, Visit
from campaign.load.session import Session
from campaign.load.step import Step
from campaign.load.tally import ErrorKind
from campaign.target.request import Request
from campaign.target.scope import Scope
from campaign.target.spec import RetrySpec


class PerformAgain:
    """An operation that is tried again."""

    __slots__ = ("_retry", "_step")

    def __init__(self, step: Step, retry: RetrySpec) -> None:
        self._step = step
        self._retry = retry

    async def run(self, actor: Actor, due: int) -> Done:
        """The end of the last attempt, and how that failed, if it did."""
        done, error = await perform(self._step, self._retry, actor.session, visit=actor.visit, due=due)
        if error is None:
            keep_books(actor.session, self._step)
        return done, error


async def perform(step: Step, retry: RetrySpec, session: Session, *, visit: Visit, due: int) -> Done:
    """The end of the last attempt, and how that failed, if it did. Raises FeedExhaustedError.

    The same request is sent again. A user that is to leave begins no further attempt.
    """
    step = replace(step, build=_once(step.build))
    done, error = await session.perform(step, due)
    for attempt in range(retry.attempts):
        if error is None or not _wanted(retry, error, session.status):
            break
        due = done + round(retry.pause * 2**attempt * SECOND)
        await visit.rest(due)
        if visit.over(due):
            return due, error
        session.recorder.count("retries")
        done, error = await session.perform(step, due)
    return done, error


def _once(build: Callable[[Scope], Request]) -> Callable[[Scope], Request]:
    made: list[Request] = []

    def first(scope: Scope) -> Request:
        if not made:
            made.append(build(scope))
        return made[0]

    return first


def _wanted(retry: RetrySpec, error: ExchangeError, status: int) -> bool:
    if error.kind is ErrorKind.STATUS:
        return status in retry.statuses or f"{status // 100}xx" in retry.statuses
    return error.kind.value in retry.kinds
