"""The frozen facts that everything else passes on: what was measured, what was found, what it adds up to.

Seconds as float unless a name says otherwise; a share is 0..1; None means "could not be measured". Nothing
here computes a verdict: findings are made by `campaign.checks` and scores by `campaign.scoring`, and by
nobody else.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Self

SCHEMA_VERSION = "1.0"
"""The version of report.json: the first number changes when a reader would break."""


NOT_RESTORED = "not_restored"
"""The fact that names what a phase broke and could not put back: a list of {"what", "by_hand": [commands to
type], "why"}. One of them in any phase's evidence and the campaign ends with exit code 4.
"""


class Outcome(StrEnum):
    """What a check came to."""

    PASSED = "passed"
    WARNED = "warned"
    FAILED = "failed"
    INCONCLUSIVE = "inconclusive"
    NOT_APPLICABLE = "not_applicable"
    INFORMATIONAL = "informational"


class Severity(StrEnum):
    """How much a check counts, and whether missing it alone stops a release."""

    BLOCKER = "blocker"
    CRITICAL = "critical"
    IMPORTANT = "important"
    MINOR = "minor"


class Status(StrEnum):
    """How a phase ended."""

    COMPLETED = "completed"
    SKIPPED = "skipped"
    ERROR = "error"
    INTERRUPTED = "interrupted"


class ReasonKind(StrEnum):
    """Why a phase did not complete, so that no report has a hole."""

    REQUESTED = "requested"
    NOT_INSTALLED = "not_installed"
    REQUIREMENT_MISSING = "requirement_missing"
    TARGET_UNREACHABLE = "target_unreachable"
    REFUSED = "refused"
    CRASHED = "crashed"
    DEADLINE = "deadline"
    INTERRUPTED = "interrupted"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a phase did not complete: a kind to decide by and a sentence to read."""

    kind: ReasonKind
    text: str


@dataclass(frozen=True, slots=True)
class Measurement:
    """One number with how many observations it rests on and its 95 % confidence limits.

    `value`, `low` and `high` are in `unit` ("s", "1/s", "share", "B" or a noun). `low` or `high` None:
    unbounded on that side, as nothing is known there; an exact number has `low == value == high`. `value`
    None: could not be measured.
    """

    name: str
    value: float | None
    unit: str
    count: int = 0
    low: float | None = None
    high: float | None = None

    @classmethod
    def exact(cls, name: str, value: float | None, *, unit: str, count: int = 0) -> Self:
        """A number without doubt, such as a count or a maximum that was seen."""
        return cls(name, value, unit, count, value, value)


@dataclass(frozen=True, slots=True)
class Series:
    """A number over time: `times` in seconds since the campaign began, `values` in `unit`; None is a gap."""

    name: str
    unit: str
    times: tuple[float, ...]
    values: tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class Evidence:
    """Everything a phase observed: enough to judge again without running again.

    `facts` holds plain JSON data under names that the phase chooses (tables, samples of failures);
    `notes` are sentences for the reader.
    """

    measurements: tuple[Measurement, ...] = ()
    series: tuple[Series, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def find(self, name: str) -> Measurement | None:
        """The measurement of that name, or None where it was never recorded."""
        return next((each for each in self.measurements if each.name == name), None)


class Direction(StrEnum):
    """Which side of a limit is the good one."""

    AT_MOST = "at most"
    AT_LEAST = "at least"


@dataclass(frozen=True, slots=True)
class Limit:
    """A wanted value: full points at or better than `target`, half of them at `acceptable`.

    With a single limit both are the same number.
    """

    target: float
    acceptable: float
    unit: str
    direction: Direction = Direction.AT_MOST

    def goodness(self, value: float) -> float:
        """The value on a scale where more is better, whichever way the limit points."""
        return value if self.direction is Direction.AT_LEAST else -value

    def worse_end(self, measured: Measurement) -> float:
        """The goodness of the end of the interval that counts; -inf where it is unbounded."""
        end = measured.high if self.direction is Direction.AT_MOST else measured.low
        return -math.inf if end is None else self.goodness(end)

    def better_end(self, measured: Measurement) -> float:
        """The goodness of the other end; inf where it is unbounded."""
        end = measured.low if self.direction is Direction.AT_MOST else measured.high
        return math.inf if end is None else self.goodness(end)


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check came to. The message states the fact with both numbers, in either case.

    `check` is a stable name, unique within its phase (`peak.converse.p95`). Made by `campaign.checks`
    only.
    """

    check: str
    outcome: Outcome
    message: str
    measured: Measurement | None
    limit: Limit | None
    severity: Severity
    weight: float
    remedy: str


@dataclass(frozen=True, slots=True)
class PhaseResult:
    """Exactly one per planned or skipped phase, whatever happened.

    `phase` is the label in the campaign file and `kind` the phase it runs; `began` and `ended` are seconds
    since 1970.
    """

    phase: str
    kind: str
    title: str
    status: Status
    evidence: Evidence = field(default_factory=Evidence)
    findings: tuple[Finding, ...] = ()
    began: float = 0.0
    ended: float = 0.0
    reason: Reason | None = None

    def __post_init__(self) -> None:
        """Refuse a hole in the report: what did not complete says why."""
        if self.status is not Status.COMPLETED and self.reason is None:
            raise ValueError(f"phase {self.phase}: status {self.status} needs a reason")

    @property
    def in_plan(self) -> bool:
        """False only for a phase that the user left out on purpose."""
        return not (
            self.status is Status.SKIPPED and self.reason and self.reason.kind is ReasonKind.REQUESTED
        )


@dataclass(frozen=True, slots=True)
class Bounds:
    """A score 0..100 over what was judged, and what it would be if all the rest failed or passed."""

    score: float | None
    lower_bound: float
    upper_bound: float


@dataclass(frozen=True, slots=True)
class Cap:
    """The highest score that failed findings of this severity leave, and how many there are."""

    ceiling: float
    severity: Severity
    count: int


@dataclass(frozen=True, slots=True)
class PhaseScore:
    """A phase's part: score 0..100 of what was judged (None: nothing was), coverage 0..1, weight in the
    campaign.
    """

    phase: str
    score: float | None
    coverage: float
    weight: float


@dataclass(frozen=True, slots=True)
class Scope:
    """How much of the whole the plan covers: weights, and the names of the phases on either side."""

    weight: float
    total: float
    assessed: tuple[str, ...]
    not_assessed: tuple[str, ...]
    required_missing: tuple[str, ...]


class Band(StrEnum):
    """What the lower bound, after the cap, is called."""

    NOT_MEASURED = "not measured"
    NOT_READY = "not ready"
    CONDITIONAL = "conditional"
    GOOD = "good"
    PRODUCTION_READY = "production ready"
    READY_IN_SCOPE = "ready in scope"


@dataclass(frozen=True, slots=True)
class Score:
    """The score as printed (`bounds`, after the caps), as it would be without them, and what it rests on.

    `coverage` is judged / planned weight, 0..1. `caps` are those that lower the score.
    """

    bounds: Bounds
    uncapped: Bounds
    coverage: float
    caps: tuple[Cap, ...]
    band: Band
    scope: Scope
    phases: tuple[PhaseScore, ...]


@dataclass(frozen=True, slots=True)
class Gate:
    """The answer: may we release? `headline` is a few words, `reasons` one sentence each, `mark` the wanted
    score.
    """

    passed: bool
    exit_code: int
    mark: float
    headline: str
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Improvement:
    """A finding to mend and what it would bring, all else equal: lower bound before and after, 0..100."""

    phase: str
    finding: Finding
    before: float
    after: float


class StopReason(StrEnum):
    """Why a campaign ended."""

    FINISHED = "finished"
    INTERRUPTED = "interrupted"
    TARGET_UNREACHABLE = "target_unreachable"
    STOPPED_AT_VIOLATION = "stopped_at_violation"
    STOPPED_AT_ALERT = "stopped_at_alert"


@dataclass(frozen=True, slots=True)
class Run:
    """What was run, where and when: `environment` describes the machine and the target, `configuration` the
    plan.
    """

    name: str
    target: str
    started_at: float
    ended_at: float
    seed: int
    stop_reason: StopReason
    environment: Mapping[str, Any]
    configuration: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class CampaignResult:
    """A finished campaign, whole: what the reporters render and `campaign.run` returns."""

    schema: str
    run: Run
    results: tuple[PhaseResult, ...]
    monitoring: Evidence
    score: Score
    gate: Gate
    improvements: tuple[Improvement, ...] = ()

    @property
    def exit_code(self) -> int:
        """0 gate passed, 1 failed, 3 could not be judged, 4 the target is not restored, 130 interrupted."""
        return self.gate.exit_code
