"""What the stores hold of some children, before and after they send something: words, and rows by their ids.

A recording, or a count of minutes, may hold no word of ours: one more row with the child's id shows it too.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sqlalchemy.exc import SQLAlchemyError

from campaign.database.failure import failure_of
from phases.safety.held import held
from phases.safety.scene import Scene
from phases.safety.stores import Place, in_redis, rows_by, tables_of, texts_of

if TYPE_CHECKING:
    from campaign.database.server import Server

REDIS = "redis"
Rows = Mapping[tuple[str, str], int]
"""How many rows have an id: by the id and the table."""


@dataclass(frozen=True, slots=True)
class Words:
    """In which places each word is; `unread` says what could not be looked into."""

    places: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    unread: tuple[str, ...] = ()


async def where_words_are(scene: Scene, words: Iterable[str]) -> Words:
    """The tables and keys that hold each of the canaries, looked for in one go."""
    wanted = tuple(words)
    found: dict[str, list[str]] = {word: [] for word in wanted}
    unread: list[str] = []
    if scene.server is not None and wanted:
        now = await held(scene.server, wanted[0])
        unread += now.unread
        for table, counter in now.tables.items():
            for word in counter.keys() & found.keys():
                found[word].append(f"table {table} ({counter[word]})")
    if scene.redis:
        places, missed = await in_redis(scene.redis, wanted)
        unread += missed
        for word in await _words_of(scene, places, wanted):
            found[word].append(REDIS)
    return Words({word: tuple(places) for word, places in found.items() if places}, tuple(unread))


async def _words_of(scene: Scene, places: list[Place], words: tuple[str, ...]) -> list[str]:
    """Whose words those keys hold: where there are any, which is rare, each is looked for by itself."""
    return [word for word in words if places and (await in_redis(scene.redis, (word,)))[0]]


async def rows_of(scene: Scene, ids: Iterable[str]) -> Rows:
    """How many rows there are by each id; none where nobody looks. Raises SQLAlchemyError."""
    wanted = tuple(ids)
    if scene.server is None or not wanted:
        return {}
    return await asyncio.to_thread(_rows_of, scene.server, wanted)


def _rows_of(server: Server, ids: tuple[str, ...]) -> Rows:
    counted: dict[tuple[str, str], int] = {}
    for table in tables_of(server):
        for column in texts_of(table):
            for value, rows in rows_by(server, column, ids).items():
                counted[value, table.name] = max(rows, counted.get((value, table.name), 0))
    return counted


def added(before: Rows, after: Rows, ids: Iterable[str], *, but: Iterable[str] = ()) -> dict[str, int]:
    """By how many rows each table grew for any of these ids. Pure."""
    mine, left_out = set(ids), set(but)
    grown: dict[str, int] = {}
    for (value, table), count in after.items():
        if value in mine and table not in left_out and count > before.get((value, table), 0):
            grown[table] = max(grown.get(table, 0), count - before.get((value, table), 0))
    return grown


def cannot_look(error: SQLAlchemyError) -> str:
    """Why rows could not be counted."""
    return f"the rows by a child's id could not be counted: {failure_of(error).text}"
