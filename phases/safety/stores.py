"""Where in the target's stores a word is: every text of every table, and every key and value of Redis.

The list of tables comes from the database's own catalogue, so a table that nobody thought of is read too.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from sqlalchemy import (
    Column,
    ColumnElement,
    LargeBinary,
    MetaData,
    String,
    Table,
    cast,
    func,
    literal,
    or_,
    select,
    union_all,
)
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.types import _Binary  # what LargeBinary, BLOB and BYTEA have in common

from campaign.cache.client import open_redis
from campaign.database.failure import failure_of
from campaign.database.server import Server

if TYPE_CHECKING:
    from redis.asyncio import Redis

MOST_KEYS = 200_000
"""Keys of Redis that are read; beyond them the search is not whole, and says so."""


@dataclass(frozen=True, slots=True)
class Place:
    """A place that holds a word: `store` is "database" or "redis", `where` a table or a key."""

    store: str
    where: str
    rows: int = 1


@dataclass(frozen=True, slots=True)
class Search:
    """What was found, and what could not be looked at (then nothing is proved to be gone)."""

    places: tuple[Place, ...] = ()
    unread: tuple[str, ...] = ()

    def within(self, stores: Iterable[str]) -> Search:
        """The same of these stores alone."""
        wanted = set(stores)
        return Search(tuple(each for each in self.places if each.store in wanted), self.unread)

    def __str__(self) -> str:
        """What was found, for a reader."""
        return ", ".join(f"{each.store} {each.where} ({each.rows})" for each in self.places[:8]) or "nowhere"


async def search(server: Server | None, redis: str, words: Iterable[str]) -> Search:
    """Where any of the words is, in the stores that the target has."""
    wanted = tuple(words)
    found: list[Place] = []
    unread: list[str] = []
    if server is not None:
        places, missed = await asyncio.to_thread(in_database, server, wanted)
        found, unread = [*found, *places], [*unread, *missed]
    if redis:
        places, missed = await in_redis(redis, wanted)
        found, unread = [*found, *places], [*unread, *missed]
    return Search(tuple(found), tuple(unread))


def in_database(server: Server, words: tuple[str, ...]) -> tuple[list[Place], list[str]]:
    """The tables that hold any of the words, and those that could not be read. Blocks."""
    try:
        tables = tables_of(server)
    except SQLAlchemyError as error:
        return [], [f"the database's catalogue: {failure_of(error).text}"]
    places, unread = [], []
    for table in tables:
        try:
            rows = _rows_with(server, table, words)
        except SQLAlchemyError as error:
            unread.append(f"table {table.name}: {failure_of(error).text}")
            continue
        if rows:
            places.append(Place("database", table.name, rows))
    return places, unread


_KNOWN: WeakKeyDictionary[Server, list[Table]] = WeakKeyDictionary()


def tables_of(server: Server) -> list[Table]:
    """All tables, read from the catalogue once. Blocks; raises SQLAlchemyError."""
    if server not in _KNOWN:
        metadata = MetaData()
        metadata.reflect(server.engine, resolve_fks=False)
        _KNOWN[server] = list(metadata.tables.values())
    return _KNOWN[server]


@dataclass(frozen=True, slots=True)
class Shelf:
    """The rows of one owner in one table: those whose `column` is `value`."""

    table: Table
    column: str
    value: str


def count_on(shelves: Sequence[Shelf], server: Server) -> int:
    """How many rows there are now on all of them together. Blocks; raises SQLAlchemyError."""
    if not shelves:
        return 0
    counts = [
        select(func.count()).select_from(each.table).where(each.table.c[each.column] == each.value)
        for each in shelves
    ]
    with server.reading() as connection:
        return sum(int(count) for (count,) in connection.execute(union_all(*counts)))


def shelves(server: Server, words: tuple[str, ...], ids: Iterable[str]) -> list[Shelf]:
    """Where the rows with these words are, by a column that holds one of the owner's ids: quick to count.

    Blocks; raises SQLAlchemyError.
    """
    wanted = [each for each in ids if len(each) >= SHORTEST_ID]
    return [
        Shelf(table, column.name, value)
        for table in tables_of(server)
        if _rows_with(server, table, words)
        for column in texts_of(table)
        if not column.primary_key
        for value in rows_by(server, column, wanted)
    ]


def rows_by(server: Server, column: Column[Any], values: Iterable[str]) -> dict[str, int]:
    """How many rows have each of the values in that column, of those that any has. Blocks; raises
    SQLAlchemyError.
    """
    text = column if isinstance(column.type, String) else cast(column, String)
    rows = select(text, func.count()).where(text.in_(list(values))).group_by(text)
    with server.reading() as connection:
        return {str(value): int(count) for value, count in connection.execute(rows)}


SHORTEST_ID = 6
"""Characters; a shorter value may stand in a column for many reasons."""


def _rows_with(server: Server, table: Table, words: tuple[str, ...]) -> int:
    kind = server.engine.dialect.name
    conditions = [_holds(column, word, kind=kind) for column in texts_of(table) for word in words]
    if not conditions:
        return 0
    with server.reading() as connection:
        return int(
            connection.execute(select(func.count()).select_from(table).where(or_(*conditions))).scalar() or 0
        )


def _holds(column: Column[Any], word: str, *, kind: str) -> ColumnElement[bool]:
    """That the column holds the word; in bytes it is looked for as bytes, as a text of them ends at a 0."""
    if not isinstance(column.type, _Binary):
        return cast(column, String).contains(word, autoescape=True)
    if kind == "postgresql":
        return func.encode(column, "hex").contains(word.encode().hex())
    return func.instr(column, literal(word.encode(), LargeBinary)) > 0


def texts_of(table: Table) -> Iterator[Column[Any]]:
    """The columns that can hold a text: all but numbers and truths."""
    for column in table.columns:
        kind = type(column.type).__name__.upper()
        if not kind.startswith(("INT", "BIGINT", "SMALLINT", "FLOAT", "REAL", "NUMERIC", "BOOL", "DOUBLE")):
            yield column


async def in_redis(url: str, words: tuple[str, ...]) -> tuple[list[Place], list[str]]:
    """The keys that hold any of the words, in their name or value, and what could not be read."""
    places: list[Place] = []
    count = 0
    try:
        async with open_redis(url) as client:
            async for key in client.scan_iter(count=500):
                count += 1
                if count > MOST_KEYS:
                    return places, [f"Redis has more than {MOST_KEYS:,} keys; not all were read"]
                value = await _value(client, key)
                if any(word in str(key) or word in value for word in words):
                    places.append(Place("redis", str(key)))
    except Exception as error:  # noqa: BLE001 - whatever redis-py raises: nothing is proved then
        return places, [f"Redis: {error}"]
    return places, []


async def _value(client: Redis, key: str) -> str:
    """All that a key holds, as one text to look into."""
    kind = str(await client.type(key))
    read: dict[str, Callable[[], Any]] = {
        "string": lambda: client.get(key),
        "hash": lambda: client.hgetall(key),
        "list": lambda: client.lrange(key, 0, -1),
        "set": lambda: client.smembers(key),
        "zset": lambda: client.zrange(key, 0, -1),
        "stream": lambda: client.xrange(key),
    }
    found = await read[kind]() if kind in read else ""
    return _flat(found)


def _flat(value: Any) -> str:
    if isinstance(value, dict):
        return "\n".join(_flat(each) for pair in value.items() for each in pair)
    if isinstance(value, (list, tuple, set)):
        return "\n".join(_flat(each) for each in value)
    return "" if value is None else str(value)
