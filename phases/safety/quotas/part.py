"""The part `quotas` as the phase sees it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from campaign.records import Evidence, Finding
from phases.safety.quotas.judge import findings
from phases.safety.quotas.settings import SlotSettings

if TYPE_CHECKING:
    from phases.safety.scene import Scene
    from phases.safety.settings import SafetySettings

CYCLE_SECONDS, ROUND_SECONDS = 0.006, 0.5


class QuotasPart:
    """Limits hold exactly."""

    name = "quotas"
    needs = ""

    def wanted(self, settings: SafetySettings) -> bool:
        """Where the file names a limit."""
        quotas = settings.quotas
        return bool(quotas.slots or quotas.rate or quotas.fairness)

    def seconds(self, settings: SafetySettings) -> float:
        """A little for each round and cycle, and what the floods take."""
        quotas = settings.quotas
        floods = sum(each.hold for each in (quotas.rate, quotas.fairness) if each)
        return floods + sum(_seconds(slot) for slot in quotas.slots.values())

    async def collect(self, scene: Scene) -> None:
        """Try every limit."""
        from phases.safety.quotas.collect import collect_quotas  # noqa: PLC0415 - only when it runs

        await collect_quotas(scene)

    def judge(self, evidence: Evidence, settings: SafetySettings) -> Iterator[Finding]:
        """A finding per limit and kind of check."""
        return findings(evidence, settings.quotas)


def _seconds(slot: SlotSettings) -> float:
    rounds = 2 * slot.rounds + slot.bursts.count + 3
    return CYCLE_SECONDS * slot.cycles + ROUND_SECONDS * rounds
