"""A probe: one question to the target, what came of it, and the exchanges that show it.

Parts record probes; findings are made of them, and of those that were planned and never asked. What the file
maps nothing to is *not tested*, and never a pass.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from campaign import checks
from campaign.records import Evidence, Finding, Severity


class Answered(StrEnum):
    """What a probe came to. NOT_TESTED: it could not be asked, or what came back settles nothing.
    NOT_APPLICABLE: it has no meaning for this target, and leaves the plan.
    """

    PASSED = "passed"
    FAILED = "failed"
    NOT_TESTED = "not_tested"
    NOT_APPLICABLE = "not_applicable"


@dataclass(frozen=True, slots=True)
class Probe:
    """One question: its check name (`isolation.profile.read.child_b1`), the answer, and the fact in words.

    `exchanges` are the ids of what was sent and answered ("E17"), the first one the most telling.
    """

    check: str
    severity: Severity
    answered: Answered
    said: str
    remedy: str = ""
    exchanges: tuple[str, ...] = ()

    def plain(self) -> dict[str, Any]:
        """The probe as JSON data."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Planned:
    """A probe that will be asked: its check, its severity, and why it would not be tested ("" if it will)."""

    check: str
    severity: Severity
    why_not: str = ""


def read_probes(evidence: Evidence, part: str) -> list[Probe]:
    """The probes that a part recorded, in their order."""
    fact = evidence.facts.get(part)
    rows = fact.get("probes", ()) if isinstance(fact, dict) else ()
    return [
        Probe(
            row["check"],
            Severity(row["severity"]),
            Answered(row["answered"]),
            row["said"],
            row.get("remedy", ""),
            tuple(row.get("exchanges", ())),
        )
        for row in rows
    ]


def findings_of(
    probes: Iterable[Probe], planned: Iterable[Planned], *, trouble: str = ""
) -> Iterator[Finding]:
    """One finding per probe that was asked, then one per planned one that was not; `trouble` says why not."""
    asked = set()
    for probe in probes:
        asked.add(probe.check)
        yield finding_of(probe)
    for each in planned:
        if each.check not in asked:
            why = each.why_not or trouble or "it was never reached"
            yield checks.inconclusive(each.check, f"not tested: {why}", severity=each.severity)


def finding_of(probe: Probe) -> Finding:
    """The finding of one probe."""
    if probe.answered is Answered.NOT_APPLICABLE:
        return checks.not_applicable(probe.check, probe.said)
    if probe.answered is Answered.NOT_TESTED:
        return checks.inconclusive(
            probe.check, f"not tested: {probe.said}", severity=probe.severity, remedy=probe.remedy
        )
    shown = f" [{', '.join(probe.exchanges)}]" if probe.exchanges else ""
    return checks.holds(
        probe.check,
        probe.answered is Answered.PASSED,
        message=f"{probe.said}{shown}",
        severity=probe.severity,
        remedy=probe.remedy,
    )
