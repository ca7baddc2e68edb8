"""What a ledger says, read from its file: one byte per write, so that hours of writes fit into memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import IntEnum
from pathlib import Path

import numpy as np
import numpy.typing as npt

from campaign.ledger.entry import Entry, Mark, read_line

LARGEST_ID = 1_000_000_000
"""Ids beyond this are no ids of a ledger, which counts from 0."""


class State(IntEnum):
    """What is known of a write at the end."""

    UNTRIED = 0
    PENDING = 1
    ACKNOWLEDGED = 2
    REFUSED = 3
    UNKNOWN = 4


def following(state: State, mark: Mark) -> State:
    """The state of a write after this mark.

    An acknowledgement is final. Of two tries the one without an answer decides: that the other one was
    refused says nothing of it.
    """
    if state is State.ACKNOWLEDGED or mark is Mark.ACKNOWLEDGED:
        return State.ACKNOWLEDGED
    if state is State.UNKNOWN or mark is Mark.UNANSWERED:
        return State.UNKNOWN
    if mark is Mark.SENT:
        return State.UNKNOWN if state is State.PENDING else State.PENDING
    return State.REFUSED


class Book:
    """The state of every write of a ledger, by id. What is pending at its end is unknown."""

    def __init__(self) -> None:
        self._states = bytearray()

    @classmethod
    def of(cls, entries: Iterable[Entry]) -> Book:
        """The book that these entries make, in their order."""
        book = cls()
        for entry in entries:
            book.note(entry)
        return book

    def note(self, entry: Entry) -> None:
        """Take one more entry into account."""
        if entry.id > LARGEST_ID:
            return
        if entry.id >= len(self._states):
            self._states.extend(bytes(max(entry.id + 1 - len(self._states), len(self._states))))
        self._states[entry.id] = following(State(self._states[entry.id]), entry.mark)

    def state(self, number: int) -> State:
        """What is known of this write."""
        known = State(self._states[number]) if 0 <= number < len(self._states) else State.UNTRIED
        return State.UNKNOWN if known is State.PENDING else known

    def states(self) -> npt.NDArray[np.uint8]:
        """The `State` of each id from 0 on, as bytes."""
        states = np.frombuffer(bytes(self._states), dtype=np.uint8).copy()
        states[states == State.PENDING] = State.UNKNOWN
        return states

    def count(self, state: State) -> int:
        """How many writes are in that state."""
        return int(np.count_nonzero(self.states() == state))


def entries(path: Path) -> Iterator[Entry]:
    """The entries of a ledger's file, one by one; lines that are cut off or no entries are left out.

    Raises OSError where the file cannot be read.
    """
    with path.open("rb") as file:
        for line in file:
            if (entry := read_line(line)) is not None:
                yield entry


def read_book(path: Path) -> Book:
    """The book behind a ledger's file, also after the crash of who wrote it. Raises OSError."""
    return Book.of(entries(path))
