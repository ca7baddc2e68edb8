"""A list-append history in, its anomalies out (Kingsbury and Alvaro, "Elle", VLDB 2020). Pure.

The order of a key's versions is the longest list that was read of it: each version names its writer, as
every value is appended once only.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise

from phases.database.invariants.cycles import Edge, find_cycles
from phases.database.invariants.history import Append, Operation, Read, Status, Transaction, settled
from phases.database.invariants.promises import Anomaly

MOST_KEPT = 5
"""Examples of one kind that are kept; all are counted."""

MOST_SHOWN = 8
"""Transactions of a long cycle that are shown."""


@dataclass(frozen=True, slots=True)
class Case:
    """One anomaly: what happened in a sentence, and the few transactions that show it."""

    kind: Anomaly
    text: str
    shown: tuple[str, ...]


@dataclass(slots=True)
class Verdict:
    """How often each kind was found, and a few examples of each."""

    counts: Counter[Anomaly] = field(default_factory=Counter)
    cases: list[Case] = field(default_factory=list)

    def add(self, case: Case) -> None:
        """Count it, and keep it if there are few of its kind."""
        self.counts[case.kind] += 1
        if self.counts[case.kind] <= MOST_KEPT:
            self.cases.append(case)


@dataclass(frozen=True, slots=True)
class _Known:
    """The history by what is looked up in it."""

    done: tuple[Transaction, ...]
    writers: Mapping[int, Transaction]
    orders: Mapping[int, tuple[int, ...]]


def check_history(history: list[Transaction], final: Mapping[int, tuple[int, ...]]) -> Verdict:
    """Every anomaly of the history; `final` is each key's list, read when all was over."""
    last = Transaction(0, Status.OK, tuple(Read(key, values) for key, values in sorted(final.items())))
    known = _known([*settled([*history, last])])
    verdict = Verdict()
    for rule in _RULES:
        for case in rule(known):
            verdict.add(case)
    for case in _lost(known, final):
        verdict.add(case)
    for cycle in find_cycles(list(_edges(known))):
        numbers = {each.number: each for each in known.done}
        shown = tuple(str(numbers[edge.source]) for edge in cycle.edges[:MOST_SHOWN])
        verdict.add(Case(cycle.kind, cycle.shown(MOST_SHOWN), shown))
    return verdict


def _known(history: list[Transaction]) -> _Known:
    done = tuple(each for each in history if each.status is Status.OK)
    writers = {append.value: each for each in history for append in each.appends()}
    orders: dict[int, tuple[int, ...]] = {}
    for each in done:
        for read in each.reads():
            orders[read.key] = max(orders.get(read.key, ()), read.values, key=len)
    return _Known(done, writers, orders)


def _edges(known: _Known) -> Iterator[Edge]:
    done = {each.number for each in known.done}
    return (
        edge
        for edge in (*_write_edges(known), *_read_edges(known))
        if edge.source != edge.target and {edge.source, edge.target} <= done
    )


def _write_edges(known: _Known) -> Iterator[Edge]:
    for key, order in known.orders.items():
        for earlier, later in pairwise(order):
            if earlier in known.writers and later in known.writers:
                yield Edge(known.writers[earlier].number, known.writers[later].number, "ww", key, later)


def _read_edges(known: _Known) -> Iterator[Edge]:
    for each in known.done:
        for read in each.reads():
            yield from _edges_of(each, read, known)


def _edges_of(transaction: Transaction, read: Read, known: _Known) -> Iterator[Edge]:
    """Who wrote what it saw, and who wrote what it did not see yet."""
    order = known.orders[read.key]
    if read.values != order[: len(read.values)]:
        return  # its order is another anomaly, and says nothing of who came first
    if read.values and (writer := known.writers.get(read.values[-1])):
        yield Edge(writer.number, transaction.number, "wr", read.key, read.values[-1])
    if len(read.values) < len(order) and (writer := known.writers.get(order[len(read.values)])):
        yield Edge(transaction.number, writer.number, "rw", read.key, order[len(read.values)])


def _aborted_reads(known: _Known) -> Iterator[Case]:
    for each, read in _reads(known):
        for value in read.values:
            writer = known.writers.get(value)
            if writer is not None and writer.status is Status.FAIL:
                text = f"T{each.number} read {value} under {read.key}, which T{writer.number} had undone"
                yield Case(Anomaly.G1A, text, (str(each), str(writer)))


def _intermediate_reads(known: _Known) -> Iterator[Case]:
    for each, read in _reads(known):
        writer = known.writers.get(read.values[-1]) if read.values else None
        if writer is None or writer.number == each.number:
            continue
        last = [append.value for append in writer.appends() if append.key == read.key][-1:]
        if last != [read.values[-1]]:
            seen = f"{read.values[-1]} under {read.key}"
            text = f"T{each.number} read {seen} before T{writer.number} was done with it"
            yield Case(Anomaly.G1B, text, (str(each), str(writer)))


def _duplicates(known: _Known) -> Iterator[Case]:
    for key, order in known.orders.items():
        for value, times in Counter(order).items():
            if times > 1:
                text = f"{value} is {times} times in the list under {key}"
                yield Case(Anomaly.DUPLICATE, text, (str(Read(key, order)),))


def _phantoms(known: _Known) -> Iterator[Case]:
    for each, read in _reads(known):
        for value in read.values:
            if value not in known.writers:
                text = f"T{each.number} read {value} under {read.key}, which nobody had appended"
                yield Case(Anomaly.PHANTOM, text, (str(each),))


def _incompatible(known: _Known) -> Iterator[Case]:
    for each, read in _reads(known):
        order = known.orders[read.key]
        if read.values != order[: len(read.values)]:
            text = f"T{each.number} saw another order under {read.key} than the longest read"
            yield Case(Anomaly.INCOMPATIBLE, text, (str(each), f"longest {Read(read.key, order)}"))


def _internal(known: _Known) -> Iterator[Case]:
    for each in known.done:
        for place, operation in enumerate(each.operations):
            if isinstance(operation, Read):
                yield from _unseen(each, operation, each.operations[:place])


def _unseen(transaction: Transaction, read: Read, before: tuple[Operation, ...]) -> Iterator[Case]:
    own = [each.value for each in before if isinstance(each, Append) and each.key == read.key]
    if own and read.values[-len(own) :] != tuple(own):
        text = f"T{transaction.number} did not see its own appends at the end of the list under {read.key}"
        yield Case(Anomaly.INTERNAL, text, (str(transaction),))


def _lost(known: _Known, final: Mapping[int, tuple[int, ...]]) -> Iterator[Case]:
    there = {key: set(values) for key, values in final.items()}
    for each in known.done:
        for append in each.appends():
            if append.value not in there.get(append.key, set()):
                text = f"{append.value}, appended to {append.key} by T{each.number}, is not there in the end"
                yield Case(Anomaly.LOST, text, (str(each),))


def _reads(known: _Known) -> Iterator[tuple[Transaction, Read]]:
    return ((each, read) for each in known.done for read in each.reads())


_RULES: tuple[Callable[[_Known], Iterator[Case]], ...] = (
    _aborted_reads,
    _intermediate_reads,
    _duplicates,
    _phantoms,
    _incompatible,
    _internal,
)
