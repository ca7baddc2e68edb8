"""What users made on the target (accounts, say), and whether all of it is gone again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from campaign import checks
from campaign.load.cleanup import DELETED, MADE, UNKNOWN
from campaign.load.outcome import LoadOutcome
from campaign.phase import PhaseContext
from campaign.records import Evidence, Finding, Severity
from campaign.target.spec import Vocabulary

FACT = "accounts"
CHECK = "accounts_deleted"

UNTRIED = "not tried: the run was cut before"
"""Why something is left of which no attempt to delete it is known."""

REMEDY = (
    "Delete them by hand, and see why the undo operation failed; what it needs must be saved before, or "
    "fixed in the campaign file."
)
LOOK = "Look on the target for accounts that no user of the test has deleted."


@dataclass(slots=True)
class Accounts:
    """What was made and deleted in all scenarios so far, and why deleting failed, by reason; `unknown` are
    requests that may have made more, `lost` the workers whose last second nobody knows.
    """

    made: int = 0
    deleted: int = 0
    unknown: int = 0
    lost: int = 0
    reasons: dict[str, int] = field(default_factory=dict)

    @property
    def left(self) -> int:
        """What is still there, as far as we know; also of a worker that was lost."""
        return self.made - self.deleted

    def add(self, outcome: LoadOutcome, vocabulary: Vocabulary) -> None:
        """Take in a scenario."""
        made, deleted = outcome.counts.get(MADE, 0), outcome.counts.get(DELETED, 0)
        self.made += made
        self.deleted += deleted
        self.unknown += outcome.counts.get(UNKNOWN, 0)
        self.lost += outcome.generator.workers_lost
        undo = {each.options.undo for each in vocabulary.operations.values()}
        failed = [group for group in outcome.errors if group.operation in undo]
        for group in failed:
            self._blame(f"{group.operation}: {group.detail}", group.count)
        self._blame(UNTRIED, made - deleted - sum(group.count for group in failed))

    def record(self, context: PhaseContext) -> None:
        """Keep it as a fact, if there is anything."""
        if self.made or self.unknown:
            left = {"left": self.left, "reasons": self.reasons if self.left else {}}
            seen = {"made": self.made, "deleted": self.deleted, "unknown": self.unknown}
            seen |= {"lost": self.lost} if self.lost else {}
            context.record.fact(FACT, {**seen, **left})

    def _blame(self, reason: str, count: int) -> None:
        if count > 0:
            self.reasons[reason] = self.reasons.get(reason, 0) + count


def judge_accounts(evidence: Evidence) -> Iterator[Finding]:
    """A remark that all is gone, or an important finding: what is left and why, or that nobody knows."""
    seen: Mapping[str, Any] | None = evidence.facts.get(FACT)
    if seen is None:
        return
    made, left = seen["made"], seen["left"]
    whole = f"{made:,} account{' was' if made == 1 else 's were'} made and {seen['deleted']:,} deleted"
    lost = seen.get("lost", 0)
    doubt = _doubt(seen.get("unknown", 0)) + _doubt_of_lost(lost)
    if left:
        why = "; ".join(f"{reason} ({count:,})" for reason, count in _most_frequent(seen["reasons"]))
        many = f"{'about ' if lost else ''}{left:,} {'are' if left > 1 else 'is'}"
        message = f"{whole}: {many} left on the target. {why}{doubt}"
        yield checks.holds(CHECK, ok=False, message=message, severity=Severity.IMPORTANT, remedy=REMEDY)
    elif doubt:
        yield checks.inconclusive(CHECK, whole + doubt, severity=Severity.IMPORTANT, remedy=LOOK)
    else:
        yield checks.informational(CHECK, f"{whole}: none is left")


def _doubt(unknown: int) -> str:
    if not unknown:
        return ""
    whose = "its request" if unknown == 1 else "their requests"
    return f"; up to {unknown:,} more may be left: {whose} got no answer, or one that does not tell"


def _doubt_of_lost(workers: int) -> str:
    if not workers:
        return ""
    lost = "a worker was lost" if workers == 1 else f"{workers:,} workers were lost"
    return f"; {lost}, so what was made and deleted there at last is not known"


def _most_frequent(reasons: Mapping[str, int]) -> list[tuple[str, int]]:
    return sorted(reasons.items(), key=lambda each: (-each[1], each[0]))
