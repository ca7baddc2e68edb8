"""The checks of a phase in groups that can be opened one by one, where there are too many for a flat list."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from campaign.records import Finding, Outcome
from campaign.report import words

MANY = 20
"""Checks that a flat list can have and still be read."""

OPEN = frozenset({Outcome.FAILED, Outcome.INCONCLUSIVE})


@dataclass(frozen=True, slots=True)
class Group:
    """Checks whose names begin alike, the most urgent first; no name where there is one group only."""

    name: str
    findings: tuple[Finding, ...]

    @property
    def worst(self) -> Outcome:
        """The outcome that stands for the group: its most urgent one."""
        return self.findings[0].outcome

    @property
    def is_open(self) -> bool:
        """Whether something in it needs a look."""
        return self.worst in OPEN


def grouped(findings: Sequence[Finding]) -> tuple[Group, ...]:
    """The findings by what stands before the first dot of their names, the most urgent group first.

    One group where they are few or all begin alike; none where there are no findings.
    """
    by_name: dict[str, list[Finding]] = {}
    for each in findings:
        by_name.setdefault(each.check.partition(".")[0], []).append(each)
    if len(findings) <= MANY or len(by_name) == 1:
        by_name = {"": list(findings)} if findings else {}
    groups = [Group(name, _by_urgency(each)) for name, each in by_name.items()]
    return tuple(sorted(groups, key=lambda group: words.URGENCY.index(group.worst)))


def _by_urgency(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    return tuple(sorted(findings, key=lambda each: words.URGENCY.index(each.outcome)))
