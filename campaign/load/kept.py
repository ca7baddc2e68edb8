"""What large answers take of a worker's memory: one that would not fit is not kept.

Only what is larger than a few hundred KiB is counted, a step at a time, so usual answers cost nothing here.
"""

from __future__ import annotations

MOST_KEPT = 512 * 2**20
"""Bytes of large bodies that one worker keeps at a time, over all its users."""

FAILED = 400
"""The status from which an answer is a refusal, which a person will want to read."""

TOLD = 2048
"""Bytes of a refusal's body that are kept though nobody judges it: more than its sample shows."""


class Shelf:
    """The room for large bodies in this process."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.taken = 0

    def put(self, pieces: list[bytes], size: int) -> list[bytes] | None:
        """The same pieces of a body, which is `size` bytes large so far, with a place on the shelf; None
        where there is no room. What is no plain list has its own way with its pieces.
        """
        if type(pieces) is list:
            pieces = Placed(pieces, self)
        if isinstance(pieces, Placed):
            more = size - pieces.size
            if self.taken + more > self.most:
                return None
            self.taken += more
            pieces.size = size
        return pieces


class Placed(list[bytes]):
    """Pieces of a body that have a place on the shelf as long as anybody holds them."""

    __slots__ = ("_shelf", "size")

    def __init__(self, pieces: list[bytes], shelf: Shelf) -> None:
        super().__init__(pieces)
        self._shelf = shelf
        self.size = 0

    def __del__(self) -> None:
        """Nobody holds them any more; a counter of references sees that at once."""
        self._shelf.taken -= self.size


SHELF = Shelf(MOST_KEPT)
"""Memory belongs to the process, and so does this."""
