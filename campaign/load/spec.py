"""What a load scenario is asked to do and what it came to; plain data that crosses process borders."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from campaign.target.spec import TargetSpec, Vocabulary

if TYPE_CHECKING:
    from campaign.stats.histogram import Histogram


@dataclass(frozen=True, slots=True)
class ScenarioSpec:
    """Users come at `ramp` per second (inf: all at once), stay for `hold` seconds, and leave over
    `ramp_down` seconds.

    `mix` maps a kind of user to its weight and overrides the weights of the campaign file; empty: those.
    """

    name: str
    users: int
    ramp: float
    hold: float
    ramp_down: float = 0.0
    mix: Mapping[str, float] = field(default_factory=dict)

    @property
    def ramp_seconds(self) -> float:
        """How long the ramp lasts."""
        return self.users / self.ramp

    @property
    def seconds(self) -> float:
        """The whole scenario, without the last answers' time."""
        return self.ramp_seconds + self.hold + self.ramp_down


@dataclass(frozen=True, slots=True)
class LoadPlan:
    """One scenario against one target; `workers` processes share the users (user k goes to worker k mod
    workers).
    """

    target: TargetSpec
    vocabulary: Vocabulary
    scenario: ScenarioSpec
    seed: int
    workers: int = 1


class Stage(StrEnum):
    """The part of a scenario that a sample's due moment lies in. Only the hold is judged."""

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


OURS = frozenset({ErrorKind.RENDER, ErrorKind.EXHAUSTED})
"""The target was not asked, and is not to blame."""

UNSENT = OURS | {ErrorKind.REFUSED, ErrorKind.CONNECT, ErrorKind.TLS}
"""No request went out, so no time is kept: a refused connection would be the fastest answer of all."""

UNANSWERED = frozenset({ErrorKind.TIMEOUT, ErrorKind.RESET, ErrorKind.PROTOCOL})
"""A request went out and no whole answer came back; it counts at the time until that was clear."""


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
        """Requests that were sent, good and bad; both histograms hold all of them."""
        return self.response.count

    @property
    def answered(self) -> int:
        """Requests that got a whole answer, whatever it said."""
        return self.count - self._failed_with(UNANSWERED)

    @property
    def asked(self) -> int:
        """What users wanted of the target, sent or not; what we spoilt ourselves is not among it."""
        return self.count + self._failed_with(UNSENT - OURS)

    @property
    def failed(self) -> int:
        """How much of `asked` failed."""
        return sum(self.errors.values()) - self._failed_with(OURS)

    def _failed_with(self, kinds: frozenset[ErrorKind]) -> int:
        return sum(count for kind, count in self.errors.items() if kind in kinds)

    def merge(self, other: Tally) -> None:
        """Add all that `other` holds."""
        self.response.merge(other.response)
        self.service.merge(other.service)
        self.received_bytes += other.received_bytes
        for kind, count in other.errors.items():
            self.errors[kind] = self.errors.get(kind, 0) + count


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


@dataclass(frozen=True, slots=True)
class Second:
    """What all workers saw in one second of a scenario, for the chart and the live display.

    `at` is seconds since the scenario began. Latencies are response times in seconds of all operations
    together, None where no answer came in that second. `users` are active, `waiting` are requests without
    an answer at its end.
    """

    at: float
    rate: float
    p50: float | None
    p95: float | None
    error_rate: float | None
    users: int
    waiting: int


@dataclass(frozen=True, slots=True)
class GeneratorHealth:
    """How well we kept time ourselves over the hold, the worst worker for each figure.

    `loop_lag_p99`, `schedule_lag_p99` and `longest_lag` in seconds; `cpu` is the share of one core;
    `workers_lost` ended before their time.
    """

    loop_lag_p99: float
    schedule_lag_p99: float
    cpu: float
    workers: int
    workers_lost: int
    losses: tuple[str, ...] = ()
    longest_lag: float = 0.0

    def saturation(self) -> str:
        """Why the figures of this scenario are not to be trusted upwards, or "" when they are."""
        if self.workers_lost:
            return f"{self.workers_lost} of {self.workers} load workers were lost"
        if self.loop_lag_p99 > MAX_LOOP_LAG:
            return (
                f"event-loop lag p99 {self.loop_lag_p99 * 1e3:.0f} ms (at most {MAX_LOOP_LAG * 1e3:.0f} ms)"
            )
        if self.longest_lag > MAX_FREEZE:
            return f"it stood still for {self.longest_lag:.1f} s (at most {MAX_FREEZE:.0f} s)"
        if self.cpu > MAX_CPU:
            return f"{self.cpu:.0%} of a core used by a worker (at most {MAX_CPU:.0%})"
        return ""


MAX_LOOP_LAG = 0.05
"""Seconds; a generator whose loop lags more adds visible time to every answer."""

MAX_FREEZE = 1.0
"""Seconds; a generator that once stood still for longer cannot tell its own silence from the target's."""

MAX_CPU = 0.95
"""Share of one core; above it a worker cannot send when it should."""


@dataclass(frozen=True, slots=True)
class LoadOutcome:
    """What a scenario came to.

    `tallies` maps (operation, stage) to its samples. `longest_stall` is the longest time in seconds, over
    the hold, in which no answer at all arrived although requests were waiting. `users_reached` is the share
    of the asked user-seconds of the hold in which a user had finished its start operations and was at work.
    """

    scenario: ScenarioSpec
    tallies: Mapping[tuple[str, Stage], Tally]
    errors: tuple[ErrorGroup, ...]
    longest_stall: float | None
    users_reached: float | None
    hold_seconds: float
    generator: GeneratorHealth
    reconnects: int = 0
