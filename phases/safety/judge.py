"""The verdict of the phase: what each part says, and who of ours is still there."""

from __future__ import annotations

from collections.abc import Iterator

from campaign import checks
from campaign.records import Evidence, Finding, Severity
from phases.safety.collect import CAST
from phases.safety.parts import asked
from phases.safety.rules import sentence, table
from phases.safety.scene import Part, facts_of, trouble_of
from phases.safety.settings import SafetySettings


def judge_safety(evidence: Evidence, settings: SafetySettings) -> Iterator[Finding]:
    """The findings of all parts, also of those that were never reached or that the file maps nothing to, and
    what may be said of each book of rules.
    """
    found = tuple(_findings(evidence, settings))
    yield from found
    rows = table(found)
    for book in dict.fromkeys(row.rule.book for row in rows):
        yield checks.informational(f"rules.{_slug(book)}", sentence(rows, book))


def _findings(evidence: Evidence, settings: SafetySettings) -> Iterator[Finding]:
    for part in asked(settings):
        yield from _unfinished(part, evidence, settings)
        yield from part.judge(evidence, settings)
    yield from _made(evidence)
    yield from _removed(evidence)


def _unfinished(part: Part, evidence: Evidence, settings: SafetySettings) -> Iterator[Finding]:
    """What a part that broke off would have said must not be outvoted by those that did not."""
    why = trouble_of(evidence, part.name)
    if why and part.wanted(settings):
        yield checks.inconclusive(
            f"{part.name}.done",
            f"{part.name} could not be done: {why}",
            severity=Severity.BLOCKER,
            remedy=f"Mend that, or leave the part out: `safety: {{skip: [{part.name}]}}`.",
        )


def _made(evidence: Evidence) -> Iterator[Finding]:
    """Principals that could not be made: whatever they would have been asked is not tested."""
    for name, why in facts_of(evidence, CAST).get("troubles", {}).items():
        yield checks.inconclusive(
            f"cast.{_slug(name)}.made",
            f"{name} could not be made, so nothing was tested with it: {why}",
            severity=Severity.BLOCKER,
            remedy="See `roles` in the campaign file, and whether the target lets such an account be made.",
        )


def _removed(evidence: Evidence) -> Iterator[Finding]:
    """Whether everybody that we made is gone."""
    fact = facts_of(evidence, CAST)
    if "left" not in fact:
        return
    left = fact["left"]
    message = f"all {fact['made']} principals of ours were removed again, as far as the file says how"
    if left:
        first = next(iter(left.items()))
        message = f"{len(left)} of {fact['made']} principals of ours were not removed: {first[0]}: {first[1]}"
    yield checks.holds(
        "cast.removed",
        not left,
        message=message,
        severity=Severity.IMPORTANT,
        remedy="Delete them by hand, or mend `stop` and `undo` in the campaign file.",
    )


def _slug(name: str) -> str:
    return name.replace(" ", "_").lower()
