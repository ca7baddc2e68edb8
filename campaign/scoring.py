"""Findings to a score, and a score to an answer: pure functions, no clock, no file.

A finding earns 1 at or better than its limit's target, one half at acceptable, linear in between and on to
0 as far beyond; with a single limit, 1 or 0. Weighted means, twice: findings within a phase, phases within
the campaign. What was planned and not judged counts 0 in the lower bound and 1 in the upper; the score is
over what was judged alone, so that lower bound = score x coverage. Failed blockers cap all three at 59,
failed critical findings at 79.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from campaign.records import (
    Band,
    Bounds,
    Cap,
    Finding,
    Limit,
    Measurement,
    Outcome,
    PhaseResult,
    PhaseScore,
    Scope,
    Score,
    Severity,
    Status,
)

DEFAULT_WEIGHTS: Mapping[str, float] = {
    "load": 20,
    "stress": 10,
    "benchmark": 5,
    "database": 15,
    "failover": 15,
    "safety": 25,
    "stability": 10,
}
"""What each standard phase weighs in the campaign."""

DEFAULT_REQUIRED = ("load", "database", "failover", "safety")
"""Without one of these nothing is called production ready."""

UNNAMED_WEIGHT = 5.0
"""The weight of a phase that the weights do not name."""

CEILINGS = {Severity.BLOCKER: 59.0, Severity.CRITICAL: 79.0}
"""The highest score that a failed finding of this severity leaves."""

JUDGED = frozenset({Outcome.PASSED, Outcome.WARNED, Outcome.FAILED})

BANDS = ((90.0, Band.PRODUCTION_READY), (80.0, Band.GOOD), (60.0, Band.CONDITIONAL), (0.0, Band.NOT_READY))


@dataclass(frozen=True, slots=True)
class Policy:
    """How findings are weighed: weights by phase label or kind, the required phases, and the wanted lower
    bound. A `quick` run proves less than it could, and is never called production ready.
    """

    weights: Mapping[str, float] = field(default_factory=lambda: dict(DEFAULT_WEIGHTS))
    required: tuple[str, ...] = DEFAULT_REQUIRED
    pass_mark: float = 80.0
    quick: bool = False


def share(finding: Finding) -> float | None:
    """What a finding earns, 0..1; None where it was not judged."""
    if finding.outcome not in JUDGED:
        return None
    if finding.limit is None or finding.measured is None:
        return 1.0 if finding.outcome is Outcome.PASSED else 0.0
    return _limit_share(finding.measured, finding.limit)


def _limit_share(measured: Measurement, limit: Limit) -> float:
    behind = limit.goodness(limit.target) - limit.worse_end(measured)
    if behind <= 0:
        return 1.0
    span = abs(limit.acceptable - limit.target)
    return max(0.0, 1 - behind / span / 2) if span else 0.0


@dataclass(frozen=True, slots=True)
class _Sums:
    """The weights of one phase's findings: planned, judged, and earned."""

    planned: float
    judged: float
    earned: float

    @property
    def coverage(self) -> float:
        return self.judged / self.planned if self.planned else 0.0


def _sum_findings(findings: Iterable[Finding]) -> _Sums:
    planned = judged = earned = 0.0
    for finding in findings:
        if finding.outcome in JUDGED or finding.outcome is Outcome.INCONCLUSIVE:
            planned += finding.weight
        if (points := share(finding)) is not None:
            judged += finding.weight
            earned += finding.weight * points
    return _Sums(planned, judged, earned)


def score_campaign(results: Iterable[PhaseResult], policy: Policy) -> Score:
    """The score of a campaign from its results, one per phase, planned or left out."""
    everything = tuple(results)
    planned = tuple(result for result in everything if result.in_plan)
    phases = tuple(_score_phase(result, weight=_weight(result, planned, policy)) for result in planned)
    uncapped, coverage = _bounds(phases)
    caps = _caps(planned)
    bounds = _capped(uncapped, caps)
    scope = _scope(everything, phases, policy)
    lowering = tuple(cap for cap in caps if cap.ceiling < (uncapped.score or 0.0))
    return Score(
        bounds, uncapped, coverage, lowering, _band(bounds, scope, quick=policy.quick), scope, phases
    )


def phase_score(result: PhaseResult) -> float | None:
    """The score 0..100 of what was judged in one phase, before any cap; None where nothing was."""
    return _score_phase(result, weight=1.0).score


def _score_phase(result: PhaseResult, *, weight: float) -> PhaseScore:
    sums = _sum_findings(result.findings)
    if result.status is Status.COMPLETED and result.findings and not sums.planned:
        weight = 0.0  # nothing in it applies to this target, so it leaves the plan
    value = 100 * sums.earned / sums.judged if sums.judged else None
    return PhaseScore(result.phase, value, sums.coverage, weight)


def _weight(result: PhaseResult, planned: tuple[PhaseResult, ...], policy: Policy) -> float:
    """The weight of a label: its own, or an equal part of its kind's among the labels without."""
    if result.phase in policy.weights and result.phase != result.kind:
        return policy.weights[result.phase]
    sharing = [
        each for each in planned
        if each.kind == result.kind and (each.phase == each.kind or each.phase not in policy.weights)
    ]  # fmt: skip
    return policy.weights.get(result.kind, UNNAMED_WEIGHT) / len(sharing)


def _bounds(phases: tuple[PhaseScore, ...]) -> tuple[Bounds, float]:
    total = math.fsum(phase.weight for phase in phases)
    judged = math.fsum(phase.weight * phase.coverage for phase in phases)
    if not total or not judged:
        return Bounds(None, 0.0, 100.0 if total else 0.0), 0.0
    earned = math.fsum(phase.weight * phase.coverage * (phase.score or 0.0) for phase in phases)
    coverage = judged / total
    lower = _exact(earned / total)
    return Bounds(_exact(earned / judged), lower, _exact(lower + 100 * (1 - coverage))), coverage


def _exact(points: float) -> float:
    """Without the last bits of float arithmetic: a perfect run is 100, and 80 meets a mark of 80."""
    return round(points, 9)


def _caps(planned: tuple[PhaseResult, ...]) -> tuple[Cap, ...]:
    failed = Counter(finding.severity for finding in _failed(planned))
    return tuple(Cap(CEILINGS[each], each, failed[each]) for each in CEILINGS if failed[each])


def _failed(planned: Iterable[PhaseResult]) -> list[Finding]:
    return [each for result in planned for each in result.findings if each.outcome is Outcome.FAILED]


def _capped(bounds: Bounds, caps: tuple[Cap, ...]) -> Bounds:
    ceiling = min((cap.ceiling for cap in caps), default=100.0)
    score = None if bounds.score is None else min(bounds.score, ceiling)
    return Bounds(score, min(bounds.lower_bound, ceiling), min(bounds.upper_bound, ceiling))


def _scope(everything: tuple[PhaseResult, ...], phases: tuple[PhaseScore, ...], policy: Policy) -> Scope:
    """Weights and names in and out of the plan; a required phase counts as judged when any of it was."""
    planned = {result.phase: result.kind for result in everything if result.in_plan}
    judged = {planned[phase.phase] for phase in phases if phase.coverage > 0}
    left_out = [name for name in policy.weights if name not in planned.values() and name not in planned]
    left_out += [each.phase for each in everything if not each.in_plan and each.phase not in left_out]
    weight = math.fsum(phase.weight for phase in phases)
    missing = math.fsum(policy.weights.get(name, UNNAMED_WEIGHT) for name in left_out)
    required_missing = tuple(name for name in policy.required if name not in judged)
    return Scope(weight, weight + missing, tuple(planned), tuple(left_out), required_missing)


def _band(bounds: Bounds, scope: Scope, *, quick: bool) -> Band:
    if bounds.score is None:
        return Band.NOT_MEASURED
    band = next(name for floor, name in BANDS if bounds.lower_bound >= floor)
    if band is Band.PRODUCTION_READY and (scope.required_missing or quick):
        return Band.READY_IN_SCOPE
    return band


def without(results: Iterable[PhaseResult], mended: Iterable[Finding]) -> tuple[PhaseResult, ...]:
    """The results as they would be with these findings mended: passed, at their limit's target."""
    names = {id(finding) for finding in mended}
    return tuple(
        replace(
            result, findings=tuple(_mend(each) if id(each) in names else each for each in result.findings)
        )
        for result in results
    )


def _mend(finding: Finding) -> Finding:
    return replace(finding, outcome=Outcome.PASSED, measured=None)
