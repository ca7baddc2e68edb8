"""The part `audio` as the phase sees it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from campaign.records import Evidence, Finding
from phases.safety.audio.judge import findings

if TYPE_CHECKING:
    from phases.safety.scene import Scene
    from phases.safety.settings import SafetySettings


class AudioPart:
    """A child's voice is gone when it has served."""

    name = "audio"
    needs = ""

    def wanted(self, settings: SafetySettings) -> bool:
        """Where the file names an upload."""
        return settings.audio.upload is not None

    def seconds(self, settings: SafetySettings) -> float:
        """The declared time, and a little."""
        return settings.audio.within + 1.0

    async def collect(self, scene: Scene) -> None:
        """Upload, hang up and look."""
        from phases.safety.audio.collect import collect_audio  # noqa: PLC0415 - only when it runs

        await collect_audio(scene)

    def judge(self, evidence: Evidence, settings: SafetySettings) -> Iterator[Finding]:
        """A finding per way to send one."""
        return findings(evidence, settings.audio)
