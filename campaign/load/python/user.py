"""The class that users written in Python extend."""

from __future__ import annotations

from collections.abc import Coroutine, Mapping, MutableMapping, Sequence
from functools import cached_property
from random import Random
from typing import Any, ClassVar

from campaign.load.python.answer import Answer
from campaign.load.python.courier import Courier
from campaign.load.python.data import Data
from campaign.load.python.durations import limit_of
from campaign.load.python.measure import Stopwatch
from campaign.load.python.requests import Shape, Wish, default_name, statuses
from campaign.target.fake import Fake
from campaign.target.journey import WaitSpec

DEFAULT_TIMEOUT = 30.0
"""Seconds that a request without an operation in the campaign file may take."""


class User:
    """One user. Extend it, mark what it does with `@task`, and name the class in the campaign file.

    `weight` is its share among all users, `wait` the time between two of its tasks, `iterations` how many it
    does before it leaves (0: until the scenario ends). `measures` are the names of its `measure()` and
    `request()` calls that limits may name. The campaign file may say otherwise of the first three.
    """

    weight: ClassVar[float] = 1
    wait: ClassVar[WaitSpec] = WaitSpec()
    iterations: ClassVar[int] = 0
    measures: ClassVar[Sequence[str]] = ()

    _courier: Courier
    _random_seed: float

    async def on_start(self) -> None:
        """Do what comes before the first task. Where it fails, it is tried again with a new user."""

    async def on_stop(self) -> None:
        """Do what comes when the user leaves."""

    def send(self, operation: str, /, **values: Any) -> Coroutine[Any, Any, Answer]:
        """The answer to an operation of the campaign file, whose templates see `values` before all others.

        Raises Failed where it fails (status, expectation, time-out ...), which ends the task unless caught.
        """
        return self._courier.send(operation, values)

    def try_send(self, operation: str, /, **values: Any) -> Coroutine[Any, Any, Answer]:
        """The answer as `send` gives it, but also a failed one: `answer.ok` tells. It is counted either
        way.
        """
        return self._courier.try_send(operation, values)

    def request(
        self, method: str, path: str, *, query: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None, json: Any = ..., form: Mapping[str, Any] | None = None,
        body: bytes | str = b"", name: str = "", service: str = "",
        expect: int | str | Sequence[int | str] = (), timeout: float = DEFAULT_TIMEOUT,
    ) -> Coroutine[Any, Any, Answer]:  # fmt: skip
        """The answer to a request that is no operation of the campaign file. Raises Failed.

        It is counted under `name` (method and path without the query). At most one of `json`, `form` and
        `body`; `expect` is a status or several ("2xx"), any 2xx or 3xx by default; `timeout` in seconds;
        `service` is one of the target's services. The target's own headers go with it.
        """
        wish = Wish(path, query or {}, headers or {}, json, form, body)
        shape = Shape(method.upper(), service, limit_of(timeout, "timeout"), statuses(expect))
        return self._courier.request(name or default_name(shape.method, path), shape, wish)

    def try_request(
        self, method: str, path: str, *, query: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None, json: Any = ..., form: Mapping[str, Any] | None = None,
        body: bytes | str = b"", name: str = "", service: str = "",
        expect: int | str | Sequence[int | str] = (), timeout: float = DEFAULT_TIMEOUT,
    ) -> Coroutine[Any, Any, Answer]:  # fmt: skip
        """The answer as `request` gives it, but also a failed one: `answer.ok` tells."""
        wish = Wish(path, query or {}, headers or {}, json, form, body)
        shape = Shape(method.upper(), service, limit_of(timeout, "timeout"), statuses(expect))
        return self._courier.try_request(name or default_name(shape.method, path), shape, wish)

    def check(self, condition: object, message: str) -> bool:
        """Whether `condition` holds. Where not, the last request is counted as failed, with `message`.

        The task goes on. Failures are grouped by their message, so leave out what differs each time.
        """
        return self._courier.check(condition, message)

    def measure(self, name: str) -> Stopwatch:
        """A stopwatch for `async with`: what is done inside is a sample called `name`.

        An exception inside makes it a failed one and ends the task.
        """
        return Stopwatch(name, self._courier)

    async def sleep(self, seconds: float) -> None:
        """Rest. Rests are in no response time, and a user that has to leave rests no longer."""
        await self._courier.sleep(seconds)

    @cached_property
    def data(self) -> Data:
        """Saved values, and the feeds of the campaign file: `self.data.city`."""
        return Data(self._courier.session.scope)

    @property
    def values(self) -> MutableMapping[str, Any]:
        """What operations saved; what you put here, their templates can name."""
        return self._courier.session.scope.values

    @property
    def fake(self) -> Fake:
        """Made-up people and sentences, the same for the same seed."""
        return self._courier.session.scope.fake

    @property
    def number(self) -> int:
        """Which user this is, from 1."""
        return self._courier.session.scope.number

    @cached_property
    def random(self) -> Random:
        """Random numbers of this user's own, the same for the same seed."""
        return Random(f"{self.number}/{self._random_seed!r}")
