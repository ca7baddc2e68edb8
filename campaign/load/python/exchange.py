"""One operation as a Python user does it: values of the moment go in, the answer is kept."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, MutableMapping
from dataclasses import replace
from typing import Any

from campaign.load.python.answer import RawHeaders
from campaign.load.step import Judge, Step
from campaign.target.expect import Miss
from campaign.target.request import Request
from campaign.target.scope import Scope

_NOTHING = object()


class Exchange:
    """`step` is what a session performs; `given` are the values for the next request alone, before saved ones
    and feeds. `status`, `headers` and `body` are those of the last whole answer, 0 and empty without one.
    """

    __slots__ = ("_build", "_judge", "_saved", "body", "given", "headers", "status", "step")

    def __init__(self, step: Step, build: Callable[[Scope], Request] | None = None) -> None:
        self._build = build or step.build
        self._judge: Judge = step.expectation
        self.given: Mapping[str, Any] = {}
        self._saved: dict[str, Any] = {}
        self.status = 0
        self.headers: RawHeaders = ()
        self.body = b""
        self.step = replace(step, build=self.build, expectation=self, needs_body=True, keep_body=True)

    def build(self, scope: Scope) -> Request:
        """The request, made with the given values too."""
        self.forget()
        given = self.given
        if not given:
            return self._build(scope)
        values = scope.values
        before = {name: values.get(name, _NOTHING) for name in given}
        values.update(given)
        try:
            return self._build(scope)
        finally:
            _restore(values, before)

    @property
    def own(self) -> dict[str, Any]:
        """The given values, but for those that the answer saved anew."""
        return {name: value for name, value in self.given.items() if name not in self._saved}

    def forget(self) -> None:
        """There is no answer any more."""
        self.status, self.headers, self.body = 0, (), b""

    def check(
        self, status: int, headers: Iterable[tuple[bytes, bytes]], body: bytes, *,
        values: MutableMapping[str, Any] | None = None,
    ) -> Miss | None:  # fmt: skip
        """What the operation's own expectation says; the answer is kept."""
        self.status, self.headers, self.body = status, tuple(headers), body
        saved: dict[str, Any] = {}
        self._saved = saved
        miss = self._judge.check(status, self.headers, body, values=saved)
        if values is not None and saved:
            values.update(saved)
        return miss


def _restore(values: dict[str, Any], before: Mapping[str, Any]) -> None:
    for name, value in before.items():
        if value is _NOTHING:
            values.pop(name, None)
        else:
            values[name] = value
