"""Dates rows of an account of our own back beyond the policy, and waits for the target to remove them."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import ColumnElement, Table, false, func, or_, select, update
from sqlalchemy.exc import SQLAlchemyError

from campaign.clock import SECOND
from campaign.database.failure import failure_of
from campaign.faults.healing.command import run
from campaign.records import Measurement, Severity
from phases.safety.probe import Answered, Probe
from phases.safety.retention.moments import column_of, like, unknown_column
from phases.safety.stores import tables_of, texts_of

if TYPE_CHECKING:
    from campaign.database.server import Server
    from phases.safety.cast.principal import Principal
    from phases.safety.retention.settings import RetentionClass
    from phases.safety.scene import Scene

PURGE = "retention.purge"
BEYOND, DAY = 1.1, 86_400.0
"""Rows are dated back to so many times the age that they may have, and a day."""

PAUSE = 1.0
SHORTEST_ID = 8
MOST_ROWS = 1_000
"""Beyond so many rows of a table we do not believe that they are all ours, and leave them alone."""

REMEDY = "Run the purge by itself, for every table of the policy, and alert when it has not run."


@dataclass(frozen=True, slots=True)
class Dated:
    """Rows that were dated back: of a table, those for which `mine` holds."""

    table: Table
    mine: ColumnElement[bool]
    rows: int

    @property
    def check(self) -> str:
        """The name of its probe."""
        return f"{PURGE}.{self.table.name}"


async def purged(scene: Scene, people: list[Principal]) -> list[Probe]:
    """A probe per table of the policy that has a greatest age, with rows of these people."""
    assert scene.server is not None  # noqa: S101 - whoever calls has looked
    tables = {table.name: table for table in await asyncio.to_thread(tables_of, scene.server)}
    words = _words(scene, people)
    probes, dated = [], []
    for name, kept in scene.settings.retention.policy.items():
        if isinstance(kept.keep, str):
            continue
        moment = scene.context.clock.wall() - BEYOND * kept.keep - DAY
        try:
            dated.append(await _dated(scene.server, tables.get(name), kept, words=words, moment=moment))
        except ValueError as error:
            probes.append(
                Probe(f"{PURGE}.{name}", Severity.CRITICAL, Answered.NOT_TESTED, f"{name}: {error}")
            )
    return [*probes, *(await _waited(scene, scene.server, people[0], dated) if dated else [])]


def _words(scene: Scene, people: list[Principal]) -> tuple[str, ...]:
    """What tells rows of theirs: canaries, and what was saved when they were made and nobody else has."""
    words = {each.canary for each in people}
    for each in people:
        start = scene.settings.roles[each.role].start
        saved = {name for operation in start for name in each.operations[operation].spec.save}
        words |= {str(each.scope.values.get(name, "")) for name in saved}
    strangers = [each for each in scene.cast.people if each not in people]
    shared = {str(value) for each in strangers for value in each.scope.values.values()}
    return tuple(word for word in words - shared if len(word) >= SHORTEST_ID)


async def _dated(
    server: Server, table: Table | None, kept: RetentionClass, *, words: tuple[str, ...], moment: float
) -> Dated:
    """Rows of ours with another moment. Raises ValueError where there are none, or they could not be."""
    if table is None:
        raise ValueError("the database has no such table")
    if not (column := column_of(table, kept.column)):
        raise ValueError(unknown_column(table.name))
    mine = or_(false(), *(text.in_(words) for text in texts_of(table)))
    try:
        rows = await asyncio.to_thread(_date_back, server, Dated(table, mine, 0), column, moment)
    except SQLAlchemyError as error:
        raise ValueError(f"it could not be dated back: {failure_of(error).text}") from error
    return Dated(table, mine, rows)


def _date_back(server: Server, dated: Dated, column: str, moment: float) -> int:
    """How many rows were dated back. Blocks; raises ValueError and SQLAlchemyError."""
    table, mine = dated.table, dated.mine
    with server.writing() as connection:
        ours = connection.execute(select(func.count()).select_from(table).where(mine)).scalar() or 0
        if ours > MOST_ROWS:
            raise ValueError(f"{ours:,} rows seem to be ours, which is not believed")
        sample = connection.execute(select(table.c[column]).where(mine).limit(1)).scalar()
        if sample is None:
            raise ValueError("it has no row of the account that we made")
        changed = update(table).where(mine).values({column: like(sample, moment)})
        return int(connection.execute(changed).rowcount)


async def _waited(scene: Scene, server: Server, who: Principal, dated: list[Dated]) -> list[Probe]:
    """The probes, once nothing of it is left or the time is over."""
    settings = scene.settings.retention.purge
    assert settings is not None  # noqa: S101 - whoever calls has looked
    clock, began = scene.context.clock, scene.context.clock.now_ns()
    trouble = ""
    if settings.command:
        trouble = await asyncio.to_thread(run, settings.command, cwd=None, seconds=settings.within)
    gone: dict[str, float] = {}
    left: dict[str, int] = {}
    while True:
        if settings.operation:
            heard = await who.do(settings.operation, save=False)
            trouble = "" if heard.ok else f"{settings.operation} did not go well: {heard.why} [{heard.id}]"
        for each in dated:
            left[each.check] = await asyncio.to_thread(_count, server, each)
            if not left[each.check]:
                gone.setdefault(each.check, (clock.now_ns() - began) / SECOND)
        over = (clock.now_ns() - began) / SECOND >= settings.within
        if len(gone) == len(dated) or over or scene.stopping:
            break
        await clock.sleep_until(clock.now_ns() + round(PAUSE * SECOND))
    return [_probe(scene, each, gone.get(each.check), left[each.check], trouble) for each in dated]


def _count(server: Server, dated: Dated) -> int:
    with server.reading() as connection:
        rows = select(func.count()).select_from(dated.table).where(dated.mine)
        return int(connection.execute(rows).scalar() or 0)


def _probe(scene: Scene, dated: Dated, gone: float | None, left: int, trouble: str) -> Probe:
    within = scene.settings.retention.purge.within if scene.settings.retention.purge else 0.0
    scene.context.record.measurement(Measurement.exact(dated.check, gone, unit="s", count=dated.rows))
    name, severity = dated.table.name, Severity.CRITICAL
    if gone is not None:
        said = f"{dated.rows} rows of {name} that were dated back were gone {gone:.1f} s later"
        return Probe(dated.check, severity, Answered.PASSED, said)
    if trouble:
        return Probe(dated.check, severity, Answered.NOT_TESTED, f"the purge did not run: {trouble}")
    said = f"{left} of {dated.rows} rows of {name} that were dated back are there {within:g} s later"
    return Probe(dated.check, severity, Answered.FAILED, said, REMEDY)
