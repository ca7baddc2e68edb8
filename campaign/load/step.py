"""An operation with all that the load generator needs to know of it, looked up once, not per request."""

from __future__ import annotations

from collections.abc import Callable, Iterable, MutableMapping
from dataclasses import dataclass
from typing import Any, Protocol

from campaign.load.redirects import follows_redirects
from campaign.load.streams import Listening
from campaign.load.timeouts import Timeout, Timeouts
from campaign.target.expect import Miss
from campaign.target.operation import Operation
from campaign.target.request import Request
from campaign.target.scope import Scope
from campaign.target.spec import RetrySpec
from campaign.target.talk import SocketScript

IDEMPOTENT = frozenset({"GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE"})
"""Methods that may be sent again when a kept connection turns out to be closed (RFC 9110 section 9.2.2)."""


class Judge(Protocol):
    """Says whether an answer is what it should be; the expectation of an operation does."""

    def check(
        self, status: int, headers: Iterable[tuple[bytes, bytes]], body: bytes, *,
        values: MutableMapping[str, Any] | None = None,
    ) -> Miss | None:  # fmt: skip
        """The first thing that is wrong, or None."""


@dataclass(frozen=True, slots=True)
class Step:
    """One operation; `index` is its position among the operations of the run, `redirects` how many are
    followed.

    `needs_body`: to judge the answer, `keep_body`: to judge it or to listen to it as it comes. `listening` is
    there for streamed answers, `script` for WebSocket sessions. `undo` deletes what this one makes,
    `undoes`: it is itself such a step, and `reads` are the values that its templates name.
    """

    index: int
    name: str
    build: Callable[[Scope], Request]
    expectation: Judge
    needs_body: bool
    keep_body: bool
    max_body: int
    redirects: int
    timeout: Timeout
    listening: Listening | None = None
    script: SocketScript | None = None
    retry: RetrySpec | None = None
    undo: Step | None = None
    undoes: bool = False
    reads: tuple[str, ...] = ()


def make_step(operation: Operation, index: int, *, timeouts: Timeouts, keep: bool = False) -> Step:
    """The step for a compiled operation; `keep`: its answers are wanted whole, whoever judges them."""
    spec = operation.spec
    options = spec.options
    needs_body = operation.expectation.needs_body
    wanted = needs_body or keep
    return Step(
        index=index,
        name=operation.name,
        build=operation.build,
        expectation=operation.expectation,
        needs_body=needs_body,
        keep_body=wanted or options.stream is not None,
        max_body=options.max_body,
        redirects=options.redirects if follows_redirects(options.redirects, spec.expect) else 0,
        timeout=timeouts.of(options.timeout),
        listening=Listening(spec.name, options.stream, keep=wanted) if options.stream else None,
        script=operation.script,
        retry=options.retry if options.retry.attempts else None,
    )
