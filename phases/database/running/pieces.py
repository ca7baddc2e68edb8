"""Patterns made ready for one worker: statements in the driver's words, weights added up, Python imported."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from itertools import accumulate, count
from typing import Any

from campaign.errors import ConfigurationError
from phases.database.pattern import Pattern
from phases.database.running.drawing import drawing
from phases.database.running.portions import Query
from phases.database.running.work import Work
from phases.database.running.workshop import Workshop


class CallableError(ConfigurationError):
    """A Python function of the campaign file that cannot be found or is none."""

    slug = "statement-python"


@dataclass(frozen=True, slots=True)
class Piece:
    """One pattern ready to be run. `only` is its statement where it is a single one, in no transaction of
    ours; otherwise `opening` begins the transaction that it is, and `closing` or `undoing` ends it.
    """

    name: str
    queries: tuple[Query, ...]
    only: Query | None
    opening: tuple[str, ...]
    closing: tuple[str, ...]
    undoing: tuple[str, ...]
    retries: int
    rows: str
    call: Callable[[Any], Awaitable[Any]] | None = None


class Pieces:
    """All patterns of a worker, and how often each is chosen."""

    def __init__(self, work: Work, workshop: Workshop) -> None:
        numbers = count()
        self.all = tuple(_piece(each, work, workshop, numbers=numbers) for each in work.patterns)
        self.weights = tuple(accumulate(each.weight for each in work.patterns))
        self.queries = tuple(query for piece in self.all for query in piece.queries)


def _piece(pattern: Pattern, work: Work, workshop: Workshop, *, numbers: Any) -> Piece:
    queries = tuple(
        Query(next(numbers), sql, each.sql, drawing(names, each.params), work.most_rows, work.most_rows + 1)
        for each in pattern.statements
        for sql, names in [workshop.translate(each.sql)]
    )
    lite = workshop.driver == "aiosqlite"
    refused = work.guarded and not pattern.writes and not (lite and work.read_only)
    after = ("PRAGMA query_only = OFF",) if refused and lite else ()
    return Piece(
        name=pattern.name,
        queries=queries,
        only=queries[0] if len(queries) == 1 and not refused else None,
        opening=_opening(pattern, lite=lite, refused=refused),
        closing=("ROLLBACK" if refused else "COMMIT", *after),
        undoing=("ROLLBACK", *after),
        retries=pattern.retries,
        rows=f"{pattern.name}.rows",
        call=find_callable(pattern.python, pattern.folder) if pattern.python else None,
    )


def _opening(pattern: Pattern, *, lite: bool, refused: bool) -> tuple[str, ...]:
    """How its transaction begins; a pattern that may not write is refused by the database itself.

    The session's default would not do: a function that is called can change it. SQLite has no functions of
    its own that could.
    """
    if lite:
        begin = "BEGIN IMMEDIATE" if pattern.writes else "BEGIN"
        return ("PRAGMA query_only = ON", begin) if refused else (begin,)
    return ("START TRANSACTION READ ONLY",) if refused else ("BEGIN",)


def find_callable(path: str, folder: str) -> Callable[[Any], Awaitable[Any]]:
    """The coroutine function "module.function", found in `folder` first. Raises CallableError."""
    module_name, _, name = path.rpartition(".")
    if folder and folder not in sys.path:
        sys.path.insert(0, folder)
    importlib.invalidate_caches()
    try:
        found = getattr(importlib.import_module(module_name), name, None)
    except (Exception, SystemExit) as error:
        raise CallableError(
            f"the module {module_name!r} cannot be imported: {type(error).__name__}: {error}"
        ) from error
    if not callable(found):
        raise CallableError(f"{path!r} is no function; allowed: module.function, beside the campaign file")
    call: Callable[[Any], Awaitable[Any]] = found
    return call
