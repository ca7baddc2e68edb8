"""EXPLAIN FORMAT=JSON of MariaDB and MySQL, and MariaDB's ANALYZE FORMAT=JSON, read."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from campaign.database.failure import FailureKind, failure_of
from campaign.database.peek import peek
from campaign.database.plans import EXPLAIN_SECONDS, Plan, Scan
from campaign.database.scanning import Found, Scans
from campaign.database.server import Server
from campaign.database.sql import aliases, refusal

_ESTIMATE = "EXPLAIN FORMAT=JSON "
_COUNT = "ANALYZE FORMAT=JSON "

Node = Mapping[str, Any]


def explain_mysql(server: Server, sql: str, params: Mapping[str, Any], *, seconds: float) -> Plan:
    """The plan; on MariaDB, of a plain read that ends in time, with the rows counted."""
    counted = server.version.product == "MariaDB" and not refusal(sql, server.kind)
    try:
        answer = _asked(server, sql, params, before=_COUNT if counted else _ESTIMATE, seconds=seconds)
    except Exception as error:
        if not counted or failure_of(error).kind is not FailureKind.STATEMENT_TIMEOUT:
            raise
        counted = False
        answer = _asked(server, sql, params, before=_ESTIMATE, seconds=EXPLAIN_SECONDS)
    counted = counted and "r_loops" in json.dumps(answer)
    scans = Scans(server, counted=counted)
    tables = aliases(sql, _tables(server))
    found = tuple(scans.told(each) for each in _scans(answer, tables))
    return Plan(found, json.dumps(answer, indent=1), counted)


def _asked(server: Server, sql: str, params: Mapping[str, Any], *, before: str, seconds: float) -> Node:
    writing = bool(refusal(sql, server.kind))
    said: Node = json.loads(peek(server, sql, params, seconds=seconds, before=before, writing=writing)[0][0])
    return said


def _tables(server: Server) -> list[str]:
    from sqlalchemy import inspect  # noqa: PLC0415

    return inspect(server.engine).get_table_names()


def _scans(node: Any, tables: Mapping[str, str]) -> Iterator[Found]:
    """Every table that is read, wherever it stands in the plan."""
    if isinstance(node, list):
        for each in node:
            yield from _scans(each, tables)
    elif isinstance(node, Mapping):
        for name, value in node.items():
            if name == "table" and isinstance(value, Mapping) and "access_type" in value:
                yield _scan(value, tables, join=node)
            yield from _scans(value, tables)


def _scan(table: Node, tables: Mapping[str, str], *, join: Node) -> Found:
    alias = str(table.get("table_name", "")).lower()
    rows = _number(table, "r_rows", "rows", "rows_examined_per_scan")
    read = rows * max(1.0, _number(table, "r_loops"))
    kept = read * _number(table, "r_filtered", "filtered", default=100.0) / 100
    condition = str(table.get("attached_condition", ""))
    if (
        "buffer_type" in join and "attached_condition" in join
    ):  # each row was compared with all that were buffered
        condition = str(join["attached_condition"])
        kept *= max(1.0, _number(join, "r_loops")) * _number(join, "r_filtered", default=100.0) / 100
    how = str(table["access_type"])
    full = how == "ALL" or (how == "index" and "attached_condition" in table)
    used = f"{how} ({table['key']})" if "key" in table else how
    plain = condition.removeprefix("trigcond") if full else ""
    scan = Scan(tables.get(alias, alias), used, round(rows), round(read), round(kept), plain)
    return Found(scan, alias)


def _number(node: Node, *names: str, default: float = 0.0) -> float:
    """The first of these figures that is there; a plan may say null, or write figures as text."""
    for name in names:
        try:
            return float(node[name])
        except (KeyError, TypeError, ValueError):
            continue
    return default
