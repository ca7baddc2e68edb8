"""Where a pool is exhausted: the same arrivals, queries that take ever longer, until checkouts time out.

That is how it happens in practice, and the number of connections asked for (rate x time) is what counts.
"""

from __future__ import annotations

from typing import Any

from phases.database.pool.advice import answers, is_sound
from phases.database.pool.bench import Shape
from phases.database.pool.driver import Load
from phases.database.pool.steps import run_step
from phases.database.scene import Scene

RATIOS = (0.8, 1.0, 1.2, 1.5, 2.0, 3.0)
QUICK_RATIOS = (2.0,)
"""Connections asked for, in sizes of the pool."""

PATIENCE = 0.2
"""Seconds that a checkout waits here; short, so that a queue that grows is seen soon."""

EXHAUSTED = 0.01
"""The share of checkouts that time out: a single one may be chance."""

SECONDS = 1.5
LONGEST_QUERY = 2.0


async def exhaust(scene: Scene, shape: Shape, *, said: bool) -> dict[str, Any]:
    """Where checkouts of this pool begin to time out; `said`: it is the service's own."""
    asked = scene.settings.pool
    found: dict[str, Any] = {"size": shape.most, "said": said, "rate": asked.rate, "patience": PATIENCE}
    quick = asked.step < 1
    tried: list[dict[str, Any]] = []
    for ratio in QUICK_RATIOS if quick else RATIOS:
        query = ratio * shape.most / asked.rate
        if query > LONGEST_QUERY or scene.stopping:
            break
        seconds = max(0.5 if quick else SECONDS, 2 * query)
        row = await run_step(scene, shape, Load(asked.rate, seconds, query, PATIENCE, scene.context.seed))
        tried.append(row)
        if _is_exhausted(row) or not is_sound(row) or not answers(row):
            break
    return {**found, **_bracket(tried, asked.rate), "leaks": [row["leak"] for row in tried if row["leak"]]}


def _bracket(tried: list[dict[str, Any]], rate: float) -> dict[str, Any]:
    """The longest queries that it bore, and the shortest at which it timed out."""
    sound = [row for row in tried if is_sound(row) and answers(row)]
    bore = [row["query"] for row in sound if not _is_exhausted(row)]
    broke = next((row for row in sound if _is_exhausted(row)), None)
    return {
        "tried": len(tried),
        "bore": bore[-1] if bore else None,
        "broke": broke and broke["query"],
        "broke_asked": broke and broke["query"] * rate,
        "timeouts": broke and broke["timeouts"],
        "offered": broke and broke["offered"],
    }


def _is_exhausted(row: dict[str, Any]) -> bool:
    return bool(row["timeouts"] > EXHAUSTED * row["offered"])
