"""The part's evidence: one trial after the other, each recorded before the next begins."""

from __future__ import annotations

import asyncio
from typing import Any

from sqlalchemy import BigInteger, Column, Integer, Table, insert, text

from campaign.database.address import Kind
from campaign.database.server import Server
from campaign.database.territory import Territory
from phases.database.recovery.disturbances import TITLES, planned
from phases.database.recovery.figures import measurements, plain
from phases.database.recovery.settings import RecoverySettings
from phases.database.recovery.trial import run_trial
from phases.database.scene import Scene

NO_SERVER = "SQLite is a file in the service's own process: there is no server to lose"
WENT_AWAY = "the database did not come back from an earlier disturbance"
INTERRUPTED = "the campaign was interrupted before it"


async def disturb_all(scene: Scene) -> None:
    """Run every trial that the settings ask for, until one leaves no database behind."""
    server, territory, settings = scene.server, scene.territory, scene.settings.recovery
    if server is None or territory is None:
        return
    facts = _begin(scene, settings)
    if server.kind is Kind.SQLITE:
        facts["why_not"] = NO_SERVER
        _record(scene, facts)
        return
    table = await asyncio.to_thread(_make_table, server, territory)
    names = planned(settings)
    for number, name in enumerate(names):
        if scene.stopping:
            facts["rest"] = INTERRUPTED
            break
        _tell(scene, name, share=number / len(names))
        story = await run_trial(scene, server, table, name=name, number=number)
        figures = plain(story, settings)
        facts["disturbances"].append(figures)
        _record(scene, facts)
        for each in measurements(figures):
            scene.context.record.measurement(each)
        if not story.came_back:
            facts["rest"] = WENT_AWAY
            break
    if len(facts["disturbances"]) == len(names):
        facts["rest"] = ""
    _record(scene, facts)


def _begin(scene: Scene, settings: RecoverySettings) -> dict[str, Any]:
    facts = {
        "why_not": "",
        "rest": "it was never reached",
        "rate": settings.rate,
        "connections": settings.connections,
        "pre_ping": settings.pre_ping,
        "write_timeout": settings.write_timeout,
        "retries": settings.retries,
        "disturbances": [],
    }
    scene.context.record.fact("recovery", facts)
    return facts


def _record(scene: Scene, facts: dict[str, Any]) -> None:
    scene.context.record.fact("recovery", facts)


def _tell(scene: Scene, name: str, *, share: float) -> None:
    """Say what comes, before it comes; a command is named in the report as well."""
    settings = scene.settings.recovery
    frozen = settings.freeze
    commands: dict[str, list[str | None]] = {
        "restart": [settings.restart],
        "freeze": [frozen.begin, frozen.end] if frozen else [],
        "stop_start": [settings.stop, settings.start],
    }
    what = "; ".join(str(each) for each in commands.get(name, []))
    scene.tell(f"recovery: {TITLES[name]}{f' ({what})' if what else ''}", share)
    if what:
        scene.context.record.note(f"Recovery, {TITLES[name]}: the campaign file's commands were run: {what}")


def _make_table(server: Server, territory: Territory) -> Table:
    """The table of our rows, safely on disk like a table that has been there for long."""
    table = territory.table(
        "recovery",
        Column("trial", Integer, primary_key=True, autoincrement=False),
        Column("id", BigInteger, primary_key=True, autoincrement=False),
    )
    territory.create(table)
    with server.writing() as connection:
        if server.kind is Kind.POSTGRESQL:
            connection.execute(text("SET LOCAL synchronous_commit = on"))
        connection.execute(insert(table), {"trial": -1, "id": 0})
    return table
