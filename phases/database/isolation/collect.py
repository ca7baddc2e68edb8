"""Plays all ten schedules at every level, idle and under load, and records what each has shown."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import asdict
from typing import Any

from sqlalchemy import Column, Integer

from campaign.database.address import Kind
from campaign.database.server import Server
from phases.database.isolation.anomalies import Anomaly
from phases.database.isolation.background import Background
from phases.database.isolation.levels import Level, default_level, offered
from phases.database.isolation.published import covers, published_for, versions
from phases.database.isolation.schedules import SCHEDULES
from phases.database.isolation.settings import IsolationSettings
from phases.database.isolation.stage import Stage
from phases.database.isolation.verdicts import Verdict, together, verdict
from phases.database.scene import Scene

TABLE = "anomalies"
IDLE, LOADED = "idle", "under load"


async def collect_isolation(scene: Scene) -> None:
    """Record the fact `isolation`: a verdict per level, condition and anomaly."""
    assert scene.server is not None  # noqa: S101 - the part needs a territory
    assert scene.territory is not None  # noqa: S101
    server, settings = scene.server, scene.settings.isolation
    key = Column("id", Integer, primary_key=True, autoincrement=False)
    table = scene.territory.table(TABLE, key, Column("value", Integer, nullable=False))
    await asyncio.to_thread(scene.territory.create, table)
    facts = await asyncio.to_thread(_about, server, settings)
    levels = wanted(server, settings)
    for index, level in enumerate(levels):
        if scene.stopping:
            break
        scene.tell(f"isolation: {level.name}", index / len(levels))
        halted = lambda: scene.stopping  # noqa: E731 - read in another thread
        found = await asyncio.to_thread(
            play_level, server, scene.territory.full(TABLE), level, settings=settings, halted=halted
        )
        facts["levels"][level.name] = found
        scene.context.record.fact("isolation", facts)


def wanted(server: Server, settings: IsolationSettings) -> list[Level]:
    """The levels to look at: all that there are, or those that the file names."""
    return [each for each in offered(server.kind) if not settings.levels or each.name in settings.levels]


def _about(server: Server, settings: IsolationSettings) -> dict[str, Any]:
    snapshot = _snapshot_isolation(server)
    table = published_for(server.version.product, snapshot=snapshot)
    published = None if table is None else {
        "product": table.product, "versions": versions(table), "source": table.source, "tried": table.tried,
        "covers": covers(table, server.version.numbers),
        "prevented": {level: sorted(each) for level, each in table.prevented.items()},
    }  # fmt: skip
    return {
        "server": server.version.text,
        "service_level": settings.level or default_level(server),
        "level_known": bool(settings.level) or server.kind is not Kind.SQLITE,
        "snapshot_isolation": snapshot,
        "published": published,
        "levels": {},
    }


def _snapshot_isolation(server: Server) -> bool | None:
    """MariaDB's innodb_snapshot_isolation; None where there is no such setting."""
    if server.kind is not Kind.MYSQL:
        return None
    rows = server.rows("SHOW GLOBAL VARIABLES LIKE 'innodb_snapshot_isolation'")
    return (
        str(next(iter(rows[0].values()), "")) != "" and "ON" in map(str, rows[0].values()) if rows else None
    )


def play_level(
    server: Server, table: str, level: Level, *, settings: IsolationSettings, halted: Callable[[], bool]
) -> dict[str, Any]:
    """The verdicts of one level, idle and, where the settings say so, under load; and how long it took."""
    began = time.monotonic()
    found: dict[str, Any] = {IDLE: _play(server, table, level, repeats=1, halted=halted)}
    if settings.load and not halted():
        with Background(server, table, level) as background:
            found[LOADED] = _play(server, table, level, repeats=settings.repeats, halted=halted)
        found["transactions"] = background.transactions
    return {**found, "seconds": round(time.monotonic() - began, 3)}


def _play(
    server: Server, table: str, level: Level, *, repeats: int, halted: Callable[[], bool]
) -> dict[str, Any]:
    verdicts: dict[Anomaly, list[Verdict]] = {each: [] for each in Anomaly}
    with ExitStack() as stack:
        stage = stack.enter_context(closing(Stage(server, table, level)))
        for _ in range(repeats):
            for schedule in SCHEDULES:
                if not halted():
                    verdicts[schedule.anomaly].append(verdict(schedule.anomaly, stage.play(schedule)))
    return {anomaly.value: asdict(together(found)) for anomaly, found in verdicts.items()}
