"""The part as the phase sees it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from campaign.records import Evidence, Finding
from phases.database.scene import Scene

if TYPE_CHECKING:
    from phases.database.settings import DatabaseSettings

DRAIN = 0.4
"""Seconds about which a step takes besides its load: opening, the last answers, the look for leaks."""

EXHAUSTION, QUICK_EXHAUSTION = 7.0, 1.0


class PoolPart:
    """How many connections are enough: sweep, exhaustion, leak, churn, and the size we would recommend."""

    name = "pool"
    needs = "database"

    def wanted(self, settings: DatabaseSettings) -> bool:
        """Always, where there is a database."""
        del settings
        return True

    def seconds(self, settings: DatabaseSettings) -> float:
        """The steps, and what lies between them."""
        asked = settings.pool
        steps = (len(set(asked.sizes)) + 2) * (asked.step + DRAIN)
        judged = asked.judged + DRAIN if asked.size else 0.0
        return steps + judged + (QUICK_EXHAUSTION if asked.step < 1 else EXHAUSTION) + 1.0

    async def collect(self, scene: Scene) -> None:
        """Try pools of several sizes under one load and record what each did."""
        from phases.database.pool.collect import collect_pool  # noqa: PLC0415 - loads SQLAlchemy

        await collect_pool(scene)

    def judge(self, evidence: Evidence, settings: DatabaseSettings) -> Iterator[Finding]:
        """Findings on the service's size, leaks and recovery; the rest is for reading."""
        from phases.database.pool.judge import judge_pool  # noqa: PLC0415

        return judge_pool(evidence, settings.pool)
