"""The one third party: told what children say, where a parent consented to disclosure, and else nothing.

It is reached through an HTTP proxy, or not at all. A turn is told after it was stored and in a thread apart,
so that nobody waits; what cannot be told is dropped.
"""

import json
import queue
import threading
from contextlib import closing, suppress
from http.client import HTTPConnection, HTTPException
from typing import Protocol

from campaign.demo.options import UnusableOptionError

PARTNER = "Lantern Insights"
URL = "http://insights.example/v1/turns"
WITHIN_S = 2.0
MOST_WAITING = 200


class Insights(Protocol):
    """Where turns are told to the partner."""

    wanted: bool
    """Whether there is a way to the partner at all."""

    def tell(self, words: str) -> None:
        """Pass on what a child said, whose parent consented to that."""

    def close(self) -> None:
        """Tell nothing more."""


def insights_through(proxy: str | None) -> Insights:
    """The way to the partner through the proxy at HOST:PORT; raises UnusableOptionError where it is none."""
    return Nobody() if proxy is None else Told(*_address(proxy))


class Nobody:
    """No way to the partner."""

    wanted = False

    def tell(self, words: str) -> None:
        """Nothing is told."""

    def close(self) -> None:
        """Nothing to end."""


class Told:
    """Tells one turn after the other."""

    wanted = True

    def __init__(self, host: str, port: int) -> None:
        self._host, self._port = host, port
        self._waiting: queue.Queue[str | None] = queue.Queue(MOST_WAITING)
        self._thread = threading.Thread(target=self._tell_all, daemon=True)
        self._thread.start()

    def tell(self, words: str) -> None:
        """Pass it on soon; where too much waits already, it is dropped."""
        with suppress(queue.Full):
            self._waiting.put_nowait(words)

    def close(self) -> None:
        """Tell nothing more."""
        with suppress(queue.Full):
            self._waiting.put_nowait(None)
        self._thread.join(WITHIN_S)

    def _tell_all(self) -> None:
        while (words := self._waiting.get()) is not None:
            with suppress(OSError, HTTPException):
                self._post(json.dumps({"said": words}).encode())

    def _post(self, body: bytes) -> None:
        with closing(HTTPConnection(self._host, self._port, timeout=WITHIN_S)) as connection:
            connection.request("POST", URL, body, {"Content-Type": "application/json"})
            connection.getresponse().read()


def _address(proxy: str) -> tuple[str, int]:
    host, separator, port = proxy.rpartition(":")
    if not (separator and host and port.isdecimal() and 0 < int(port) < 65_536):
        raise UnusableOptionError(f"the outgoing proxy is at HOST:PORT, not at {proxy!r}")
    return host.strip("[]"), int(port)
