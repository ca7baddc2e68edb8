"""What must hold after a fault: no orphans, the user's invariants, an API that says what is stored.

What was looked at before is compared with what is there afterwards: what was wrong before is nobody's fault.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from sqlalchemy import bindparam, inspect, text
from sqlalchemy.exc import SQLAlchemyError

from campaign.clock import SECOND, Clock
from campaign.database.failure import failure_of
from campaign.database.server import Server
from campaign.target.jsonpath import MISSING, compile_path
from phases.failover.people import Person
from phases.failover.settings import ConsistencySettings, Invariant, Same
from phases.failover.story import Consistent

LOOKS, PAUSE_NS = 4, SECOND
"""A cache may be behind for a moment, and a database come up slowly."""

NO_DATABASE = "the target has no database (target.database)"
NO_KEYS = "the database declares no foreign keys"


@dataclass(frozen=True, slots=True)
class Outset:
    """What was there before a fault; a value that could not be read is left out."""

    orphans: dict[str, int] = field(default_factory=dict)
    values: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Key:
    """A foreign key: `columns` of `table` name a row of `other` by its `others`."""

    table: str
    columns: tuple[str, ...]
    other: str
    others: tuple[str, ...]

    @property
    def name(self) -> str:
        """How people say it."""
        return f"{self.table}.{','.join(self.columns)} -> {self.other}"


async def outset(server: Server | None, settings: ConsistencySettings) -> Outset:
    """How it is before a fault."""
    if server is None:
        return Outset()
    return await asyncio.to_thread(_outset, server, settings)


async def look_at_all(
    server: Server | None,
    settings: ConsistencySettings,
    before: Outset,
    *,
    person: Person | None,
    clock: Clock,
) -> tuple[Consistent, ...]:
    """Everything that must hold, and whether it does."""
    if server is None:
        names = [*settings.queries, *(each.read for each in settings.same)]
        return tuple(Consistent(name, None, NO_DATABASE) for name in names)
    found = (
        [
            *(await asyncio.to_thread(_orphans_now, server, before)),
        ]
        if settings.orphans
        else []
    )
    found += [
        await asyncio.to_thread(_invariant, server, name, each, before)
        for name, each in settings.queries.items()
    ]
    for same in settings.same:
        if person is not None:
            found.append(await _patiently_same(server, same, person, clock=clock))
    return tuple(found)


def _outset(server: Server, settings: ConsistencySettings) -> Outset:
    server.engine.dispose()
    orphans: dict[str, int] = {}
    values: dict[str, Any] = {}
    try:
        if settings.orphans:
            orphans = {key.name: _count(server, key) for key in _keys(server)}
    except (SQLAlchemyError, OSError):
        orphans = {}
    for name, each in settings.queries.items():
        try:
            values[name] = _plain(server.scalar(each.sql))
        except (SQLAlchemyError, OSError):
            continue
    return Outset(orphans, values)


def _orphans_now(server: Server, before: Outset) -> Iterator[Consistent]:
    """One answer for all keys together: the first that has more orphans than before is named."""
    server.engine.dispose()
    try:
        keys = list(_keys(server))
        counts = {key.name: _count(server, key) for key in keys}
    except (SQLAlchemyError, OSError) as error:
        return iter((Consistent("foreign keys", None, f"they could not be looked at: {failure_of(error)}"),))
    if not counts:
        return iter((Consistent("foreign keys", None, NO_KEYS),))
    more = {name: count for name, count in counts.items() if count > before.orphans.get(name, 0)}
    if not more:
        old = sum(counts.values())
        said = f"no new orphans behind {len(counts)} foreign keys" + (f" ({old} there before)" if old else "")
        return iter((Consistent("foreign keys", True, said),))
    said = "; ".join(
        f"{name}: {count} orphans, {before.orphans.get(name, 0)} before" for name, count in more.items()
    )
    return iter((Consistent("foreign keys", False, said),))


def _keys(server: Server) -> Iterator[Key]:
    look = inspect(server.engine)
    for table in sorted(look.get_table_names()):
        for key in look.get_foreign_keys(table):
            columns, others = tuple(key["constrained_columns"]), tuple(key["referred_columns"])
            if columns and len(columns) == len(others) and key.get("referred_schema") is None:
                yield Key(table, columns, str(key["referred_table"]), others)


def _count(server: Server, key: Key) -> int:
    quote = server.engine.dialect.identifier_preparer.quote
    pairs = list(zip(key.columns, key.others, strict=True))
    is_there = " AND ".join(f"other.{quote(there)} = own.{quote(here)}" for here, there in pairs)
    given = " AND ".join(f"own.{quote(here)} IS NOT NULL" for here, _ in pairs)
    statement = (
        f"SELECT count(*) FROM {quote(key.table)} own WHERE {given} AND NOT EXISTS "  # noqa: S608 - names of the catalogue, quoted
        f"(SELECT 1 FROM {quote(key.other)} other WHERE {is_there})"
    )
    return int(server.scalar(statement))


def _invariant(server: Server, name: str, asked: Invariant, before: Outset) -> Consistent:
    try:
        now = _plain(server.scalar(asked.sql))
    except (SQLAlchemyError, OSError) as error:
        return Consistent(name, None, f"it could not be asked: {failure_of(error)}")
    if asked.equals is None:
        if name not in before.values:
            return Consistent(name, None, f"it is {_said(now)}, and could not be asked before the fault")
        was = before.values[name]
        return Consistent(name, _same(now, was), f"it is {_said(now)}, and was {_said(was)} before the fault")
    said = f"it is {_said(now)}, and must be {_said(asked.equals)}"
    if not _same(now, asked.equals) and name in before.values and _same(now, before.values[name]):
        return Consistent(name, None, f"{said}, but was so before the fault already")
    return Consistent(name, _same(now, asked.equals), said)


async def _patiently_same(server: Server, asked: Same, person: Person, *, clock: Clock) -> Consistent:
    for attempt in range(LOOKS):
        if attempt:
            await clock.sleep_until(clock.now_ns() + PAUSE_NS)
        seen = await _compared(server, asked, person)
        if seen.holds:
            break
    return seen


async def _compared(server: Server, asked: Same, person: Person) -> Consistent:
    name = f"{asked.read} {asked.json_path}"
    done = await person.surely(asked.read)
    if not done.ok:
        return Consistent(name, None, f"{asked.read} could not be read: {done.said or done.ending.value}")
    try:
        told = compile_path(asked.json_path)(json.loads(done.body))
        stored = _plain(await asyncio.to_thread(_ask, server, asked.sql, person.scope.values))
    except ValueError:
        return Consistent(name, None, "the answer is not JSON")
    except (SQLAlchemyError, OSError) as error:
        return Consistent(name, None, f"the database could not be asked: {failure_of(error)}")
    if told is MISSING:
        return Consistent(name, None, f"the answer has no {asked.json_path}")
    return Consistent(name, _same(told, stored), f"the API says {_said(told)}, the database {_said(stored)}")


def _ask(server: Server, sql: str, values: dict[str, Any]) -> Any:
    """The one value; what the query names of what the user knows is bound, never written into it."""
    statement = text(sql)
    named = [name for name in statement._bindparams if name in values]  # noqa: SLF001 - the names it was written with
    bound = statement.bindparams(*(bindparam(name, values[name]) for name in named))
    with server.reading() as connection:
        return connection.execute(bound).scalar()


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return int(value) if value == int(value) else float(value)
    return value if isinstance(value, int | float | str | bool) or value is None else str(value)


def _same(one: Any, other: Any) -> bool:
    """Numbers as numbers, all else as what they read like: drivers and JSON have types of their own."""
    if isinstance(one, int | float) and isinstance(other, int | float):
        return abs(one - other) <= 1e-9 * max(1.0, abs(one), abs(other))
    return str(one) == str(other)


def _said(value: Any) -> str:
    return repr(value) if isinstance(value, str) else str(value)
