"""One line of a ledger: what became known of one write, and when."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Mark(StrEnum):
    """What became known. REFUSED: it was never sent, or definitely not done. UNANSWERED: it was sent and
    nobody can tell.
    """

    SENT = "s"
    ACKNOWLEDGED = "a"
    REFUSED = "r"
    UNANSWERED = "u"


FAILURES = frozenset({Mark.REFUSED, Mark.UNANSWERED})


@dataclass(frozen=True, slots=True)
class Entry:
    """A mark on the write `id`; `at_ns` in nanoseconds since the ledger began."""

    mark: Mark
    id: int
    at_ns: int

    def line(self) -> bytes:
        """The entry as a line of the file, its end included; times in microseconds."""
        return b"%s %d %d\n" % (self.mark.value.encode(), self.id, self.at_ns // 1000)


def read_line(line: bytes) -> Entry | None:
    """The entry in a line; None where it is none, as a line that was cut off in the middle."""
    if not line.endswith(b"\n"):
        return None
    parts = line.split()
    try:
        mark, number, at = parts
        entry = Entry(Mark(mark.decode()), int(number), int(at) * 1000)
    except ValueError:
        return None
    return entry if entry.id >= 0 else None
