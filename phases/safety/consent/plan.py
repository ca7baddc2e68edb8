"""Which probes the settings ask for."""

from __future__ import annotations

from collections.abc import Iterator

from campaign.records import Severity
from phases.safety.consent.settings import ConsentSettings
from phases.safety.probe import Planned

STATES = ("none", "revoked")
"""States without which consent is not tested at all."""

FURTHER = ("pending", "withdrawn", "expired", "another_child", "older_policy")
"""States that a service may not have (`lacks`), and that are not tested where the file says neither."""

NOT_MAPPED = (
    "the campaign file does not say how consent is given and what collects (consent: {role, give, collect})"
)


def planned(settings: ConsentSettings) -> Iterator[Planned]:
    """One probe per state and operation, the race, and the operations under load; of `lacks` nothing."""
    if not settings.collect:
        for state in STATES:
            yield Planned(f"consent.{state}", Severity.BLOCKER, NOT_MAPPED)
        yield Planned("consent.race", Severity.BLOCKER, NOT_MAPPED)
        return
    further = (each for each in FURTHER if each not in settings.lacks)
    for state in dict.fromkeys((*settings.states, *STATES, *further)):
        if state not in settings.states:
            why = f"the campaign file does not say how a child comes to it (consent.states.{state})"
            severity = Severity.BLOCKER if state in STATES else Severity.IMPORTANT
            yield Planned(f"consent.{state}", severity, why)
            continue
        for operation in settings.collect:
            yield Planned(f"consent.{state}.{operation}", Severity.BLOCKER)
    why = "" if settings.race and settings.revoke else "the campaign file has no consent.race and revoke"
    yield Planned("consent.race", Severity.BLOCKER, why)
    if settings.load:
        yield Planned("consent.load", Severity.IMPORTANT)
