"""summary.md: the verdict as a comment on a merge request."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from html import escape
from pathlib import Path

from campaign.records import CampaignResult, Improvement, Outcome, PhaseResult
from campaign.report import words
from campaign.report.atomic import write_text
from campaign.report.document import requests
from campaign.report.text import sentence, visible

SPECIAL = re.compile(r"([\\`*_{}\[\]()#+!|~$-])")
LINKING = re.compile(r"(@|://|www\.)", re.IGNORECASE)
"""What GitHub and GitLab turn into a mention or a link by themselves."""

LISTED = 10
"""Findings in the comment; the page has all."""


def write(result: CampaignResult, path: Path) -> None:
    """Write the file. Raises ReportError."""
    write_text(path, render(result))


def render(result: CampaignResult) -> str:
    """The Markdown text; everything that was measured or named elsewhere is escaped."""
    return "\n".join([*_left_broken(result), *_verdict(result), *_improvements(result), *_phases(result), ""])


def _left_broken(result: CampaignResult) -> Iterator[str]:
    broken = words.left_broken(result)
    if not broken:
        return
    yield f"# {words.SHAPES[Outcome.FAILED]} {words.NOT_RESTORED.upper()}"
    yield ""
    yield words.NOT_RESTORED_ADVICE
    yield ""
    for each in broken:
        yield f"- **{_safe(each.what)}**: {_safe(each.why)}"
        yield ""
        yield from _code(each.by_hand)
        yield ""


def _code(lines: Iterable[str]) -> Iterator[str]:
    """Commands as they are typed, indented so that nothing in them ends the block."""
    yield from (f"      {visible(line)}" for line in lines)


def _verdict(result: CampaignResult) -> Iterator[str]:
    score, gate = result.score, result.gate
    bounds = score.bounds
    yield f"## {words.SHAPES[words.verdict(result)]} {_safe(result.run.name)}: {_safe(gate.headline)}"
    yield ""
    if bounds.score is not None:
        yield (
            f"**{words.points(bounds.score)} of 100**, lower bound {words.points(bounds.lower_bound)} "
            f"(gate {words.points(gate.mark)}), {words.percent(score.coverage)} of the planned weight "
            f"judged, {_sent(result)}exit code {gate.exit_code}."
        )
        yield ""
    yield from (f"- {_safe(sentence(reason))}" for reason in gate.reasons)
    caps = words.cap_sentence(score)
    yield from (f"- {_safe(sentence(each))}" for each in (caps, words.scope_sentence(score)) if each)
    yield ""


def _sent(result: CampaignResult) -> str:
    """`144,034 load requests, `; nothing where no load was put on the target."""
    count = requests(result.results)
    return f"{words.plural(count, 'load request')}, " if count else ""


def _improvements(result: CampaignResult) -> Iterator[str]:
    if not result.improvements:
        return
    yield "### Fix these first"
    yield ""
    yield "| | what was seen | phase | lower bound |"
    yield "|---|---|---|---:|"
    groups = words.alike(result.improvements)
    yield from (_improvement(each) for each in groups[:LISTED])
    if len(groups) > LISTED:
        yield ""
        yield f"{len(groups) - LISTED} more in the report."
    yield ""


def _improvement(group: tuple[Improvement, ...]) -> str:
    each = group[0]
    finding = each.finding
    shape = f"{words.SHAPES[finding.outcome]} {_safe(words.tag(finding))}"
    remedy = f"<br>→ {_safe(finding.remedy)}" if finding.remedy else ""
    said = _safe(sentence(finding.message)) + words.and_more(group)
    return f"| {shape} | {said}{remedy} | {_safe(each.phase)} | {words.gain(each)} |"


def _phases(result: CampaignResult) -> Iterator[str]:
    yield "### Phases"
    yield ""
    yield "| phase | score | came to |"
    yield "|---|---:|---|"
    scores = {each.phase: each.score for each in result.score.phases}
    yield from (_phase(each, scores.get(each.phase)) for each in result.results)


def _phase(phase: PhaseResult, score: float | None) -> str:
    why = f": {_safe(phase.reason.text)}" if phase.reason else ""
    shape = words.SHAPES[words.worst(phase)]
    return f"| {_safe(phase.phase)} | {words.points(score)} | {shape} {_safe(words.phase_tag(phase))}{why} |"


def _safe(text: str) -> str:
    """Text that Markdown shows as it is: no markup, no mention, no link, no cell border."""
    inert = SPECIAL.sub(r"\\\1", escape(visible(text), quote=False))
    return LINKING.sub(
        lambda match: f"{match[1][:-1]}<!-- -->{match[1][-1]}" if match[1] != "@" else "@<!-- -->", inert
    )
