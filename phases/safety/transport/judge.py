"""A finding per probe, and what lies in clear text as a fact worth reading."""

from __future__ import annotations

from collections.abc import Iterator

from campaign import checks
from campaign.records import Evidence, Finding
from phases.safety.probe import findings_of, read_probes
from phases.safety.scene import facts_of, trouble_of
from phases.safety.transport.plan import PART, planned
from phases.safety.transport.settings import TransportSettings


def findings(evidence: Evidence, settings: TransportSettings) -> Iterator[Finding]:
    """One finding per kind of probe."""
    trouble = trouble_of(evidence, PART)
    yield from findings_of(read_probes(evidence, PART), planned(settings), trouble=trouble)
    if said := facts_of(evidence, PART).get("stored", ""):
        yield checks.informational("transport.stored", said)
