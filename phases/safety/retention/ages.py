"""How old the oldest row of each table of the policy is, and which tables of ours have no policy."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError

from campaign.database.failure import failure_of
from campaign.records import Measurement, Severity
from campaign.units import format_quantity
from phases.safety.held import Held, held
from phases.safety.probe import Answered, Probe
from phases.safety.retention.moments import column_of, seconds_of, unknown_column
from phases.safety.stores import tables_of

if TYPE_CHECKING:
    from sqlalchemy import Table

    from campaign.database.server import Server
    from phases.safety.retention.settings import RetentionClass
    from phases.safety.scene import Scene

AGE, POLICY = "retention.age", "retention.policy"
TOO_OLD = "Delete what is older than the policy says, by a job that runs by itself and is watched."
NO_CLASS = (
    "Say in retention.policy how long each of them is kept (`account`: as long as the account is there)."
)


async def aged(scene: Scene) -> list[Probe]:
    """A probe per table of the policy that has a greatest age."""
    assert scene.server is not None  # noqa: S101 - whoever calls has looked
    tables = {table.name: table for table in await asyncio.to_thread(tables_of, scene.server)}
    probes = []
    for name, each in scene.settings.retention.policy.items():
        if isinstance(each.keep, str):
            continue
        if name not in tables:
            said = f"the database has no table {name}"
            probes.append(Probe(f"{AGE}.{name}", Severity.CRITICAL, Answered.NOT_TESTED, said))
            continue
        probes.append(await _aged(scene, tables[name], each, keep=each.keep))
    return probes


async def _aged(scene: Scene, table: Table, kept: RetentionClass, *, keep: float) -> Probe:
    assert scene.server is not None  # noqa: S101
    check, severity = f"{AGE}.{table.name}", Severity.CRITICAL
    column = column_of(table, kept.column)
    if not column:
        said = unknown_column(table.name)
        return Probe(check, severity, Answered.NOT_TESTED, said)
    try:
        oldest, rows = await asyncio.to_thread(_oldest, scene.server, table, column)
    except SQLAlchemyError as error:
        return Probe(check, severity, Answered.NOT_TESTED, failure_of(error).text)
    if rows == 0:
        return Probe(check, severity, Answered.PASSED, f"{table.name} has no rows")
    moment = seconds_of(oldest)
    if moment is None:
        return Probe(check, severity, Answered.NOT_TESTED, f"{table.name}.{column} holds no moments")
    age = max(0.0, scene.context.clock.wall() - moment)
    scene.context.record.measurement(Measurement.exact(check, age, unit="s", count=rows))
    said = (
        f"the oldest of {rows:,} rows of {table.name} is {format_quantity(age, 's')} old by {column}, and "
        f"{format_quantity(keep, 's')} is the most"
    )
    answered = Answered.PASSED if age <= keep else Answered.FAILED
    return Probe(check, severity, answered, said, "" if answered is Answered.PASSED else TOO_OLD)


def _oldest(server: Server, table: Table, column: str) -> tuple[object, int]:
    with server.reading() as connection:
        row = connection.execute(select(func.min(table.c[column]), func.count()).select_from(table)).one()
    return row[0], int(row[1])


async def classed(scene: Scene) -> Probe:
    """Whether every table that holds a word of ours is in the policy."""
    assert scene.server is not None  # noqa: S101 - whoever calls has looked
    words = tuple(each.canary for each in scene.cast.people if not each.trouble)
    now = await held(scene.server, words[0]) if words else Held()
    places, unread = now.of(words), now.unread
    without = sorted(places.keys() - scene.settings.retention.policy.keys())
    severity = Severity.IMPORTANT
    if without:
        said = f"children's data are in tables that the policy does not name: {', '.join(without)}"
        return Probe(POLICY, severity, Answered.NOT_TESTED, said, NO_CLASS)
    if unread or not places:
        said = "; ".join(unread) or "no table holds a word of anybody of ours"
        return Probe(POLICY, severity, Answered.NOT_TESTED, said)
    said = f"the policy names all {len(places)} tables that hold data of the families that we made"
    return Probe(POLICY, severity, Answered.PASSED, said)
