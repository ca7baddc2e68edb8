"""PostgreSQL's EXPLAIN (FORMAT JSON), read."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from campaign.database.failure import FailureKind, failure_of
from campaign.database.peek import peek
from campaign.database.plans import EXPLAIN_SECONDS, SELECTIVE, Plan, Scan
from campaign.database.scanning import Found, Scans
from campaign.database.server import Server
from campaign.database.sql import refusal

_ESTIMATE = "EXPLAIN (VERBOSE, FORMAT JSON) "
_COUNT = "EXPLAIN (ANALYZE, BUFFERS, VERBOSE, TIMING OFF, FORMAT JSON) "
_KEPT_OUT = frozenset({"Output", "Async Capable", "Parallel Aware", "Startup Cost", "Plan Width"})
_THROUGH = frozenset({"Hash", "Materialize", "Sort", "Gather", "Gather Merge", "Memoize"})
"""Nodes that pass on the rows of the one below."""

Node = Mapping[str, Any]


def explain_postgresql(server: Server, sql: str, params: Mapping[str, Any], *, seconds: float) -> Plan:
    """The plan; of a plain read that ends in time with the rows counted."""
    counted = not refusal(sql, server.kind)
    try:
        answer = _asked(server, sql, params, before=_COUNT if counted else _ESTIMATE, seconds=seconds)
    except Exception as error:
        if not counted or failure_of(error).kind is not FailureKind.STATEMENT_TIMEOUT:
            raise
        counted = False
        answer = _asked(server, sql, params, before=_ESTIMATE, seconds=EXPLAIN_SECONDS)
    scans = Scans(server, counted=counted)
    reading = _Reading(scans, counted=counted)
    found = tuple(scans.told(each) for each in reading.scans(answer["Plan"]))
    return Plan(found, json.dumps(_shown(answer), indent=1), counted)


def _asked(server: Server, sql: str, params: Mapping[str, Any], *, before: str, seconds: float) -> Node:
    answer = peek(server, sql, params, seconds=seconds, before=before)[0][0]
    said: Node = (json.loads(answer) if isinstance(answer, str) else answer)[0]
    return said


@dataclass(frozen=True, slots=True)
class _Reading:
    """Walks through a plan; `counted` says whether rows were counted or are estimates."""

    known: Scans
    counted: bool

    def scans(self, node: Node, *, loops: float = 1.0) -> Iterator[Found]:
        """Every table that is read, and again with the join's condition where that is what keeps few rows."""
        if "Relation Name" in node and node["Node Type"] != "ModifyTable":
            yield self._scan(node, condition=str(node.get("Filter", "")), kept=self._rows(node))
        below = node.get("Plans", [])
        if condition := node.get("Hash Cond") or node.get("Join Filter"):
            yield from self._joined(node, below, condition=str(condition))
        for each in below:
            yield from self.scans(each, loops=loops)

    def _joined(self, node: Node, below: list[Node], *, condition: str) -> Iterator[Found]:
        """Full scans without a filter of their own right below a join with few rows on the other side."""
        for scanned, other in zip(below, reversed(below), strict=True):
            table = _underneath(scanned)
            few = self._rows(other) < self._read(table) * SELECTIVE
            if table.get("Node Type") == "Seq Scan" and few:
                yield self._scan(table, condition=condition, kept=self._rows(node), how="Seq Scan for a join")

    def _scan(self, node: Node, *, condition: str, kept: float, how: str = "") -> Found:
        full = node["Node Type"] == "Seq Scan"
        table, schema = str(node["Relation Name"]), node.get("Schema")
        read = self._read(node)
        shape = self.known.shape(table, schema)
        in_a_pass = read / self._loops(node) * self._workers(node)
        rows = in_a_pass if self.counted else (shape.rows if shape else read)
        used = f"{node['Node Type']} ({node['Index Name']})" if "Index Name" in node else node["Node Type"]
        # Only a full scan can lack an index; any other is told without a filter to blame.
        scan = Scan(table, how or str(used), round(rows), round(read), round(kept), condition if full else "")
        return Found(scan, str(node.get("Alias", table)), schema)

    def _read(self, node: Node) -> float:
        """Rows that were looked at, in all passes."""
        if self.counted:
            rejected = node.get("Rows Removed by Filter", 0) + node.get("Rows Removed by Index Recheck", 0)
            return float((node.get("Actual Rows", 0) + rejected) * self._loops(node))
        if node.get("Node Type") == "Seq Scan":
            shape = self.known.shape(str(node["Relation Name"]), node.get("Schema"))
            return float(shape.rows) if shape else self._rows(node)
        return self._rows(node)

    def _rows(self, node: Node) -> float:
        rows = node.get("Actual Rows", 0) * self._loops(node) if self.counted else node.get("Plan Rows", 0)
        return float(rows)

    def _loops(self, node: Node) -> int:
        return max(1, int(node.get("Actual Loops", 1))) if self.counted else 1

    def _workers(self, node: Node) -> int:
        """Processes that share one pass: a parallel scan's loops."""
        return self._loops(node) if node.get("Parallel Aware") else 1


def _underneath(node: Node) -> Node:
    while node.get("Node Type") in _THROUGH and node.get("Plans"):
        node = node["Plans"][0]
    return node


def _shown(node: Any) -> Any:
    """The plan without what only fills the page."""
    if isinstance(node, Mapping):
        return {
            key: _shown(value) for key, value in node.items() if key not in _KEPT_OUT and value not in (0, [])
        }
    return [_shown(each) for each in node] if isinstance(node, list) else node
