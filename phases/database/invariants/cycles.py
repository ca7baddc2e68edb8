"""Cycles among transactions that depend on each other, and what each is called. Pure.

`ww`: it wrote over what the other wrote. `wr`: it read what the other wrote. `rw`: it read what the other
then wrote over. A cycle of ww is G0; of ww and wr G1c; with one rw G-single; with several G2-item.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from phases.database.invariants.promises import Anomaly

MOST_SEARCHED = 200
"""Edges of one group of transactions from which a cycle is searched."""


@dataclass(frozen=True, slots=True)
class Edge:
    """`target` came after `source`, as the version `value` of `key` shows."""

    source: int
    target: int
    kind: str
    key: int
    value: int

    def __str__(self) -> str:
        return f"T{self.source} -{self.kind} {self.key}:{self.value}-> T{self.target}"


@dataclass(frozen=True, slots=True)
class Cycle:
    """Edges, each beginning where the one before ended, and the last ending where the first began."""

    edges: tuple[Edge, ...]

    @property
    def kind(self) -> Anomaly:
        """What such a cycle is called."""
        kinds = [each.kind for each in self.edges]
        if "rw" in kinds:
            return Anomaly.G_SINGLE if kinds.count("rw") == 1 else Anomaly.G2_ITEM
        return Anomaly.G1C if "wr" in kinds else Anomaly.G0

    def shown(self, most: int) -> str:
        """Its first edges, and how many more there are."""
        told = ", ".join(map(str, self.edges[:most]))
        more = len(self.edges) - most
        return f"{told}, and {more} more" if more > 0 else told


def find_cycles(edges: Sequence[Edge]) -> list[Cycle]:
    """A shortest cycle through each of the edges that lie on one (at most 200 of a group), each once.

    The simplest kind is searched first: what writes alone explain is no stale read.
    """
    found: dict[frozenset[int], Cycle] = {}
    for closing, allowed in (
        ("ww", {"ww"}),
        ("wr", {"ww", "wr"}),
        ("rw", {"ww", "wr"}),
        ("rw", {"ww", "wr", "rw"}),
    ):
        for cycle in _through(closing, [each for each in edges if each.kind in {closing, *allowed}], allowed):
            found.setdefault(frozenset(edge.source for edge in cycle.edges), cycle)
    return list(found.values())


def _through(closing: str, edges: list[Edge], allowed: set[str]) -> Iterator[Cycle]:
    """A cycle through each edge of kind `closing` whose way back uses `allowed` kinds only."""
    groups = _groups(edges)
    inside: dict[int, list[Edge]] = defaultdict(list)
    for each in edges:
        if groups[each.source] == groups[each.target]:
            inside[groups[each.source]].append(each)
    for group in inside.values():
        following = _following(each for each in group if each.kind in allowed)
        for edge in [each for each in group if each.kind == closing][:MOST_SEARCHED]:
            if (way := _way(following, edge.target, edge.source)) is not None:
                yield Cycle((edge, *way))


def _groups(edges: list[Edge]) -> Mapping[int, int]:
    """The number of the strongly connected component of each transaction."""
    from scipy.sparse import coo_array  # noqa: PLC0415 - only where a history is checked
    from scipy.sparse.csgraph import connected_components  # noqa: PLC0415

    names = sorted({end for each in edges for end in (each.source, each.target)})
    if not names:
        return {}
    place = {name: index for index, name in enumerate(names)}
    ends = ([place[each.source] for each in edges], [place[each.target] for each in edges])
    graph = coo_array(([1] * len(edges), ends), shape=(len(names), len(names)))
    _, labels = connected_components(graph.tocsr(), directed=True, connection="strong")
    return {name: int(labels[place[name]]) for name in names}


def _following(edges: Iterator[Edge]) -> Mapping[int, list[Edge]]:
    following: dict[int, list[Edge]] = defaultdict(list)
    for each in edges:
        following[each.source].append(each)
    return following


def _way(following: Mapping[int, list[Edge]], start: int, end: int) -> tuple[Edge, ...] | None:
    """The shortest way from `start` to `end`, or None."""
    came: dict[int, Edge] = {}
    waiting = deque([start])
    while waiting:
        here = waiting.popleft()
        if here == end:
            return _back(came, start, end)
        for edge in following.get(here, ()):
            if edge.target not in came and edge.target != start:
                came[edge.target] = edge
                waiting.append(edge.target)
    return None


def _back(came: Mapping[int, Edge], start: int, end: int) -> tuple[Edge, ...]:
    way: list[Edge] = []
    while end != start:
        way.append(came[end])
        end = came[end].source
    return tuple(reversed(way))
