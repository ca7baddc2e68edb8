"""The answer, may we release?, and what to mend first; pure functions over results and their score.

The gate passes when the lower bound reaches the pass mark, no blocker or critical finding failed, and no
blocker is inconclusive, and every phase that began came to its end: one that crashed or hung may have missed
what it was there to see. Otherwise: failed (exit 1) when a blocker or critical finding failed or even the
upper bound misses the mark; else it could not be judged (exit 3). Before all of that: a target that we broke
and could not put back (exit 4).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from campaign.records import (
    NOT_RESTORED,
    Band,
    Finding,
    Gate,
    Improvement,
    Outcome,
    PhaseResult,
    ReasonKind,
    Score,
    Severity,
    Status,
    StopReason,
)
from campaign.scoring import Policy, score_campaign, without
from campaign.units import format_points

GATING = (Severity.BLOCKER, Severity.CRITICAL)

PASSED, FAILED, NOT_JUDGED, LEFT_BROKEN, INTERRUPTED = 0, 1, 3, 4, 130

HEADLINES = {LEFT_BROKEN: "target not restored", INTERRUPTED: "interrupted"}
"""What is said of a campaign that ended so, whatever it scored."""


STOPPED = {
    StopReason.STOPPED_AT_VIOLATION: "the first violation",
    StopReason.STOPPED_AT_ALERT: "an alert",
}
"""What the user asked to end the campaign at."""


def judge_gate(results: Iterable[PhaseResult], score: Score, *, policy: Policy, stop: StopReason) -> Gate:
    """Whether the target may be released, the exit code, and why, in sentences."""
    findings = [finding for result in results if result.in_plan for finding in result.findings]
    failures = _failures(findings, score, policy)
    doubts = _doubts(findings, results, score=score, policy=policy)
    if stop in STOPPED:
        failures.append(f"the campaign was stopped at {STOPPED[stop]}, before its end")
    passed = not failures and not doubts
    code = PASSED if passed else FAILED if failures else NOT_JUDGED
    if stop is StopReason.INTERRUPTED:
        code, passed = INTERRUPTED, False
        doubts = ["the campaign was interrupted before its end", *doubts]
    broken = unrestored(results)
    if broken:
        code, passed = LEFT_BROKEN, False
        failures = [_left_broken(broken), *failures]
    reasons = tuple(failures + doubts) or (_ready(score, policy),)
    return Gate(passed, code, policy.pass_mark, _headline(code, score, policy), reasons)


@dataclass(frozen=True, slots=True)
class Broken:
    """What a phase broke and could not put back: what was done to it, why it is not back, what to type."""

    phase: str
    what: str
    why: str
    by_hand: tuple[str, ...]


def unrestored(results: Iterable[PhaseResult]) -> tuple[Broken, ...]:
    """Everything that this campaign broke and left so."""
    return tuple(
        Broken(
            result.phase,
            str(each.get("what", "")),
            str(each.get("why", "")),
            tuple(map(str, each.get("by_hand", ()))),
        )
        for result in results
        for each in result.evidence.facts.get(NOT_RESTORED, ())
    )


def _left_broken(broken: tuple[Broken, ...]) -> str:
    things = "1 thing" if len(broken) == 1 else f"{len(broken)} things"
    return f"the target is not restored: {things} that we broke could not be put back: {broken[0].what}"


def _failures(findings: list[Finding], score: Score, policy: Policy) -> list[str]:
    sentences = []
    for severity in GATING:
        failed = [each for each in findings if each.severity is severity and each.outcome is Outcome.FAILED]
        if failed:
            sentences.append(_count(failed, f"{severity.value} finding", "failed"))
    if score.bounds.score is not None and score.bounds.upper_bound < policy.pass_mark and not sentences:
        upper = format_points(score.bounds.upper_bound)
        sentences.append(f"even the upper bound {upper} is under the pass mark {policy.pass_mark:g}")
    return sentences


def _doubts(
    findings: list[Finding], results: Iterable[PhaseResult], *, score: Score, policy: Policy
) -> list[str]:
    sentences = [text for each in results if (text := _broken_off(each))]
    if score.bounds.score is None:
        return sentences[:1] or ["nothing could be judged"]
    undecided = [
        each for each in findings
        if each.severity is Severity.BLOCKER and each.outcome is Outcome.INCONCLUSIVE
    ]  # fmt: skip
    if undecided:
        sentences.append(_count(undecided, "blocker", "could not be judged"))
    if score.bounds.lower_bound < policy.pass_mark:
        lower = format_points(score.bounds.lower_bound)
        sentences.append(f"the lower bound {lower} is under the pass mark {policy.pass_mark:g}")
    return sentences


def _broken_off(result: PhaseResult) -> str:
    """Why this phase proves nothing although what it recorded may look well, or ""."""
    if result.reason is None:
        return ""
    if result.status is Status.SKIPPED and result.reason.kind is ReasonKind.TARGET_UNREACHABLE:
        return result.reason.text
    return f"{result.phase}: {result.reason.text}" if result.status is Status.ERROR else ""


def _count(findings: list[Finding], noun: str, verb: str) -> str:
    plural = "" if len(findings) == 1 else "s"
    return f"{len(findings)} {noun}{plural} {verb}: {findings[0].message}"


def _ready(score: Score, policy: Policy) -> str:
    lower = format_points(score.bounds.lower_bound)
    return f"the lower bound {lower} reaches the pass mark {policy.pass_mark:g}"


def _headline(code: int, score: Score, policy: Policy) -> str:
    if code in HEADLINES:
        return HEADLINES[code]
    if score.band is Band.NOT_MEASURED:
        return "not measured"
    if code == NOT_JUDGED:
        return "not proven"
    if code == FAILED:
        return "not ready"
    if score.scope.required_missing or policy.quick:
        return "ready in scope"
    return str(score.band.value)


def improvements(results: Iterable[PhaseResult], score: Score, *, policy: Policy) -> tuple[Improvement, ...]:
    """Every finding that is not a pass with the lower bound that mending it, and what caps the score with
    it, would give.

    Findings of a capping severity are mended together, as one alone would change nothing.
    """
    everything = tuple(results)
    listed = [
        _improvement(result, finding, everything, score=score, policy=policy)
        for result in everything
        if result.in_plan
        for finding in result.findings
        if finding.outcome in (Outcome.FAILED, Outcome.WARNED, Outcome.INCONCLUSIVE)
        and not _never_reached(result, finding)
    ]
    return tuple(sorted(listed, key=_urgency))


def _never_reached(result: PhaseResult, finding: Finding) -> bool:
    """A check that its phase did not come to: the phase's own reason says it once, for all of them."""
    undecided = finding.outcome is Outcome.INCONCLUSIVE and finding.measured is None
    return undecided and result.status is not Status.COMPLETED


def _improvement(
    result: PhaseResult, finding: Finding, results: tuple[PhaseResult, ...], *, score: Score, policy: Policy
) -> Improvement:
    mended = _mended_with(finding, results)
    after = score_campaign(without(results, mended), policy).bounds.lower_bound
    return Improvement(result.phase, finding, score.bounds.lower_bound, after)


def _mended_with(finding: Finding, results: tuple[PhaseResult, ...]) -> list[Finding]:
    if finding.outcome is not Outcome.FAILED or finding.severity not in GATING:
        return [finding]
    return [
        each for result in results for each in result.findings
        if each.outcome is Outcome.FAILED and each.severity is finding.severity
    ]  # fmt: skip


_OUTCOME_ORDER = {Outcome.FAILED: 0, Outcome.INCONCLUSIVE: 1, Outcome.WARNED: 2}
_SEVERITY_ORDER = {severity: index for index, severity in enumerate(Severity)}


def _urgency(improvement: Improvement) -> tuple[int, int, float]:
    finding = improvement.finding
    order = _OUTCOME_ORDER[finding.outcome], _SEVERITY_ORDER[finding.severity]
    return *order, improvement.before - improvement.after
