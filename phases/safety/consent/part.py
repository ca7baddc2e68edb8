"""The part `consent` as the phase sees it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from campaign.records import Evidence, Finding
from phases.safety.consent.judge import findings

if TYPE_CHECKING:
    from phases.safety.scene import Scene
    from phases.safety.settings import SafetySettings

OWN_SECONDS, PROBE_SECONDS, RUN_SECONDS = 2.0, 0.08, 0.25


class ConsentPart:
    """No consent, no collection."""

    name = "consent"
    needs = ""

    def wanted(self, settings: SafetySettings) -> bool:
        """Where the file says what collects."""
        return bool(settings.consent.collect)

    def seconds(self, settings: SafetySettings) -> float:
        """A little for each probe and each race."""
        consent = settings.consent
        runs = consent.race.runs if consent.race else 0
        hold = consent.load.hold if consent.load else 0.0
        probes = (1 + len(consent.states)) * len(consent.collect)
        wait = max((each.after for each in consent.states.values()), default=0.0)
        return OWN_SECONDS + PROBE_SECONDS * probes + wait + RUN_SECONDS * runs + hold

    async def collect(self, scene: Scene) -> None:
        """Try to collect in every state."""
        from phases.safety.consent.collect import collect_consent  # noqa: PLC0415 - only when it runs

        await collect_consent(scene)

    def judge(self, evidence: Evidence, settings: SafetySettings) -> Iterator[Finding]:
        """A finding per state and operation."""
        return findings(evidence, settings.consent)
