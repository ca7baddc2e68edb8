"""Every recording is gone, and its words are where the file says."""

from __future__ import annotations

from collections.abc import Iterator

from campaign.records import Evidence, Finding
from phases.safety.audio.collect import PART
from phases.safety.audio.plan import planned
from phases.safety.audio.settings import AudioSettings
from phases.safety.probe import findings_of, read_probes
from phases.safety.scene import trouble_of


def findings(evidence: Evidence, settings: AudioSettings) -> Iterator[Finding]:
    """One finding per planned probe."""
    return findings_of(read_probes(evidence, PART), planned(settings), trouble=trouble_of(evidence, PART))
