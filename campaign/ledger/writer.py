"""The ledger as it is written: every mark is out of our hands before the call returns."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from campaign.clock import Clock
from campaign.ledger.entry import Entry, Mark


def ignore(entry: Entry) -> None:
    """Nobody listens."""
    del entry


class Ledger:
    """Writes down what is known of each write, in a file of its own; of use to many threads at once.

    A mark has gone to the operating system when its call returns, so our own crash takes none back: mark a
    write as sent before it is sent, and count it as acknowledged only after `acknowledged` came back. Raises
    OSError where the file takes no more; what could not be written down then does not count. `listener` is
    told of every entry after it is in the file.
    """

    def __init__(self, path: Path, clock: Clock, *, listener: Callable[[Entry], None] = ignore) -> None:
        self.path = path
        self.listener = listener
        self._clock = clock
        self._began_ns = clock.now_ns()
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        self._lock = threading.Lock()
        self._next = 0
        self._torn = False

    def now_ns(self) -> int:
        """Nanoseconds since the ledger began, the time of its entries."""
        return self._clock.now_ns() - self._began_ns

    def allot(self) -> int:
        """The id of a new write: 0, 1, 2 and so on."""
        with self._lock:
            self._next += 1
            return self._next - 1

    def sent(self, number: int) -> None:
        """The write goes out now."""
        self._mark(Mark.SENT, number)

    def acknowledged(self, number: int) -> None:
        """The target said that it is done."""
        self._mark(Mark.ACKNOWLEDGED, number)

    def refused(self, number: int) -> None:
        """It was never sent, or the target said that it is not done."""
        self._mark(Mark.REFUSED, number)

    def unanswered(self, number: int) -> None:
        """It was sent and no answer came."""
        self._mark(Mark.UNANSWERED, number)

    def close(self) -> None:
        """Close the file; closing twice is the same as once."""
        with self._lock:
            if self._file >= 0:
                os.close(self._file)
                self._file = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _mark(self, mark: Mark, number: int) -> None:
        with self._lock:
            entry = Entry(mark, number, self.now_ns())
            self._write(entry.line())
            self.listener(entry)

    def _write(self, line: bytes) -> None:
        """All of the line, or OSError; what was cut off before it is made unreadable first."""
        rest = b" torn\n" + line if self._torn else line
        self._torn = True
        while rest:
            rest = rest[os.write(self._file, rest) :]
        self._torn = False
