"""Which checks the settings ask for."""

from __future__ import annotations

from collections.abc import Iterator

from campaign.records import Severity
from phases.safety.parties.settings import PartiesSettings
from phases.safety.probe import Planned

DECLARED, DISCLOSURE, USABLE, ALLOWED = CALLS = (
    "parties.declared", "parties.disclosure", "parties.usable", "parties.allowed",
)  # fmt: skip
OPEN, PHRASES, NAMED = NOTICE = ("parties.notice.open", "parties.notice.phrases", "parties.notice.parties")

NO_RECORDER = "the campaign file names no port where outgoing calls are recorded (parties.listen)"
NO_CONSENT = "the campaign file does not say how disclosure is allowed (parties.consent)"
NO_NOTICE = "the campaign file does not say where the notice is (parties.notice)"
NO_PHRASES = "the campaign file does not say what the notice must hold (parties.notice.phrases)"
NO_PARTIES = "the campaign file declares no third parties (parties.declared)"


def planned(settings: PartiesSettings) -> Iterator[Planned]:
    """Each probe, and why it would not be tested."""
    why = "" if settings.listen else NO_RECORDER
    yield Planned(DECLARED, Severity.CRITICAL, why)
    yield Planned(DISCLOSURE, Severity.BLOCKER, why)
    yield Planned(USABLE, Severity.CRITICAL, why)
    yield Planned(ALLOWED, Severity.IMPORTANT, why or ("" if settings.consent else NO_CONSENT))
    none = "" if settings.notice else NO_NOTICE
    yield Planned(OPEN, Severity.CRITICAL, none)
    phrases = settings.notice.phrases if settings.notice else ()
    yield Planned(PHRASES, Severity.IMPORTANT, none or ("" if phrases else NO_PHRASES))
    yield Planned(NAMED, Severity.IMPORTANT, none or ("" if settings.declared else NO_PARTIES))
