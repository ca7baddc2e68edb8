"""What a load generator costs while it works: CPU per request and memory of its whole process tree.

Every client is measured in the same way: once its connections are open and a moment has passed, the CPU time
of all its processes and the requests that the server counted are read, and again some seconds later. Starting
up is in no figure, so that an interpreter that imports for a second is not blamed for it.
"""

from __future__ import annotations

import contextlib
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import psutil
from server import Server

SETTLE = 1.0
"""Seconds between the last connection and the first reading."""

START_LIMIT = 60.0
"""Seconds that a client may take until its connections are open."""


class Usage(NamedTuple):
    """µs of CPU per request (all processes), requests per second, MB of all processes and of the largest."""

    cpu: float
    rate: float
    total: float
    largest: float


@contextlib.contextmanager
def running(command: Sequence[str]) -> Iterator[subprocess.Popen[str]]:
    """The client's process; ended, if it has not by itself, with all that it started."""
    process = subprocess.Popen(list(command), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        yield process
    finally:
        tree = _tree(process.pid)
        for each in tree:
            with contextlib.suppress(psutil.NoSuchProcess):
                each.send_signal(signal.SIGKILL)
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


def measure(server: Server, process: subprocess.Popen[str], *, users: int, seconds: float) -> Usage:
    """What the client needs over `seconds`, once `users` connections are open."""
    _wait_for(server, process, users)
    time.sleep(SETTLE)
    cpu, requests, began = _cpu(process.pid), server.counts().requests, time.monotonic()
    time.sleep(seconds)
    used = _cpu(process.pid) - cpu
    done = server.counts().requests - requests - 1  # the second reading is a request too
    elapsed = time.monotonic() - began
    assert done > 0, f"no requests from {process.args}"
    sizes = memory(process.pid)
    return Usage(used / done * 1e6, done / elapsed, sum(sizes), max(sizes))


def usage_of(server: Server, command: Sequence[str], *, users: int, seconds: float) -> Usage:
    """The same of a command that is started for it, and ended after it."""
    with running(command) as process:
        return measure(server, process, users=users, seconds=seconds)


def memory(pid: int) -> list[float]:
    """MB resident of each process of the tree."""
    return [each.memory_info().rss / 1e6 for each in _tree(pid)]


def _wait_for(server: Server, process: subprocess.Popen[str], users: int) -> None:
    deadline = time.monotonic() + START_LIMIT
    while server.counts().connections < users:
        if process.poll() is not None or time.monotonic() > deadline:
            raise SystemExit(f"{process.args} did not open {users} connections")
        time.sleep(0.1)


def _cpu(pid: int) -> float:
    """Seconds of CPU so far, from the scheduler's own count: psutil's comes in steps of 10 ms."""
    return sum(_thread_ns(thread) for each in _tree(pid) for thread in _threads(each.pid)) / 1e9


def _threads(pid: int) -> list[Path]:
    return list(Path(f"/proc/{pid}/task").glob("*/schedstat"))


def _thread_ns(schedstat: Path) -> int:
    try:
        return int(schedstat.read_text().split()[0])
    except OSError:  # a thread that has just ended
        return 0


def _tree(pid: int) -> list[psutil.Process]:
    with contextlib.suppress(psutil.NoSuchProcess):
        top = psutil.Process(pid)
        return [top, *top.children(recursive=True)]
    return []
