"""SQLite's EXPLAIN QUERY PLAN, read. It tells no rows: they are counted by the statement's own conditions."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from campaign.database.conditions import conditions
from campaign.database.peek import peek
from campaign.database.plans import EXPLAIN_SECONDS, MANY_ROWS, SELECTIVE, Plan, Scan
from campaign.database.scanning import Scans
from campaign.database.server import Server
from campaign.database.shapes import Shape
from campaign.database.sql import aliases, parameters, words

_STEP = re.compile(r"(?P<how>SCAN|SEARCH) (?:TABLE )?(?P<name>\S+)")
_INDEXED = re.compile(r"\((?P<columns>\w+=\?[^)]*)\)")
_WHERE = re.compile(
    r"\bwhere\b(?P<condition>.*?)(?=\b(?:group\s+by|order\s+by|limit|having|window|returning)\b|;|$)",
    re.IGNORECASE | re.DOTALL,
)


def explain_sqlite(server: Server, sql: str, params: Mapping[str, Any]) -> Plan:
    """The plan, with the rows of full scans counted."""
    steps = peek(server, sql, params, seconds=EXPLAIN_SECONDS, before="EXPLAIN QUERY PLAN ")
    said = [str(step[3]) for step in steps]
    scans = Scans(server, counted=True)
    named = aliases(sql, _tables(server))
    found = (_scan(scans, step, named, sql=sql, params=params) for step in said)
    return Plan(tuple(each for each in found if each is not None), "\n".join(said), counted=True)


def _tables(server: Server) -> list[str]:
    from sqlalchemy import inspect  # noqa: PLC0415

    return inspect(server.engine).get_table_names()


def _scan(
    scans: Scans, step: str, named: Mapping[str, str], *, sql: str, params: Mapping[str, Any]
) -> Scan | None:
    found = _STEP.match(step)
    alias = found["name"].lower() if found else ""
    shape = scans.shape(named[alias]) if alias in named else None
    if found is None or shape is None:
        return None
    if "AUTOMATIC" in step:
        return _automatic(shape, step)
    if found["how"] == "SEARCH" or shape.rows <= MANY_ROWS:
        return Scan(
            shape.name, step, shape.rows, 0 if found["how"] == "SEARCH" else shape.rows, shape.rows, ""
        )
    return _full(scans, shape, alias, step=step, sql=sql, params=params)


def _automatic(shape: Shape, step: str) -> Scan:
    """SQLite makes an index for one statement alone where it misses one."""
    found = _INDEXED.search(step)
    columns = tuple(re.findall(r"(\w+)=\?", found["columns"])) if found else ()
    return Scan(
        shape.name, step, shape.rows, shape.rows, 0, " AND ".join(f"{each} = ?" for each in columns), columns
    )


def _full(scans: Scans, shape: Shape, alias: str, *, sql: str, params: Mapping[str, Any], step: str) -> Scan:
    condition = _condition(sql)
    wanted = conditions(condition, alias, shape.columns)
    whole = Scan(shape.name, step, shape.rows, shape.rows, shape.rows, condition)
    usable = tuple(each for each in wanted.columns if each)
    if not usable or shape.leads_with((*wanted.equal, *wanted.ranged)):
        return whole
    limit = int(shape.rows * SELECTIVE) + 1
    values = {name: params[name] for name in parameters(wanted.text) if name in params}
    kept = scans.survivors(shape, alias, where=wanted.text, params=values, limit=limit)
    if kept is None or kept >= limit:
        return whole
    return Scan(shape.name, step, shape.rows, shape.rows, kept, wanted.text, usable)


def _condition(sql: str) -> str:
    """The statement's only WHERE; "" where there are several or none, as we do not parse SQL."""
    said = words(sql)
    if said.count("select") > 1 or said.count("where") != 1:
        return ""
    found = _WHERE.search(sql)
    return found["condition"].strip() if found else ""
