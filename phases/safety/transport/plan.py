"""Which probes there are, how much each weighs, and why some would not be asked."""

from __future__ import annotations

from collections.abc import Iterator

from campaign.records import Severity
from phases.safety.probe import Planned
from phases.safety.transport.settings import TransportSettings

PART = "transport"

WEIGHTS = {
    "tls_versions": Severity.CRITICAL,
    "certificate": Severity.CRITICAL,
    "redirect": Severity.IMPORTANT,
    "hsts": Severity.IMPORTANT,
    "cookies": Severity.CRITICAL,
    "cors": Severity.CRITICAL,
    "errors": Severity.IMPORTANT,
    "urls": Severity.CRITICAL,
    "logs": Severity.CRITICAL,
}
"""The probes, in the order in which they are asked."""

NO_OPERATIONS = (
    "the campaign file names no operations whose answers could be looked at (transport.operations)"
)
NO_LOGS = "the campaign file names no log file of the target on this machine (transport.logs)"


def check_of(kind: str) -> str:
    """The name of a check."""
    return f"{PART}.{kind}"


def planned(settings: TransportSettings) -> Iterator[Planned]:
    """One probe of each kind."""
    for kind, severity in WEIGHTS.items():
        yield Planned(check_of(kind), severity, unmapped(settings, kind))


def unmapped(settings: TransportSettings, kind: str) -> str:
    """Why it cannot be asked; "" where it can."""
    if not settings.operations:
        return NO_OPERATIONS
    return NO_LOGS if kind == "logs" and not settings.logs else ""
