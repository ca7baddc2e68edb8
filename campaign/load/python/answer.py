"""What a Python user gets for a request, and what it meets when that failed."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import cached_property
from types import MappingProxyType
from typing import Any

from campaign.load.failure import ExchangeError

RawHeaders = tuple[tuple[bytes, bytes], ...]


class Sample:
    """One sample that was kept: where, and whether it is counted as failed."""

    __slots__ = ("done", "due", "failed", "index")

    def __init__(self, index: int, due: int, done: int, *, failed: bool) -> None:
        self.index = index
        self.due = due
        self.done = done
        self.failed = failed


class Answer:
    """An answer of the target. `status` is 0 and `body` empty where there was no whole one.

    `ok`: it came, and is what the campaign file expects. `seconds` is its response time, from when the
    request was due.
    """

    def __init__(
        self, sample: Sample, *, status: int, raw: RawHeaders, body: bytes, error: ExchangeError | None,
        miss: Callable[[Sample, str], ExchangeError],
    ) -> None:  # fmt: skip
        self.status = status
        self.body = body
        self._raw = raw
        self._sample = sample
        self._error = error
        self._miss = miss

    def __repr__(self) -> str:
        return f"<Answer {self.status}, {len(self.body)} bytes>"

    @property
    def ok(self) -> bool:
        """Whether it came and is what was expected."""
        return self._error is None

    @property
    def error(self) -> str:
        """What was wrong, in a few words; "" where nothing was."""
        return "" if self._error is None else self._error.detail

    @property
    def seconds(self) -> float:
        """The response time in seconds."""
        return (self._sample.done - self._sample.due) / 1e9

    @cached_property
    def headers(self) -> Mapping[str, str]:
        """The headers by lower-case name; of one that came several times the values are joined."""
        headers: dict[str, str] = {}
        for name, value in self._raw:
            key, text = name.decode("latin-1").lower(), value.decode("latin-1")
            headers[key] = f"{headers[key]}, {text}" if key in headers else text
        return MappingProxyType(headers)

    @property
    def text(self) -> str:
        """The body as UTF-8; what is none of it shows as a replacement sign."""
        return self.body.decode("utf-8", "replace")

    @cached_property
    def json(self) -> Any:
        """The body read as JSON. One that is none is a failure of the request: raises Failed."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            raise Failed(self, self._error or self._miss(self._sample, "the answer is not JSON")) from None


class Failed(Exception):  # noqa: N818 - what happened to the request; the user's code is right
    """A request that failed. It is counted already; not caught it ends the task, and the user goes on.

    `answer` is what came, if anything did.
    """

    def __init__(self, answer: Answer, error: ExchangeError) -> None:
        super().__init__(error.detail)
        self.answer = answer
        self.error = error
