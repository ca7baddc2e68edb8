"""Answers read with bounds: a statement's first ones in portions that grow, so that none fills our memory."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from phases.database.running.drawing import DrawAll
from phases.database.running.work import MOST_BYTES, TooLargeError

WELL_BELOW = 10
"""How often an answer fits into its bounds before it is read as an application would."""


@dataclass(slots=True)
class Query:
    """One statement in a driver's words. `number` is its own among all of a worker, `source` its SQL as it
    was written; `limit` rows are read at most, 0: all, as it is known to give few. `portions`: nobody knows
    yet how many bytes it gives, so its answer is read little by little.
    """

    number: int
    sql: str
    source: str
    draw: DrawAll
    most: int
    limit: int
    portions: bool = True

    def took(self, rows: int, *, unread: bool = False) -> int:
        """The rows of an answer. Raises TooLargeError."""
        if rows > self.most:
            self.limit = self.most + 1
            raise TooLargeError(f"{self.most:,} rows", unread=unread)
        if self.limit and rows <= self.most // WELL_BELOW:
            self.limit = 0
        return rows


class Answer:
    """One answer of a query with a `limit`, as it comes in. `portion` is how many rows to ask for next."""

    __slots__ = ("_bytes", "_query", "_unread", "portion", "rows")

    def __init__(self, query: Query, *, unread: bool = False) -> None:
        self._query = query
        self._unread = unread
        self._bytes = 0
        self.rows = 0
        self.portion = 1 if query.portions else query.limit

    def add(self, rows: Sequence[Any]) -> bool:
        """Count a portion; whether there may be another. Raises TooLargeError."""
        self.rows += len(rows)
        if not self._query.portions:
            return False
        self._bytes += bytes_of(rows)
        if self._bytes > MOST_BYTES:
            raise TooLargeError(f"{MOST_BYTES // 2**20} MiB", unread=self._unread)
        more = len(rows) == self.portion and self.rows < self._query.limit
        self.portion = max(1, min(2 * self.portion, self._query.limit - self.rows, self._room()))
        return more

    def _room(self) -> int:
        """About how many more such rows there is room for, and one."""
        return 1 + (MOST_BYTES - self._bytes) * self.rows // max(1, self._bytes)

    def took(self) -> int:
        """All rows together; the next answers are read as this one allows. Raises TooLargeError."""
        rows = self._query.took(self.rows, unread=self._unread)
        self._query.portions = self._bytes > MOST_BYTES // WELL_BELOW
        if self._query.portions:
            self._query.limit = self._query.most + 1
        return rows


def bytes_of(rows: Iterable[Iterable[Any]]) -> int:
    """What texts and byte strings in these rows come to, about; anything else counts as 8."""
    return sum(len(each) if isinstance(each, str | bytes) else 8 for row in rows for each in row)
