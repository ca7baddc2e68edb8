"""Each state with each operation, the race, and how long consented operations take meanwhile."""

from __future__ import annotations

from collections.abc import Iterator

from campaign import checks
from campaign.records import Evidence, Finding, Limit, Severity
from phases.safety.consent.collect import PART
from phases.safety.consent.plan import planned
from phases.safety.consent.settings import ConsentSettings
from phases.safety.probe import findings_of, read_probes
from phases.safety.scene import facts_of, trouble_of


def findings(evidence: Evidence, settings: ConsentSettings) -> Iterator[Finding]:
    """One finding per planned probe."""
    asked = [each for each in planned(settings) if each.check != "consent.load"]
    yield from findings_of(read_probes(evidence, PART), asked, trouble=trouble_of(evidence, PART))
    for state in settings.lacks:
        why = f"there is no such state of consent, says the file (consent.lacks: {state})"
        yield checks.not_applicable(f"consent.{state}", why)
    if settings.load:
        yield _load(evidence, settings)


def _load(evidence: Evidence, settings: ConsentSettings) -> Finding:
    assert settings.load is not None  # noqa: S101 - whoever calls has looked
    fact = facts_of(evidence, "consent_load")
    failed = fact.get("failed", 0)
    return checks.within(
        "consent.load",
        evidence.find("consent.load"),
        limit=Limit(settings.load.p95, settings.load.p95, "s"),
        subject=f"{settings.load.operation} p95 while {fact.get('changes', 0)} consents changed",
        severity=Severity.IMPORTANT,
        doubt=f"{failed} of {fact['requests']} failed" if failed else "",
    )
