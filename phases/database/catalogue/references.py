"""Columns that look like references by their name and type, and whether a foreign key says so."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from phases.database.catalogue.tables import Table

_ENDING = re.compile(r"(?P<thing>.*[a-z0-9])(_id|_uuid|_key|Id|ID|Uuid)")
_IRREGULAR = {"child": "children", "person": "people"}


@dataclass(frozen=True, slots=True)
class Reference:
    """A column that refers to another table's primary key; `declared` where a foreign key says so, and
    `proved` where all rows were held against it.
    """

    table: Table
    column: str
    to: Table
    key: str
    declared: bool
    proved: bool = False

    @property
    def shown(self) -> str:
        """How people call the column."""
        return f"{self.table.shown}.{self.column}"


def references(tables: Sequence[Table], *, ignore: Collection[str] = ()) -> Iterator[Reference]:
    """Every column that refers to a table, by its foreign key or by its looks, but for those to `ignore`."""
    known = {(each.schema, each.name): each for each in tables}
    for table in tables:
        if ignored(table, "", ignore):
            continue
        bound = {column for key in table.keys for column in key.columns}
        for key in table.keys:
            to = known.get((key.schema, key.table))
            if to is not None and len(key.columns) == 1 and not ignored(table, key.columns[0], ignore):
                yield Reference(table, key.columns[0], to, key.refers_to[0], declared=True, proved=key.proved)
        for column in table.columns:
            to = _meant(table, column, tables)
            if column not in bound and to is not None and not ignored(table, column, ignore):
                yield Reference(table, column, to, to.primary_key[0], declared=False)


def ignored(table: Table, column: str, ignore: Collection[str]) -> bool:
    """Whether the file says to leave the table or the column alone."""
    names = {table.name, table.shown, f"{table.name}.{column}", f"{table.shown}.{column}"}
    return any(each in names for each in ignore)


def _meant(table: Table, column: str, tables: Sequence[Table]) -> Table | None:
    """The table whose primary key the column's name speaks of; None where there is none of its type."""
    found = _ENDING.fullmatch(column)
    if found is None or (column,) == table.primary_key:
        return None
    names = _names(re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", found["thing"]).lower())
    alike = [each for each in tables if each.schema == table.schema and each.name.lower() in names]
    if len(alike) != 1 or len(alike[0].primary_key) != 1:
        return None
    to = alike[0]
    return to if to.columns.get(to.primary_key[0]) == table.columns[column] else None


def _names(thing: str) -> set[str]:
    """What a table of such things may be called: itself, and its plurals."""
    head, _, last = thing.rpartition("_")
    plurals = {last, f"{last}s", f"{last}es", _IRREGULAR.get(last, last)}
    if last.endswith("y"):
        plurals.add(f"{last[:-1]}ies")
    return {f"{head}_{each}" if head else each for each in plurals}
