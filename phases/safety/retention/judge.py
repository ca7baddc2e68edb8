"""The findings of all probes of retention, and of those that were planned and never asked."""

from __future__ import annotations

from collections.abc import Iterator

from campaign import checks
from campaign.records import Evidence, Finding, Severity
from phases.safety.probe import Planned, findings_of, read_probes
from phases.safety.retention.collect import PART
from phases.safety.retention.expiry import TTL
from phases.safety.retention.plan import planned
from phases.safety.retention.settings import RetentionSettings
from phases.safety.scene import facts_of, trouble_of

NO_KEYS = "the campaign file does not say which keys of Redis must end (retention.expiring)"


def findings(evidence: Evidence, settings: RetentionSettings) -> Iterator[Finding]:
    """One finding per planned probe; of Redis only where the target has one."""
    wanted = list(planned(settings))
    if facts_of(evidence, PART).get("redis", True):
        wanted.append(Planned(TTL, Severity.IMPORTANT, "" if settings.expiring else NO_KEYS))
    else:
        yield checks.not_applicable(TTL, "not tested: the campaign file names no Redis (target.redis)")
    yield from findings_of(read_probes(evidence, PART), wanted, trouble=trouble_of(evidence, PART))
