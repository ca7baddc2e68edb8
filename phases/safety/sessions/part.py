"""The part `sessions` as the phase sees it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from campaign.records import Evidence, Finding
from phases.safety.sessions.judge import findings
from phases.safety.sessions.plan import planned

if TYPE_CHECKING:
    from phases.safety.scene import Scene
    from phases.safety.settings import SafetySettings

PROBE_SECONDS, ID_SECONDS = 0.15, 0.01


class SessionsPart:
    """What is no good token is refused, and nobody makes more of itself than it is."""

    name = "sessions"
    needs = ""

    def wanted(self, settings: SafetySettings) -> bool:
        """Where the file says how anybody is signed in, or maps anything else to it."""
        return settings.sessions.mapped

    def seconds(self, settings: SafetySettings) -> float:
        """A little for each probe and id, and what is waited for."""
        sessions = settings.sessions
        waits = sum(each.expired.after for each in sessions.sign_ins.values() if each.expired)
        ids = sum(each.count * len(each.make) for each in sessions.ids.values())
        return waits + ID_SECONDS * ids + PROBE_SECONDS * len(list(planned(sessions)))

    async def collect(self, scene: Scene) -> None:
        """Ask every probe."""
        from phases.safety.sessions.collect import collect_sessions  # noqa: PLC0415 - only when it runs

        await collect_sessions(scene)

    def judge(self, evidence: Evidence, settings: SafetySettings) -> Iterator[Finding]:
        """A finding per probe."""
        return findings(evidence, settings.sessions)
