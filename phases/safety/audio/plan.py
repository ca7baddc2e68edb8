"""Which probes the settings ask for."""

from __future__ import annotations

from collections.abc import Iterator

from campaign.records import Severity
from phases.safety.audio.settings import AudioSettings
from phases.safety.probe import Planned

DELETED, CUT, LEFT, TRANSCRIPT = CHECKS = (
    "audio.deleted", "audio.deleted_after_cut", "audio.deleted_after_hang_up", "audio.transcript",
)  # fmt: skip
"""After an answer; after a client that hung up in the middle of its upload, and before the answer; and the
words.
"""

NOT_MAPPED = "the campaign file names no operation that uploads a recording (audio.upload)"
NO_TRANSCRIPT = "the campaign file does not say where the words are in the answer (audio.transcript)"


def planned(settings: AudioSettings) -> Iterator[Planned]:
    """Each probe, and why it would not be tested."""
    why = "" if settings.upload else NOT_MAPPED
    for check in (DELETED, CUT, LEFT):
        yield Planned(check, Severity.BLOCKER, why)
    yield Planned(TRANSCRIPT, Severity.CRITICAL, why or ("" if settings.transcript else NO_TRANSCRIPT))
