"""Processes on this machine: the target's, found by the port it listens on, and our own."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable
from contextlib import suppress
from urllib.parse import urlsplit

import psutil

from campaign.monitor.source import Reading

GONE = (psutil.Error, OSError)

LOOK_EVERY = 5
"""Readings between two searches for processes; a search walks over all of the machine's."""

COLUMNS = (("cpu", "share"), ("memory", "B"), ("threads", "threads"), ("files", "files"))


def listening_pid(url: str) -> int | None:
    """The process on this machine that listens on the port of `url`; None when it is elsewhere or hidden
    from us.
    """
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    if not _is_local(parts.hostname or ""):
        return None
    with suppress(*GONE):
        for connection in psutil.net_connections(kind="tcp"):
            listens = connection.laddr if connection.status == psutil.CONN_LISTEN else None
            if listens and listens.port == port and connection.pid:
                return int(connection.pid)
    return None


def _is_local(host: str) -> bool:
    if host == "localhost":
        return True
    with suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return host == socket.gethostname()


class ProcessSource:
    """CPU (share of one core), resident memory, threads and open files of some processes and their children.

    `roots` is asked again every few readings, so a restarted target is found again and new workers are seen;
    processes of `others` are left out. One counts from its second reading on, as its CPU share needs two.
    `begins`: when the youngest of the roots began is read too.
    """

    def __init__(
        self,
        name: str,
        roots: Callable[[], set[int]],
        *,
        others: Callable[[], set[int]] = set,
        begins: bool = False,
    ) -> None:
        self._name = name
        self._roots = roots
        self._begins = begins
        self._others = others
        self._known: dict[int, psutil.Process] = {}
        self._first: set[int] = set()
        self._readings = 0
        self.ever_seen = False

    def read(self) -> Reading:
        """The sums over all of them; all None when there is none to be read."""
        sums = [reading for process in self._known.values() if (reading := _read(process))]
        self.ever_seen = self.ever_seen or bool(sums)
        totals = [sum(column) for column in zip(*sums, strict=True)] if sums else [None] * len(COLUMNS)
        if self._readings % LOOK_EVERY == 0 or len(sums) < len(self._known):
            self._look()
        self._readings += 1
        columns = {
            f"{self._name}.{column}": (total, unit)
            for (column, unit), total in zip(COLUMNS, totals, strict=True)
        }
        if self._begins:
            columns[f"{self._name}.started"] = self._started(), "s since 1970"
        return columns

    def _started(self) -> float | None:
        """When the youngest of the roots began, seconds since 1970."""
        roots = [process for pid, process in self._known.items() if pid in self._first]
        begun = [at for process in roots if (at := _begun(process)) is not None]
        return max(begun, default=None)

    def _look(self) -> None:
        self._first = self._roots()
        self._known = {
            pid: process
            for pid in _with_children(self._first) - self._others()
            if (process := self._known.get(pid) or _process(pid)) and process.is_running()
        }

    def pids(self) -> set[int]:
        """The processes that are known now."""
        return set(self._known)


class PortOwner:
    """Called, it gives the process that listens on the port of a URL, as a set; remembers it while it lives.

    A search looks at every open file of the machine, which takes a good part of a second on a busy one; so
    while there is nothing to be found it is made ever more rarely.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._pid: int | None = None
        self._asked = 0

    def __call__(self) -> set[int]:
        """The process now, or none."""
        if self._pid is not None and psutil.pid_exists(self._pid):
            return {self._pid}
        self._asked = 1 if self._pid is not None else self._asked + 1
        self._pid = listening_pid(self._url) if self._asked.bit_count() == 1 else None
        return set() if self._pid is None else {self._pid}


def _with_children(pids: set[int]) -> set[int]:
    everyone = set(pids)
    for pid in pids:
        with suppress(*GONE):
            everyone |= {child.pid for child in psutil.Process(pid).children(recursive=True)}
    return everyone


def _process(pid: int) -> psutil.Process | None:
    with suppress(*GONE):
        process = psutil.Process(pid)
        process.cpu_percent()  # the first call only sets the starting point
        return process
    return None


def _begun(process: psutil.Process) -> float | None:
    with suppress(*GONE):
        return float(process.create_time()) if process.is_running() else None
    return None


def _read(process: psutil.Process) -> tuple[float, float, float, float] | None:
    with suppress(*GONE), process.oneshot():
        files = process.num_fds() if hasattr(process, "num_fds") else 0
        cpu = process.cpu_percent() / 100
        return cpu, float(process.memory_info().rss), float(process.num_threads()), float(files)
    return None
