"""Samples added up, and failures by kind; plain data that crosses process borders."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from campaign.stats.histogram import Histogram


class Stage(StrEnum):
    """The part of a scenario that a sample's due moment lies in: before the judged part (ramp and warm-up),
    in it, after it.
    """

    RAMP = "ramp"
    HOLD = "hold"
    DOWN = "down"


class ErrorKind(StrEnum):
    """What went wrong with an exchange, at the first place where it went wrong."""

    RENDER = "render"  # ours: the campaign file gave no request to send (a value that was never saved, ...)
    EXHAUSTED = "exhausted"  # ours: this machine had no file or port left for a connection
    REFUSED = "refused"  # by our own guard: the address may not get traffic
    CONNECT = "connect"
    TLS = "tls"
    TIMEOUT = "timeout"
    RESET = "reset"
    PROTOCOL = "protocol"
    STATUS = "status"
    EXPECTATION = "expectation"
    CUT = "cut"  # no answer yet when the scenario's grace was over: neither good nor bad, only not known


OURS = frozenset({ErrorKind.RENDER, ErrorKind.EXHAUSTED})
"""The target was not asked, and is not to blame."""

UNSENT = OURS | {ErrorKind.REFUSED, ErrorKind.CONNECT, ErrorKind.TLS}
"""No request went out, so no time is kept: a refused connection would be the fastest answer of all."""

UNANSWERED = frozenset({ErrorKind.TIMEOUT, ErrorKind.RESET, ErrorKind.PROTOCOL, ErrorKind.CUT})
"""A request went out and no whole answer came back; it counts at the time until that was clear."""

UNKNOWN = frozenset({ErrorKind.CUT})
"""Nobody knows whether it would have failed; its time is the least that it would have taken."""


@dataclass(slots=True)
class Tally:
    """Samples of one operation in one stage: response time counts from due, service time from sent (µs
    inside).

    What was not sent is counted in `errors` and has no sample.
    """

    response: Histogram
    service: Histogram
    errors: dict[ErrorKind, int] = field(default_factory=dict)
    received_bytes: int = 0

    @property
    def count(self) -> int:
        """Requests that were sent, good, bad and unfinished; both histograms hold all of them."""
        return self.response.count

    @property
    def answered(self) -> int:
        """Requests that got a whole answer, whatever it said."""
        return self.count - self._failed_with(UNANSWERED)

    @property
    def asked(self) -> int:
        """What users wanted of the target, sent or not; neither what we spoilt ourselves nor what we cut."""
        return self.count + self._failed_with(UNSENT - OURS) - self.unfinished

    @property
    def failed(self) -> int:
        """How much of `asked` failed."""
        return sum(self.errors.values()) - self._failed_with(OURS | UNKNOWN)

    @property
    def unfinished(self) -> int:
        """Requests that we cut: their times are the least that they would have taken."""
        return self._failed_with(UNKNOWN)

    def _failed_with(self, kinds: frozenset[ErrorKind]) -> int:
        return sum(count for kind, count in self.errors.items() if kind in kinds)

    def merge(self, other: Tally) -> None:
        """Add all that `other` holds."""
        self.response.merge(other.response)
        self.service.merge(other.service)
        self.received_bytes += other.received_bytes
        for kind, count in other.errors.items():
            self.errors[kind] = self.errors.get(kind, 0) + count


@dataclass(slots=True)
class Person:
    """The samples of one user, added up: times in µs of those that were sent, and failures of all."""

    count: int = 0
    failed: int = 0
    total_us: int = 0
    longest_us: int = 0

    @property
    def mean(self) -> float | None:
        """The mean response time in seconds."""
        return self.total_us / self.count / 1e6 if self.count else None

    def add(self, response_us: int | None, *, failed: bool) -> None:
        """Count a sample; None: it was not sent, so it has no time."""
        self.failed += failed
        if response_us is not None:
            self.count += 1
            self.total_us += response_us
            self.longest_us = max(self.longest_us, response_us)

    def merge(self, other: Person) -> None:
        """Add all that `other` counted."""
        self.count += other.count
        self.failed += other.failed
        self.total_us += other.total_us
        self.longest_us = max(self.longest_us, other.longest_us)


@dataclass(frozen=True, slots=True)
class ErrorSample:
    """One failed exchange, secrets masked: what was sent, what came back, when (seconds since the scenario
    began).
    """

    at: float
    user: int
    request: str
    answer: str


@dataclass(frozen=True, slots=True)
class Sighting:
    """A user was shown a canary of somebody else's: which, by which operation, in which exchange."""

    operation: str
    canary: str
    sample: ErrorSample


@dataclass(frozen=True, slots=True)
class ErrorGroup:
    """All failures of one operation with the same kind and detail ("status 503"), and the first few
    samples.
    """

    operation: str
    kind: ErrorKind
    detail: str
    count: int
    first: float
    last: float
    samples: tuple[ErrorSample, ...]
