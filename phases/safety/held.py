"""Which of our words are in which table, and how often: read in one go, from all tables of the catalogue."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Column, ColumnElement, String, Table, cast, func, or_, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.types import _Binary  # what LargeBinary, BLOB and BYTEA have in common

from campaign.canary import LENGTH, RANDOM
from campaign.database.failure import failure_of
from phases.safety.stores import tables_of, texts_of

if TYPE_CHECKING:
    from campaign.database.server import Server

MOST_ROWS = 100_000
"""Rows of a table that are read; beyond them nothing is proved to be gone."""


@dataclass(frozen=True, slots=True)
class Held:
    """How often each word is in each table; `unread` says what could not be read."""

    tables: Mapping[str, Counter[str]] = field(default_factory=dict)
    unread: tuple[str, ...] = ()

    def of(self, words: Iterable[str], *, but: Iterable[str] = ()) -> dict[str, int]:
        """How many of these words each table has, without the tables `but`."""
        wanted, left_out = set(words), set(but)
        counts = {
            name: sum(word in wanted for word in counter)
            for name, counter in self.tables.items()
            if name not in left_out
        }
        return {name: count for name, count in counts.items() if count}


def beginning(canary: str) -> str:
    """What all canaries of this run begin with."""
    return canary[: LENGTH - RANDOM]


async def held(server: Server, canary: str, *, more: Iterable[str] = ()) -> Held:
    """Where all canaries of this run are, and the words `more` (case is ignored in these)."""
    return await asyncio.to_thread(_held, server, beginning(canary), tuple(more))


def _held(server: Server, begins: str, more: tuple[str, ...]) -> Held:
    try:
        tables = tables_of(server)
    except SQLAlchemyError as error:
        return Held(unread=(f"the database's catalogue: {failure_of(error).text}",))
    found: dict[str, Counter[str]] = {}
    unread = []
    for table in tables:
        try:
            texts = _rows(server, table, (begins, *more))
        except SQLAlchemyError as error:
            unread.append(f"table {table.name}: {failure_of(error).text}")
            continue
        if len(texts) > MOST_ROWS:
            unread.append(f"table {table.name} has more than {MOST_ROWS:,} rows of ours")
        if counted := count_words(texts, begins, more):
            found[table.name] = counted
    return Held(found, tuple(unread))


def count_words(texts: Iterable[str], begins: str, more: tuple[str, ...]) -> Counter[str]:
    """In how many of the texts each canary is, and each of the words `more`. Pure."""
    pattern = re.compile(re.escape(begins) + rf"[0-9a-f]{{{RANDOM}}}")
    counted: Counter[str] = Counter()
    for text in texts:
        counted.update(set(pattern.findall(text)))
        lower = text.lower()
        counted.update(word for word in more if word.lower() in lower)
    return counted


def _rows(server: Server, table: Table, words: tuple[str, ...]) -> list[str]:
    columns = list(texts_of(table))
    if not columns:
        return []
    kind = server.engine.dialect.name
    holds = or_(*(_holds(column, word, kind) for column in columns for word in words))
    with server.reading() as connection:
        rows = connection.execute(select(*columns).where(holds).limit(MOST_ROWS + 1))
        return ["\n".join(map(_plain, row)) for row in rows]


def _plain(value: Any) -> str:
    """What a value says, bytes too."""
    if isinstance(value, (bytes, memoryview)):
        return bytes(value).decode("latin-1")
    return "" if value is None else str(value)


def _holds(column: Column[Any], word: str, kind: str) -> ColumnElement[bool]:
    """That the column holds the word. PostgreSQL alone looks at the case of letters, and is told not to where
    a word has capitals; folding all the others would take four times as long.
    """
    if kind == "postgresql" and isinstance(column.type, _Binary):
        return func.encode(column, "hex").contains(word.encode().hex())
    text = column if isinstance(column.type, String) else cast(column, String)
    if kind == "postgresql" and word != word.lower():
        return text.icontains(word, autoescape=True)
    return text.contains(word, autoescape=True)


CHUNK = 1 << 20
MOST_BYTES = 1 << 28
"""Of a longer log the end is read."""


@dataclass(frozen=True, slots=True)
class Logs:
    """Which log files hold any of the words, how many bytes were read, and what could not be."""

    found: tuple[str, ...]
    size: int
    unread: tuple[str, ...]


async def in_logs(paths: Iterable[str], words: Iterable[str]) -> Logs:
    """Where in these files any of the words is."""
    return await asyncio.to_thread(_in_logs, tuple(paths), tuple(word.encode() for word in words))


def _in_logs(paths: tuple[str, ...], words: tuple[bytes, ...]) -> Logs:
    found, unread, size = [], [], 0
    for path in paths:
        try:
            count, hit = _read(Path(path), words)
        except OSError as error:
            unread.append(f"{path}: {error.strerror or error}")
            continue
        size += count
        if hit:
            found.append(path)
        if not count:
            unread.append(f"{path} is empty")
    return Logs(tuple(found), size, tuple(unread))


def _read(path: Path, words: tuple[bytes, ...]) -> tuple[int, bool]:
    """How many bytes were read, and whether any of the words is among them."""
    overlap, count, hit = b"", 0, False
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - MOST_BYTES))
        while chunk := file.read(CHUNK):
            count += len(chunk)
            hit = hit or any(word in overlap + chunk for word in words)
            overlap = chunk[-200:]
    return count, hit
