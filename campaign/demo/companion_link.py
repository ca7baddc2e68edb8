"""The way to the companion: in this process, or on connections to a service of its own."""

import json
import socket
import threading
from collections import deque
from contextlib import suppress
from typing import Protocol

from campaign.demo.companion import Said, reply_to
from campaign.demo.defects import HANG_ON_OUTAGE, NO_RECONNECT, RETRY_STORM
from campaign.demo.options import UnusableOptionError
from campaign.demo.presence import Presence
from campaign.demo.problems import UnavailableError

ANSWER_WITHIN_S = 1.0
Address = tuple[str, int]
AWAY = "the companion does not answer now, please try again"


class CompanionLink(Protocol):
    """Where replies come from."""

    def reply(self, words: str, context: list[Said]) -> str:
        """The answer to a child's words. Raises UnavailableError where nobody answers."""

    def close(self) -> None:
        """Let go of connections."""


def link_to(companion: str | None, *, defects: frozenset[str] = frozenset()) -> CompanionLink:
    """The way to the companion at HOST:PORT. Raises UnusableOptionError where it is none."""
    if companion is None:
        return Near()
    address = _address(companion)
    if RETRY_STORM in defects:
        return Insistent(address, within_s=ANSWER_WITHIN_S)
    if NO_RECONNECT in defects:
        return OneLine(address)
    if HANG_ON_OUTAGE in defects:
        return Apart(address, within_s=None)
    return Apart(address, within_s=ANSWER_WITHIN_S)


class Near:
    """The companion in this process."""

    def reply(self, words: str, context: list[Said]) -> str:
        """The answer to a child's words."""
        return reply_to(words, context)

    def close(self) -> None:
        """Nothing to let go of."""


class Line:
    """One connection to the companion. Every method raises OSError where the other side does not do its part
    within `within_s` (None: for ever).
    """

    def __init__(self, address: Address, *, within_s: float | None) -> None:
        self._socket = socket.create_connection(address, timeout=within_s)
        self._lines = self._socket.makefile("rwb")

    def ask(self, question: bytes) -> str:
        """The reply."""
        self._lines.write(question)
        self._lines.flush()
        answer = self._lines.readline()
        if not answer.endswith(b"\n"):
            raise ConnectionResetError("the companion hung up")
        return str(json.loads(answer)["reply"])

    def close(self) -> None:
        """Hang up."""
        with suppress(OSError):
            self._lines.close()
        self._socket.close()


class Apart:
    """Lines that are kept for the next question, and replaced when they turn out to be broken.

    A companion that does not answer in time is not asked by callers again before it has answered our own
    question; without a time-out nobody ever knows.
    """

    def __init__(self, address: Address, *, within_s: float | None) -> None:
        self._address = address
        self._within_s = within_s
        self._idle: deque[Line] = deque()
        self._presence = Presence("companion", self._try)

    def reply(self, words: str, context: list[Said]) -> str:
        """The answer to a child's words. Raises UnavailableError."""
        self._presence.require()
        try:
            return self._answer(_question(words, context))
        except OSError as error:
            self._presence.lost()
            raise self._presence.unavailable() from error

    def close(self) -> None:
        """Hang up everywhere."""
        self._presence.close()
        while self._idle:
            self._idle.pop().close()

    def _answer(self, question: bytes) -> str:
        return self._ask_kept(question) or self._ask(self._open(), question)

    def _ask_kept(self, question: bytes) -> str | None:
        while self._idle:
            with suppress(IndexError, ConnectionError):  # it hung up while nobody spoke
                return self._ask(self._idle.pop(), question)
        return None

    def _ask(self, line: Line, question: bytes) -> str:
        try:
            reply = line.ask(question)
        except BaseException:
            line.close()
            raise
        self._idle.append(line)
        return reply

    def _open(self) -> Line:
        return Line(self._address, within_s=self._within_s)

    def _try(self) -> None:
        self._ask(self._open(), _question("hello", []))


class OneLine:
    """The defect `no-reconnect`: the line that was opened first is the only one there ever is."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self._one_speaker = threading.Lock()
        self._line: Line | None = None

    def reply(self, words: str, context: list[Said]) -> str:
        """The answer to a child's words. Raises UnavailableError."""
        with self._one_speaker:
            try:
                if self._line is None:
                    self._line = Line(self._address, within_s=ANSWER_WITHIN_S)
                return self._line.ask(_question(words, context))
            except (OSError, ValueError) as error:  # what times out, or was closed, is never good again
                if self._line is not None:
                    self._line.close()
                raise UnavailableError(AWAY, retry_after_s=1) from error

    def close(self) -> None:
        """Hang up."""
        if self._line is not None:
            self._line.close()


class Insistent(Apart):
    """The defect `retry-storm`: what was not answered is asked on, at once and for ever, so that the answer
    is there when the child asks again; and a companion that is away is asked by every new caller too.
    """

    def __init__(self, address: Address, *, within_s: float) -> None:
        super().__init__(address, within_s=within_s)
        self._closed = threading.Event()

    def reply(self, words: str, context: list[Said]) -> str:
        """The answer to a child's words. Raises UnavailableError."""
        question = _question(words, context)
        try:
            return self._answer(question)
        except OSError as error:
            threading.Thread(target=self._insist, args=(question,), daemon=True).start()
            raise UnavailableError(AWAY, retry_after_s=1) from error

    def close(self) -> None:
        """Hang up everywhere, and ask no more."""
        self._closed.set()
        super().close()

    def _insist(self, question: bytes) -> None:
        while not self._closed.is_set():
            with suppress(OSError, ValueError):
                line = Line(self._address, within_s=None)
                try:
                    line.ask(question)
                finally:
                    line.close()
                return


def _question(words: str, context: list[Said]) -> bytes:
    asked = {"words": words, "context": [[said.role, said.text] for said in context]}
    return json.dumps(asked).encode() + b"\n"


def _address(companion: str) -> Address:
    host, separator, port = companion.rpartition(":")
    if not (separator and host and port.isdecimal() and int(port) < 65_536):
        raise UnusableOptionError(f"the companion is at HOST:PORT, not at {companion!r}")
    return host.strip("[]"), int(port)
