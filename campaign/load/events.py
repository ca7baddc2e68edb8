"""Server-sent events found in a body that comes in pieces (WHATWG HTML standard, section 9.2.6)."""

from __future__ import annotations

import re

_LINE_END = re.compile(rb"\r\n|\r|\n")
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class EventParser:
    """Gives whole events; comments (`: keep-alive`) and events without data are none."""

    __slots__ = ("_after_cr", "_begun", "_data", "_unended")

    def __init__(self) -> None:
        self._unended: list[bytes] = []
        self._data: list[bytes] = []
        self._after_cr = False
        self._begun = False

    def feed(self, piece: bytes) -> list[bytes]:
        """The data of the events that `piece` makes whole, in order."""
        if self._after_cr and piece[:1] == b"\n":
            piece = piece[1:]  # the second half of a CRLF
        self._after_cr = piece[-1:] == b"\r"
        *lines, rest = _LINE_END.split(piece)
        if not lines:
            self._unended.append(rest)
            return []
        lines[0] = b"".join((*self._unended, lines[0]))
        self._unended = [rest]
        if not self._begun:
            self._begun = True
            lines[0] = lines[0].removeprefix(_BYTE_ORDER_MARK)
        return [event for line in lines if (event := self._take(line)) is not None]

    def _take(self, line: bytes) -> bytes | None:
        """The event that this line ends."""
        if not line:
            return self._dispatch()
        name, _, value = line.partition(b":")
        if name == b"data":
            self._data.append(value.removeprefix(b" "))
        return None

    def _dispatch(self) -> bytes | None:
        if not self._data:
            return None
        event = b"\n".join(self._data)
        self._data.clear()
        return event
