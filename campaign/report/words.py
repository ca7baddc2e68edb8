"""How a result is said: the same words, numbers and shapes in every form of the report."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Iterable

from campaign.gate import Broken, unrestored
from campaign.records import (
    CampaignResult,
    Direction,
    Finding,
    Improvement,
    Limit,
    Measurement,
    Outcome,
    PhaseResult,
    Score,
    Severity,
    Status,
)
from campaign.scoring import CEILINGS
from campaign.units import format_points, format_quantity

SHAPES = {
    Outcome.PASSED: "✓",
    Outcome.WARNED: "!",
    Outcome.FAILED: "✗",
    Outcome.INCONCLUSIVE: "?",
    Outcome.NOT_APPLICABLE: "-",
    Outcome.INFORMATIONAL: "i",
}
"""Every outcome has a shape of its own, so that colour never carries it alone."""

URGENCY = (
    Outcome.FAILED,
    Outcome.INCONCLUSIVE,
    Outcome.WARNED,
    Outcome.PASSED,
    Outcome.INFORMATIONAL,
    Outcome.NOT_APPLICABLE,
)

COUNTED = (Outcome.PASSED, Outcome.WARNED, Outcome.FAILED, Outcome.INCONCLUSIVE)


def points(value: float | None) -> str:
    """A score to one decimal, rounded down; a dash where there is none."""
    return "-" if value is None or not math.isfinite(value) else format_points(value)


def percent(share: float) -> str:
    """A share as whole percent, rounded down: 100 % means all of it."""
    return f"{math.floor(share * 100 + 1e-9)} %"


NOT_RESTORED = "The target is not restored"

NOT_RESTORED_ADVICE = (
    "We broke this on purpose and could not put it back, or not see that it is. Put it back by hand, or try "
    "again with `campaign heal`; no campaign will begin here until it is whole."
)
"""What is said, louder than anything else, of a target that was left broken."""


def left_broken(result: CampaignResult) -> tuple[Broken, ...]:
    """What the campaign broke and could not put back."""
    return unrestored(result.results)


def counts(findings: Iterable[Finding]) -> dict[Outcome, int]:
    """How many findings came to each outcome, all outcomes in order of urgency."""
    seen = Counter(each.outcome for each in findings)
    return {outcome: seen[outcome] for outcome in URGENCY}


def all_findings(result: CampaignResult) -> tuple[Finding, ...]:
    """The findings of every phase, in the order of the run."""
    return tuple(each for phase in result.results for each in phase.findings)


def tag(finding: Finding) -> str:
    """What to call a finding in a list: its severity where it failed, else its outcome."""
    return finding.severity.value if finding.outcome is Outcome.FAILED else finding.outcome.value


def gain(improvement: Improvement) -> str:
    """What mending it brings: `59 → 86`, or `stays 59` where something else holds the score down."""
    before, after = points(improvement.before), points(improvement.after)
    return f"{before} → {after}" if before != after else f"stays {before}"


def together(improvement: Improvement, result: CampaignResult) -> int:
    """How many failed findings the points of this one stand for: those of a capping severity go together."""
    mended = improvement.finding
    if mended.outcome is not Outcome.FAILED or mended.severity not in CEILINGS:
        return 1
    listed_too = (each.finding for each in result.improvements)
    return sum(each.outcome is Outcome.FAILED and each.severity is mended.severity for each in listed_too)


def alike(improvements: Iterable[Improvement]) -> list[tuple[Improvement, ...]]:
    """What one remedy mends, as one: checks of a phase that are alike and have no figure of their own."""
    groups: dict[tuple[object, ...], list[Improvement]] = {}
    for each in improvements:
        finding = each.finding
        key = (each.phase, finding.remedy, finding.outcome, finding.severity, each.after)
        own = finding.measured is not None or not finding.remedy
        groups.setdefault((each.phase, finding.check) if own else key, []).append(each)
    return [tuple(group) for group in groups.values()]


def and_more(group: Collection[Improvement]) -> str:
    """` (and 2 more of the same)` behind the first of what `alike` put together; nothing for one alone."""
    return f" (and {len(group) - 1} more of the same)" if len(group) > 1 else ""


def cap_sentence(score: Score) -> str:
    """`capped at 59 by 2 blockers, 86 without`, or nothing."""
    if not score.caps or score.uncapped.score is None:
        return ""
    lowest = min(score.caps, key=lambda each: each.ceiling)
    return (
        f"capped at {points(lowest.ceiling)} by {plural(lowest.count, _noun(lowest.severity))}, "
        f"{points(score.uncapped.score)} without"
    )


def _noun(severity: Severity) -> str:
    return "blocker" if severity is Severity.BLOCKER else f"{severity.value} finding"


def plural(count: int, noun: str) -> str:
    """`1 blocker`, `2 blockers`."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def scope_sentence(score: Score) -> str:
    """How much of the whole the plan covers, and what it leaves out."""
    scope = score.scope
    said = f"{scope.weight:g} of {scope.total:g} weight in scope"
    return f"{said}; {listed(scope.not_assessed)} not assessed" if scope.not_assessed else said


def listed(names: Iterable[str]) -> str:
    """`load, stress and safety`."""
    *head, last = names
    return f"{', '.join(head)} and {last}" if head else last


def interval(measured: Measurement) -> str:
    """The 95 % limits as `251 to 270 ms`; nothing where there are none or they are the value itself."""
    if measured.low is None or measured.high is None or measured.low == measured.high:
        return ""
    low, high = (format_quantity(each, measured.unit) for each in (measured.low, measured.high))
    one, other = (each.partition(" ")[2].removesuffix("s") for each in (low, high))  # 0.9 to 1 statement
    same_unit = one == other and " " in low
    return f"{low.partition(' ')[0] if same_unit else low} to {high}"


def wanted(limit: Limit) -> tuple[str, str]:
    """The limit as `≤ 200 ms`, and the acceptable end, empty where there is a single limit."""
    sign = "≤" if limit.direction is Direction.AT_MOST else "≥"
    target, acceptable = (format_quantity(each, limit.unit) for each in (limit.target, limit.acceptable))
    return f"{sign} {target}", "" if limit.target == limit.acceptable else acceptable


def phase_tag(phase: PhaseResult) -> str:
    """What a phase came to in a few words: `all passed`, `1 blocker · 4 inconclusive`, `skipped`."""
    if phase.status is Status.COMPLETED:
        return came_to(phase.findings)
    return " · ".join([*_shortcomings(phase.findings), phase.status.value])


def came_to(findings: Iterable[Finding]) -> str:
    """What these findings came to: `all passed`, `1 blocker · 4 inconclusive`, `nothing judged`."""
    listed_all = tuple(findings)
    passed = any(each.outcome is Outcome.PASSED for each in listed_all)
    return " · ".join(_shortcomings(listed_all)) or ("all passed" if passed else "nothing judged")


def _shortcomings(findings: Iterable[Finding]) -> list[str]:
    """Everything that is not a pass, counted: failures by severity first."""
    listed_all = tuple(findings)
    failed = Counter(each.severity for each in listed_all if each.outcome is Outcome.FAILED)
    said = [plural(failed[each], each.value) if each is Severity.BLOCKER else f"{failed[each]} {each.value}"
            for each in Severity if failed[each]]  # fmt: skip
    seen = counts(listed_all)
    return said + [
        f"{seen[each]} {each.value}" for each in (Outcome.WARNED, Outcome.INCONCLUSIVE) if seen[each]
    ]


def worst(phase: PhaseResult) -> Outcome:
    """The outcome that stands for a phase: its most urgent one, inconclusive where it ended early."""
    seen = counts(phase.findings)
    first = next((each for each in URGENCY if seen[each]), Outcome.INCONCLUSIVE)
    ended_early = phase.status is not Status.COMPLETED and first is not Outcome.FAILED
    return Outcome.INCONCLUSIVE if ended_early or first not in COUNTED else first


def verdict(result: CampaignResult) -> Outcome:
    """The shape and colour of the answer."""
    if result.gate.passed:
        return Outcome.PASSED
    return Outcome.FAILED if result.gate.exit_code in (1, 4) else Outcome.INCONCLUSIVE


def duration(seconds: float) -> str:
    """`41s`, `4m12s`, `23h05m`."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m{whole % 60:02}s"
    return f"{whole // 3600}h{whole % 3600 // 60:02}m"
