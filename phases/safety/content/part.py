"""The part `content` as the phase sees it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from campaign.records import Evidence, Finding

if TYPE_CHECKING:
    from phases.safety.scene import Scene
    from phases.safety.settings import SafetySettings


class ContentPart:
    """Whether the content filter is right, idle and under load."""

    name = "content"
    needs = ""

    def wanted(self, settings: SafetySettings) -> bool:
        """Where the file says how a text is checked."""
        return settings.content.asked

    def seconds(self, settings: SafetySettings) -> float:
        """As the planner says."""
        from phases.safety.content.planner import plan  # noqa: PLC0415 - it needs scipy

        return plan(settings.content).seconds if settings.content.asked else 0.0

    async def collect(self, scene: Scene) -> None:
        """Send every text, idle and under load."""
        from phases.safety.content.collect import collect_content  # noqa: PLC0415 - the load engine is heavy

        await collect_content(scene)

    def judge(self, evidence: Evidence, settings: SafetySettings) -> Iterator[Finding]:
        """One finding per planned check."""
        from phases.safety.content.judge import findings  # noqa: PLC0415 - it needs scipy

        return findings(evidence, settings.content)
