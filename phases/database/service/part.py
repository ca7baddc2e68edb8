"""The part as the phase sees it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from campaign.records import Evidence, Finding
from phases.database.scene import Scene

if TYPE_CHECKING:
    from phases.database.settings import DatabaseSettings

A_RUN = 0.15
"""Seconds that one run of a race takes, about, with its reads."""

AN_OPERATION = 0.5
WAITING = 3.0
LEAKING = 6.0


class ServicePart:
    """What the service does with its database, seen through its API: races, leaks, statements per request."""

    name = "service"
    needs = ""

    def wanted(self, settings: DatabaseSettings) -> bool:
        """Whether the campaign file asks for it."""
        return settings.service.asked

    def seconds(self, settings: DatabaseSettings) -> float:
        """How long it takes, about."""
        asked = settings.service
        crowd, ours = asked.connections.crowd, asked.connections
        return (
            A_RUN * asked.times * len(asked.races)
            + (1.0 + AN_OPERATION * len(asked.statements) if asked.statements else 0.0)
            + (crowd.seconds if crowd else 0.0)
            + (WAITING if ours.waiting else 0.0)
            + (LEAKING if ours.leak else 0.0)
        )

    async def collect(self, scene: Scene) -> None:
        """Record what was seen."""
        from phases.database.service.collect import observe  # noqa: PLC0415 - drivers are loaded when it runs

        await observe(scene)

    def judge(self, evidence: Evidence, settings: DatabaseSettings) -> Iterator[Finding]:
        """One finding per planned check."""
        from phases.database.service.judge import judge_service  # noqa: PLC0415

        yield from judge_service(evidence, settings.service)
