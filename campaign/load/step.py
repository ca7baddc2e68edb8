"""An operation with all that the load generator needs to know of it, looked up once, not per request."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from campaign.load.redirects import follows_redirects
from campaign.load.timeouts import Timeout, Timeouts
from campaign.target.expect import Expectation
from campaign.target.operation import Operation
from campaign.target.request import Request
from campaign.target.scope import Scope

IDEMPOTENT = frozenset({"GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE"})
"""Methods that may be sent again when a kept connection turns out to be closed (RFC 9110 section 9.2.2)."""


@dataclass(frozen=True, slots=True)
class Step:
    """One operation; `index` is its position among the operations of the run, `redirects` how many are
    followed.
    """

    index: int
    build: Callable[[Scope], Request]
    expectation: Expectation
    needs_body: bool
    max_body: int
    redirects: int
    timeout: Timeout


def make_step(operation: Operation, index: int, *, timeouts: Timeouts) -> Step:
    """The step for a compiled operation."""
    spec = operation.spec
    options = spec.options
    return Step(
        index=index,
        build=operation.build,
        expectation=operation.expectation,
        needs_body=operation.expectation.needs_body,
        max_body=options.max_body,
        redirects=options.redirects if follows_redirects(options.redirects, spec.expect) else 0,
        timeout=timeouts.of(options.timeout),
    )
