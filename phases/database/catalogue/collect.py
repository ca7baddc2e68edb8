"""What the schema shows, recorded as plain data."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any

from campaign.database.address import Kind
from campaign.database.failure import failure_of
from campaign.database.peek import peek
from campaign.database.server import Server
from campaign.database.shapes import identifier, quoted
from phases.database.blocking import blocking
from phases.database.catalogue.references import Reference, ignored, references
from phases.database.catalogue.rights import chosen, unseen
from phases.database.catalogue.settings import CatalogueSettings
from phases.database.catalogue.tables import Table, read_tables
from phases.database.scene import Scene

MOST_ORPHANS = 100_000
"""Orphans of one column are counted so far."""

MOST_SHOWN = 100


async def collect_catalogue(scene: Scene) -> None:
    """Read the schema, count orphans, record both."""
    server, settings = scene.server, scene.settings.catalogue
    if server is None:
        return
    name = await blocking(scene, chosen, server)
    hidden = await blocking(scene, unseen, server, name)
    tables: list[Table] = []
    there = 0
    if name:
        tables, there = await blocking(scene, read_tables, server, stopping=lambda: scene.stopping)
    found = [*references(tables, ignore=settings.ignore)]
    facts = {
        "product": server.version.product,
        "count": len(tables),
        "there": there,
        "unseen": hidden,
        "tables": [_shown(each) for each in sorted(tables, key=lambda table: -table.rows)[:MOST_SHOWN]],
        "references": [_reference(each) for each in found if not each.declared],
        "declared": sum(each.declared for each in found),
        **_indexes(tables, found, settings),
        "without_primary_key": [
            each.shown for each in tables if not each.primary_key and not ignored(each, "", settings.ignore)
        ],
        "engines": {
            each.shown: each.engine
            for each in tables
            if each.engine.lower() not in {"", "innodb"} and not ignored(each, "", settings.ignore)
        },
    }
    scene.context.record.fact("catalogue", facts)
    if "references" in settings.checks:
        facts["orphans"] = [each async for each in _orphans(scene, server, found)]
        scene.context.record.fact("catalogue", facts)


def _shown(table: Table) -> dict[str, Any]:
    return {
        "name": table.shown,
        "rows": table.rows,
        "columns": len(table.columns),
        "indexes": len(table.indexes),
        "keys": len(table.keys),
        "engine": table.engine,
    }


def _reference(found: Reference) -> dict[str, Any]:
    return {"column": found.shown, "to": found.to.shown, "rows": found.table.rows}


def _indexes(
    tables: Sequence[Table], found: Sequence[Reference], settings: CatalogueSettings
) -> dict[str, Any]:
    """How many references of large tables there are, and which of them have no index."""
    large = [each for each in _referring(tables, found, settings) if each[0].rows > settings.many_rows]
    lacking = [
        {"table": table.shown, "columns": list(columns), "rows": table.rows}
        for table, columns in large
        if not table.has_index(columns)
    ]
    return {"large": len(large), "unindexed": lacking}


def _referring(
    tables: Sequence[Table], found: Sequence[Reference], settings: CatalogueSettings
) -> Iterator[tuple[Table, tuple[str, ...]]]:
    """The columns of every reference, and of every foreign key of several columns."""
    yield from ((each.table, (each.column,)) for each in found)
    for table in tables:
        for key in table.keys:
            if len(key.columns) > 1 and not any(
                ignored(table, each, settings.ignore) for each in key.columns
            ):
                yield table, key.columns


async def _orphans(scene: Scene, server: Server, found: Sequence[Reference]) -> AsyncIterator[dict[str, Any]]:
    """Rows that refer to nothing, by column: of references without a key or with one that not all rows were
    held against, and on SQLite, which checks keys only where it is told to, of all.
    """
    asked = [each for each in found if not each.proved or server.kind is Kind.SQLITE]
    for at, each in enumerate(asked):
        if scene.stopping:
            return
        scene.tell(f"orphans of {each.shown}", at / len(asked))
        yield {**_reference(each), **await blocking(scene, _counted, server, each, scene)}


def _counted(server: Server, found: Reference, scene: Scene) -> dict[str, Any]:
    child = quoted(server, found.table.name, found.table.schema)
    parent = quoted(server, found.to.name, found.to.schema)
    column, key = f"c.{identifier(server, found.column)}", f"p.{identifier(server, found.key)}"
    sql = (
        f"SELECT COUNT(*) FROM (SELECT 1 FROM {child} c LEFT JOIN {parent} p ON {column} = {key} "  # noqa: S608 - names of the catalogue
        f"WHERE {column} IS NOT NULL AND {key} IS NULL LIMIT {MOST_ORPHANS}) AS orphans"
    )
    try:
        rows = peek(server, sql, {}, seconds=scene.settings.catalogue.timeout)
    except Exception as error:  # noqa: BLE001 - the other columns are worth counting all the same
        return {"orphans": None, "why": str(failure_of(error))}
    return {"orphans": int(rows[0][0]), "why": ""}
