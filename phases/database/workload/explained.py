"""How the server answers the slowest statement that reads, as evidence."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from campaign.database.failure import failure_of
from campaign.database.plans import explain, missing_index
from campaign.database.server import Server
from campaign.database.sql import parameters
from campaign.load.luck import Luck
from campaign.target.scope import Scope
from phases.database.blocking import blocking
from phases.database.pattern import Pattern, Statement
from phases.database.running.drawing import drawing
from phases.database.scene import Scene


async def plan_of_slowest(
    scene: Scene, server: Server, patterns: Iterable[Pattern], facts: Mapping[str, Any]
) -> dict[str, Any] | None:
    """Its plan as plain data with the `pattern` it is of, or why there is none; None where nothing was
    read.
    """
    means = {row["name"]: row["response"]["mean"] for row in facts["patterns"]}
    reading = [each for each in patterns if not each.writes and means.get(each.name)]
    if not reading:
        return None
    slowest = max(reading, key=lambda each: means[each.name])
    (statement, *_) = slowest.statements
    try:
        params = _drawn(statement, server, scene.context.seed)
        plan = await blocking(scene, explain, server, statement.sql, params)
    except Exception as error:  # noqa: BLE001 - the figures are worth having all the same
        return {"pattern": slowest.name, "why": str(failure_of(error))}
    missing = missing_index(plan)
    return {"pattern": slowest.name, **plan.as_data(), "missing": str(missing) if missing else ""}


def _drawn(statement: Statement, server: Server, seed: int) -> dict[str, Any]:
    names = parameters(statement.sql, server.kind)
    values = drawing(names, statement.params)(Luck(seed, 1), Scope(1, seed=seed))
    return dict(zip(names, values, strict=True))
