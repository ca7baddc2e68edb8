"""Full scans of a plan, and the columns of the index that each lacks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from campaign.database.conditions import conditions
from campaign.database.failure import failure_of
from campaign.database.plans import MANY_ROWS, SELECTIVE, Scan, is_wasteful
from campaign.database.server import Server
from campaign.database.shapes import Shape, quoted, shape_of

COUNT_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Found:
    """A full scan before it is known what it lacks; `alias` is what the statement calls the table."""

    scan: Scan
    alias: str
    schema: str | None = None


class Scans:
    """What each full scan lacks; asks the catalogue once per table. Where rows were not `counted` but
    estimated, what survives a filter is counted here.
    """

    def __init__(self, server: Server, *, counted: bool) -> None:
        self._server = server
        self._counted = counted
        self._shapes: dict[tuple[str | None, str], Shape | None] = {}

    def told(self, found: Found) -> Scan:
        """The scan with the columns of the index that it lacks, if it lacks one."""
        shape = self.shape(found.scan.table, found.schema)
        if shape is None or found.scan.table_rows <= MANY_ROWS:
            return found.scan
        if self._counted and not is_wasteful(found.scan):
            return found.scan
        wanted = conditions(found.scan.filter, found.alias, shape.columns)
        if not wanted.columns or shape.leads_with((*wanted.equal, *wanted.ranged)):
            return found.scan
        if self._counted and wanted.whole:
            return replace(found.scan, columns=wanted.columns)
        limit = int(found.scan.table_rows * SELECTIVE) + 1
        kept = self.survivors(shape, found.alias, where=wanted.text, params={}, limit=limit)
        if kept is None or kept >= limit:  # what an index can serve is not selective without the rest
            return found.scan
        return replace(found.scan, columns=wanted.columns, kept=min(kept, found.scan.kept))

    def shape(self, table: str, schema: str | None = None) -> Shape | None:
        """What the catalogue says of a table; None where it does not know it."""
        from sqlalchemy.exc import SQLAlchemyError  # noqa: PLC0415

        if (schema, table) not in self._shapes:
            try:
                self._shapes[schema, table] = shape_of(self._server, table, schema)
            except SQLAlchemyError:
                self._shapes[schema, table] = None
        return self._shapes[schema, table]

    def survivors(
        self, shape: Shape, alias: str, *, where: str, params: Mapping[str, Any], limit: int
    ) -> int | None:
        """How many rows satisfy a condition, counted up to `limit`; None where that cannot be asked."""
        from campaign.database.peek import peek  # noqa: PLC0415

        table = quoted(self._server, shape.name, shape.schema)
        name = "" if alias.lower() == shape.name.lower() else f" {alias}"
        inner = f"SELECT 1 FROM {table}{name} WHERE {where} LIMIT {limit}"  # noqa: S608 - names of the catalogue, a server's own words
        try:
            rows = peek(
                self._server,
                f"SELECT COUNT(*) FROM ({inner}) AS counted",  # noqa: S608
                params,
                seconds=COUNT_SECONDS,
            )
        except Exception as error:  # noqa: BLE001 - what cannot be counted is not said
            failure_of(error)
            return None
        return int(rows[0][0])
