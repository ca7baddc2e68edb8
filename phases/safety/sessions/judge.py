"""A finding per probe, also for those that were never asked."""

from __future__ import annotations

from collections.abc import Iterator

from campaign.records import Evidence, Finding
from phases.safety.probe import findings_of, read_probes
from phases.safety.scene import trouble_of
from phases.safety.sessions.collect import PART
from phases.safety.sessions.plan import planned
from phases.safety.sessions.settings import SessionsSettings


def findings(evidence: Evidence, settings: SessionsSettings) -> Iterator[Finding]:
    """One finding per planned probe."""
    trouble = trouble_of(evidence, PART)
    yield from findings_of(read_probes(evidence, PART), planned(settings), trouble=trouble)
