"""One scenario on trial: its figures, why good ones may prove nothing, and findings that heed that."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from campaign import checks
from campaign.records import Finding, Limit, Measurement, Outcome, Severity
from campaign.units import format_quantity
from phases.failover.steady import FEWEST

CHECKS = {
    "effect": Severity.CRITICAL,
    "during": Severity.CRITICAL,
    "recovered": Severity.CRITICAL,
    "lost": Severity.BLOCKER,
    "phantom": Severity.CRITICAL,
    "duplicates": Severity.CRITICAL,
    "in_flight": Severity.CRITICAL,
    "sessions": Severity.CRITICAL,
    "fails_fast": Severity.CRITICAL,
    "no_storm": Severity.IMPORTANT,
    "pool": Severity.IMPORTANT,
    "consistent": Severity.CRITICAL,
    "restored": Severity.BLOCKER,
}
"""The checks of a scenario, in the order in which they are told."""

MOST_FAILED = 0.05
"""The share of failed probes beyond which what was before is nothing to compare with."""

NOT_FELT = "no client felt it: the service does without what was broken, or no probe needs it"

AGAIN = "Mend that, and run it again."


@dataclass(frozen=True, slots=True)
class Case:
    """A scenario's figures; `within` is the limit of its recovery in seconds.

    `doubt` is why a good figure proves nothing ("" where it does): what would pass is undecided then, and
    what fails stands, as it was seen.
    """

    figures: dict[str, Any]
    within: float
    doubt: str

    @property
    def title(self) -> str:
        """What the scenario is, for people."""
        return str(self.figures["title"])

    @property
    def felt(self) -> bool:
        """Whether any client felt one of its faults."""
        return any(each["felt"] for each in self.figures["episodes"])

    def check(self, name: str) -> str:
        """The full name of a check."""
        return f"{self.figures['name']}.{name}"

    def holds(self, check: str, ok: bool, message: str, *, remedy: str) -> Finding:  # noqa: FBT001 - the fact
        """A finding for a plain fact."""
        if ok and self.doubt:
            return self.undecided(check, f"{message}, but {self.doubt}")
        return self.settled(check, ok=ok, message=message, remedy=remedy)

    def settled(self, check: str, *, ok: bool, message: str, remedy: str = "") -> Finding:
        """A finding for a fact about the fault itself, of which no doubt takes anything away."""
        said = f"{self.title}: {message}"
        return checks.holds(self.check(check), ok, message=said, severity=CHECKS[check], remedy=remedy)

    def limited(
        self, check: str, measured: Measurement, limit: Limit, *, what: str, remedy: str, told: str = ""
    ) -> Finding:
        """A finding for a figure held against its limit; `what` names it, `told` follows the sentence."""
        found = checks.within(
            self.check(check), measured, limit=limit, subject=f"{self.title}: {what}",
            severity=CHECKS[check], remedy=remedy,
        )  # fmt: skip
        message = f"{found.message}{told}"
        if self.doubt and found.outcome in (Outcome.PASSED, Outcome.WARNED):
            return self.undecided(check, f"{message}, but {self.doubt}", titled=True)
        return replace(found, message=message)

    def undecided(self, check: str, why: str, *, remedy: str = AGAIN, titled: bool = False) -> Finding:
        """A finding for what could not be judged."""
        said = why if titled else f"{self.title}: {why}"
        return checks.inconclusive(self.check(check), said, severity=CHECKS[check], remedy=remedy)

    def meaningless(self, check: str, why: str) -> Finding:
        """A finding for a check that means nothing here; it leaves the plan."""
        return checks.not_applicable(self.check(check), f"{self.title}: {why}", severity=CHECKS[check])


def doubt_of(figures: dict[str, Any]) -> str:
    """Why a good figure of this scenario proves nothing; "" where it does."""
    if figures["why"]:
        return str(figures["why"])
    if unproved := unproved_of(figures):
        return unproved
    if figures["steady"]["count"] < FEWEST:
        return f"only {figures['steady']['count']} probes were sent before it, too few to compare with"
    if figures["steady"]["failed"] > MOST_FAILED:
        return (
            f"{format_quantity(figures['steady']['failed'], 'share')} of the probes failed before it already"
        )
    return ""


def unproved_of(figures: dict[str, Any]) -> str:
    """Which faults are not proved to have happened, and why; "" where all are."""
    strikes = figures["strikes"]
    missing = [each for each in strikes if not each["proved"]]
    if not strikes:
        return "nothing was broken"
    if not missing:
        return ""
    first = missing[0]
    why = first["trouble"] or first["proof"] or "nothing shows it"
    count = f"{len(missing)} of {len(strikes)} faults are" if len(strikes) > 1 else "the fault is"
    return f"{count} not proved to have happened ({first['what']}: {why})"
