"""Walks all tables and keys for personal data that the data map does not declare."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import Table, select
from sqlalchemy.exc import SQLAlchemyError

from campaign.cache.client import open_redis
from campaign.database.failure import failure_of
from campaign.errors import CampaignError
from campaign.records import Severity
from phases.safety.probe import Answered, Probe
from phases.safety.retention.shapes import Kind, kind_of_name, kinds_in
from phases.safety.stores import tables_of

if TYPE_CHECKING:
    from campaign.database.server import Server
    from phases.safety.scene import Scene

PERSONAL, LOCATION = "retention.personal", "retention.location"
ROWS, KEYS = 150, 500
"""Rows from either end of each table, and keys of Redis, whose values are looked at."""

REDIS = "redis"
REMEDY = "Declare it in retention.data_map with a purpose and an end, or do not keep it."


def check_of(kind: Kind) -> str:
    """The name of the probe of a kind."""
    return LOCATION if kind is Kind.LOCATION else f"{PERSONAL}.{kind.value}"


@dataclass(slots=True)
class Seen:
    """What was looked at, and where something of each kind was seen: place -> what."""

    tables: int = 0
    columns: int = 0
    values: int = 0
    keys: int = 0
    found: dict[Kind, dict[str, str]] = field(default_factory=lambda: defaultdict(dict))
    declared: set[str] = field(default_factory=set)
    unread: list[str] = field(default_factory=list)

    def note(self, place: str, kind: Kind, what: str, *, known: bool) -> None:
        """Something of a kind was seen at a place; what is declared is counted only."""
        if known:
            self.declared.add(place)
        else:
            self.found[kind].setdefault(place, what)


async def undeclared(scene: Scene) -> list[Probe]:
    """A probe per kind of personal data."""
    assert scene.server is not None  # noqa: S101 - whoever calls has looked
    data_map = scene.settings.retention.data_map
    seen = await asyncio.to_thread(_walk, scene.server, data_map)
    if scene.redis:
        await _walk_redis(scene.redis, data_map.get(REDIS, ()), seen)
    return [_probe(kind, seen) for kind in Kind]


def _probe(kind: Kind, seen: Seen) -> Probe:
    check, severity = check_of(kind), Severity.CRITICAL
    places = seen.found.get(kind, {})
    if places:
        shown = ", ".join(f"{place} ({what})" for place, what in list(places.items())[:6])
        said = f"what looks like {kind.value} data is kept and not in the data map: {shown}"
        return Probe(check, severity, Answered.FAILED, said, REMEDY)
    if seen.unread or not seen.tables:
        said = "; ".join(seen.unread[:3]) or "the database has no tables"
        return Probe(check, severity, Answered.NOT_TESTED, said)
    keys = f", {seen.keys:,} keys of Redis" if seen.keys else ""
    said = (
        f"no {kind.value} data beside what the data map declares, by name in {seen.columns} columns of "
        f"{seen.tables} tables and by shape in {seen.values:,} values{keys}"
    )
    return Probe(check, severity, Answered.PASSED, said)


def _walk(server: Server, data_map: dict[str, tuple[str, ...]]) -> Seen:
    """All tables. Blocks."""
    seen = Seen()
    try:
        tables = tables_of(server)
    except SQLAlchemyError as error:
        seen.unread.append(f"the database's catalogue: {failure_of(error).text}")
        return seen
    for table in tables:
        try:
            _walk_table(server, table, set(data_map.get(table.name, ())), seen)
        except SQLAlchemyError as error:
            seen.unread.append(f"table {table.name}: {failure_of(error).text}")
    return seen


def _walk_table(server: Server, table: Table, declared: set[str], seen: Seen) -> None:
    seen.tables += 1
    seen.columns += len(table.columns)
    for column in table.columns:
        if kind := kind_of_name(column.name):
            seen.note(f"{table.name}.{column.name}", kind, "its name", known=column.name in declared)
    for row in _sample(server, table):
        for column, value in zip(table.columns, row, strict=True):
            seen.values += 1
            for place, kind, what in kinds_in(column.name, value):
                seen.note(f"{table.name}.{place}", kind, what, known={column.name, place} & declared != set())


def _sample(server: Server, table: Table) -> Iterable[Any]:
    """Rows from both ends of a table."""
    key = list(table.primary_key.columns)
    with server.reading() as connection:
        rows = list(connection.execute(select(table).order_by(*key).limit(ROWS)))
        if len(rows) == ROWS and key:
            rows += connection.execute(select(table).order_by(*(each.desc() for each in key)).limit(ROWS))
    return rows


async def _walk_redis(url: str, declared: Iterable[str], seen: Seen) -> None:
    """Some keys: the fields of hashes, and what stands in texts."""
    known = set(declared)
    try:
        async with open_redis(url) as client:
            async for key in client.scan_iter(count=500):
                seen.keys += 1
                if seen.keys > KEYS:
                    return
                kind = str(await client.type(key))
                value: Any = None
                if kind == "hash":
                    value = await client.hgetall(key)
                elif kind == "string":
                    value = await client.get(key)
                for place, what, shape in kinds_in(_pattern(str(key)), value):
                    seen.note(f"{REDIS} {place}", what, shape, known=place.rpartition(".")[2] in known)
    except CampaignError as error:
        seen.unread.append(str(error))
    except Exception as error:  # noqa: BLE001 - whatever redis-py raises: nothing is proved then
        seen.unread.append(f"Redis: {error}")


def _pattern(key: str) -> str:
    """What keys of one kind have in common: the part before the first colon."""
    return key.partition(":")[0]
