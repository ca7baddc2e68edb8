"""A list-append history: what each transaction did and saw."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

SHOWN = 6
"""Elements of a list that are shown to people: its end is where it happens."""


class Status(StrEnum):
    """How a transaction ended, as far as the client knows."""

    OK = "ok"
    FAIL = "fail"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Append:
    """`value`, unique in the whole history, was put at the end of the list under `key`."""

    key: int
    value: int

    def __str__(self) -> str:
        return f"append({self.key}, {self.value})"


@dataclass(frozen=True, slots=True)
class Read:
    """The whole list under `key`, as it was seen."""

    key: int
    values: tuple[int, ...]

    def __str__(self) -> str:
        shown = ", ".join(map(str, self.values[-SHOWN:]))
        return f"read({self.key}) = [{'… ' if len(self.values) > SHOWN else ''}{shown}]"


Operation: TypeAlias = Append | Read


@dataclass(frozen=True, slots=True)
class Transaction:
    """One transaction; of one that failed or whose end is unknown the operations that were answered, and all
    appends that were tried.
    """

    number: int
    status: Status
    operations: tuple[Operation, ...]

    def appends(self) -> Iterator[Append]:
        """Its appends in order."""
        return (each for each in self.operations if isinstance(each, Append))

    def reads(self) -> Iterator[Read]:
        """Its reads in order."""
        return (each for each in self.operations if isinstance(each, Read))

    def __str__(self) -> str:
        return f"T{self.number} ({self.status.value}): {', '.join(map(str, self.operations))}"


def settled(history: list[Transaction]) -> list[Transaction]:
    """The history in which a transaction of unknown end counts as done where somebody else saw its append."""
    seen = {
        value
        for each in history
        if each.status is Status.OK
        for read in each.reads()
        for value in read.values
    }
    return [_settled(each, seen) for each in history]


def _settled(transaction: Transaction, seen: set[int]) -> Transaction:
    if transaction.status is Status.UNKNOWN and any(each.value in seen for each in transaction.appends()):
        return Transaction(transaction.number, Status.OK, transaction.operations)
    return transaction
