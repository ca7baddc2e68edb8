"""The nodes of a journey, compiled: each becomes an action that a user runs.

An action says when it ended and how it failed, if it did; a failure ends every body around it, and so does
the end of the visit, after the step that is under way.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol

from campaign.load.cleanup import keep_books
from campaign.load.failure import ExchangeError
from campaign.load.life import Done, Visit
from campaign.load.luck import Luck
from campaign.load.rhythm import Pausing
from campaign.load.session import Session
from campaign.load.step import Step
from campaign.load.tally import ErrorKind
from campaign.target.expression import TemplateError
from campaign.target.feeds import FeedExhaustedError
from campaign.target.scope import RenderError, Scope


class Actor(Protocol):
    """Who acts: one user on its way through a script.

    `rested` is how long it has rested in the middle of bodies, in ns; `cut` says that the end of the visit
    left something of a body undone; `passes` counts those of loops that came to nothing.
    """

    session: Session
    visit: Visit
    luck: Luck
    rested: int
    cut: bool
    passes: int


class Action(Protocol):
    """One node of a journey."""

    def run(self, actor: Actor, due: int) -> Awaitable[Done]:
        """Do it for this user, beginning when it was due."""


class Perform:
    """An operation."""

    __slots__ = ("_step",)

    def __init__(self, step: Step) -> None:
        self._step = step

    def run(self, actor: Actor, due: int) -> Awaitable[Done]:
        """The operation's own end and failure."""
        return actor.session.perform(self._step, due)


class PerformAndNote:
    """An operation that makes something to be deleted later, or deletes it."""

    __slots__ = ("_step",)

    def __init__(self, step: Step) -> None:
        self._step = step

    async def run(self, actor: Actor, due: int) -> Done:
        """The operation's own end and failure."""
        done, error = await actor.session.perform(self._step, due)
        if error is None:
            keep_books(actor.session, self._step)
        return done, error


class Rest:
    """A pause in the middle; what follows is due when it ends."""

    __slots__ = ("_pausing",)

    def __init__(self, pausing: Pausing) -> None:
        self._pausing = pausing

    async def run(self, actor: Actor, due: int) -> Done:
        """The end of the rest."""
        ended = await actor.visit.rest(due + self._pausing(actor.luck))
        actor.rested += ended - due
        return ended, None


class InTurn:
    """One action after the other; the first failure ends them, and so does the end of the visit."""

    __slots__ = ("_actions",)

    def __init__(self, actions: Sequence[Action]) -> None:
        self._actions = tuple(actions)

    async def run(self, actor: Actor, due: int) -> Done:
        """Where the last that was done ended."""
        for action in self._actions:
            if actor.visit.over(due):
                actor.cut = True
                break
            due, error = await action.run(actor, due)
            if error is not None:
                return due, error
        return due, None


class Branch:
    """One of two actions."""

    __slots__ = ("_otherwise", "_question", "_then")

    def __init__(self, question: Question, then: Action, otherwise: Action) -> None:
        self._question = question
        self._then = then
        self._otherwise = otherwise

    async def run(self, actor: Actor, due: int) -> Done:
        """The end of the one that was chosen."""
        try:
            chosen = self._then if self._question.ask(actor, due) else self._otherwise
        except ExchangeError as failure:
            return due, failure
        return await chosen.run(actor, due)


class Again:
    """An action so many times, drawn anew each time."""

    __slots__ = ("_body", "_low", "_span")

    def __init__(self, body: Action, low: int, high: int) -> None:
        self._body = body
        self._low = low
        self._span = high - low + 1

    async def run(self, actor: Actor, due: int) -> Done:
        """The end of the last time."""
        for _ in range(self._low + int(actor.luck.share() * self._span)):
            if actor.visit.over(due):
                actor.cut = True
                break
            done, error = await self._body.run(actor, due)
            if error is not None:
                return done, error
            due = done if done != due else await idle(actor, due)
        return due, None


class While:
    """An action as long as a condition holds, at most so many times."""

    __slots__ = ("_body", "_most", "_question")

    def __init__(self, question: Question, body: Action, *, most: int) -> None:
        self._question = question
        self._body = body
        self._most = most

    async def run(self, actor: Actor, due: int) -> Done:
        """The end of the last time."""
        for _ in range(self._most):
            try:
                wanted = self._question.ask(actor, due)
            except ExchangeError as unanswered:
                return due, unanswered
            if not wanted:
                break
            if actor.visit.over(due):
                actor.cut = True
                break
            done, failure = await self._body.run(actor, due)
            if failure is not None:
                return done, failure
            due = done if done != due else await idle(actor, due)
        return due, None


class ForEach:
    """An action for each item of a list, which is known by a name meanwhile."""

    __slots__ = ("_body", "_name", "_question")

    def __init__(self, question: Question, name: str, body: Action) -> None:
        self._question = question
        self._name = name
        self._body = body

    async def run(self, actor: Actor, due: int) -> Done:
        """The end of the last item's."""
        values = actor.session.scope.values
        try:
            items = self._question.ask(actor, due)
        except ExchangeError as unanswered:
            return due, unanswered
        try:
            for item in items:
                if actor.visit.over(due):
                    actor.cut = True
                    break
                values[self._name] = item
                done, failure = await self._body.run(actor, due)
                if failure is not None:
                    return done, failure
                due = done if done != due else await idle(actor, due)
        finally:
            values.pop(self._name, None)
        return due, None


async def idle(actor: Actor, due: int) -> int:
    """When a loop goes on after a pass that came to nothing: `due`, or the end of the visit if that is over.

    Every so many passes the other users get their turn.
    """
    actor.passes += 1
    if actor.passes % PASSES:
        return due
    await asyncio.sleep(0)
    return max(due, actor.visit.departure) if actor.visit.over(actor.visit.now()) else due


PASSES = 100


class Timed:
    """An action that is timed as a whole, rests left out: one that failed is counted, one that the end of
    the visit cut is neither.
    """

    __slots__ = ("_body", "_failed", "_name")

    def __init__(self, name: str, body: Action) -> None:
        self._name = name
        self._failed = f"{name}.failed"
        self._body = body

    async def run(self, actor: Actor, due: int) -> Done:
        """The end of the action."""
        rested = actor.rested
        done, error = await self._body.run(actor, due)
        recorder = actor.session.recorder
        if error is not None:
            recorder.count(self._failed)
        elif not actor.cut:
            recorder.measure(self._name, "group", due=due, ns=done - due - (actor.rested - rested))
        return done, error


class Breathing:
    """A task that may come to nothing: then it rests a moment, so that a user without think time does not
    spin.
    """

    __slots__ = ("_body",)

    def __init__(self, body: Action) -> None:
        self._body = body

    async def run(self, actor: Actor, due: int) -> Done:
        """The end of the task, or of the rest."""
        done, error = await self._body.run(actor, due)
        if done == due and error is None:
            done = await actor.visit.rest(due + BREATH)
        return done, error


BREATH = 50_000_000
"""Nanoseconds that a task takes in which there was nothing to do."""


class Question:
    """A condition or a list that a user is asked for; `text` is how the campaign file puts it."""

    __slots__ = ("_answer", "_text")

    def __init__(self, text: str, answer: Callable[[Scope], Any]) -> None:
        self._answer = answer
        self._text = text

    def ask(self, actor: Actor, due: int) -> Any:
        """The answer. Raises ExchangeError where there is none, which is our failure: the target was asked
        nothing; and FeedExhaustedError.
        """
        try:
            return self._answer(actor.session.scope)
        except (RenderError, TemplateError, FeedExhaustedError) as error:
            failure = ExchangeError(ErrorKind.RENDER, str(error))
            actor.session.trouble(self._text, failure, at=due)
            if isinstance(error, FeedExhaustedError):
                raise
            raise failure from error
