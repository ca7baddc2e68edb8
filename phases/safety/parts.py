"""The parts of the phase, in the order in which they run: what uses principals up, or floods, comes last."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from phases.safety.audio.part import AudioPart
from phases.safety.consent.part import ConsentPart
from phases.safety.content.part import ContentPart
from phases.safety.crowd.part import CrowdPart
from phases.safety.deletion.part import DeletionPart
from phases.safety.isolation.part import IsolationPart
from phases.safety.parties.part import PartiesPart
from phases.safety.quotas.part import QuotasPart
from phases.safety.retention.part import RetentionPart
from phases.safety.scene import Part
from phases.safety.sessions.part import SessionsPart
from phases.safety.transport.part import TransportPart

if TYPE_CHECKING:
    from phases.safety.settings import SafetySettings


def all_parts() -> tuple[Part, ...]:
    """Every part there is."""
    return (
        IsolationPart(),
        SessionsPart(),
        ConsentPart(),
        TransportPart(),
        AudioPart(),
        PartiesPart(),
        RetentionPart(),
        ContentPart(),
        CrowdPart(),
        QuotasPart(),
        DeletionPart(),
    )


def asked(settings: SafetySettings) -> Iterator[Part]:
    """The parts that the campaign file does not leave out."""
    return (part for part in all_parts() if part.name not in settings.skip)
