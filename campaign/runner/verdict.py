"""From results to a finished CampaignResult, at the end of a run and again from an old report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from campaign.errors import ReportError
from campaign.gate import improvements, judge_gate
from campaign.phase import Phase
from campaign.records import (
    SCHEMA_VERSION,
    CampaignResult,
    Evidence,
    PhaseResult,
    ReasonKind,
    Run,
    Status,
)
from campaign.runner.judging import judge
from campaign.scoring import Policy, score_campaign


def conclude(
    run: Run, results: tuple[PhaseResult, ...], *, monitoring: Evidence, policy: Policy
) -> CampaignResult:
    """The whole result: score, gate and what to mend first."""
    score = score_campaign(results, policy)
    gate = judge_gate(results, score, policy=policy, stop=run.stop_reason)
    better = improvements(results, score, policy=policy)
    return CampaignResult(SCHEMA_VERSION, run, results, monitoring, score, gate, better)


def rejudge(old: CampaignResult, phases: Mapping[str, Phase]) -> CampaignResult:
    """The verdict again, from the evidence and settings in a report alone. Raises ReportError.

    Judged with the rules of this release; a phase that is not installed here cannot be judged again.
    """
    policy = policy_from(old.run.configuration)
    results = tuple(_judge_again(result, old.run.configuration, phases) for result in old.results)
    return conclude(old.run, results, monitoring=old.monitoring, policy=policy)


def _judge_again(
    result: PhaseResult, configuration: Mapping[str, Any], phases: Mapping[str, Phase]
) -> PhaseResult:
    if result.reason and result.reason.kind is ReasonKind.REQUESTED:
        return result
    phase = phases.get(result.kind)
    if phase is None:
        raise ReportError(
            f"phase {result.kind!r} is not installed here, so its evidence cannot be judged again"
        )
    findings, crash = judge(phase, result.evidence, settings=_settings_of(result, configuration, phase))
    status = Status.ERROR if crash and result.reason is None else result.status
    return replace(result, findings=findings, status=status, reason=result.reason or crash)


def _settings_of(result: PhaseResult, configuration: Mapping[str, Any], phase: Phase) -> Any:
    try:
        return phase.info.settings.model_validate(configuration["phases"][result.phase]["settings"])
    except (KeyError, TypeError, ValueError) as error:
        raise ReportError(
            f"the settings of phase {result.phase!r} in this report cannot be read: {error}"
        ) from error


def policy_from(configuration: Mapping[str, Any]) -> Policy:
    """The scoring policy that a report was made with. Raises ReportError."""
    try:
        scoring = configuration["scoring"]
        return Policy(
            dict(scoring["weights"]),
            tuple(scoring["required"]),
            float(scoring["pass"]),
            quick=bool(scoring.get("quick")),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise ReportError("this report does not say how it was scored") from error
