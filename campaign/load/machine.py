"""What this machine grants a load worker: open files, ports, its share of the cores; read, never guessed.

What cannot be read (another system than Linux) is 0 and limits nothing.
"""

from __future__ import annotations

import gc
import resource
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

PROC = Path("/proc")

OWN_FILES = 64
"""Files that a worker has open without a single connection, generously."""


@dataclass(frozen=True, slots=True)
class Means:
    """What a worker has: how many files it may have open, how many ports there are towards one address, and
    where it is (workers of one machine share its ports).
    """

    open_files: int = 0
    ports: int = 0
    machine: str = ""


@dataclass(frozen=True, slots=True)
class Vitals:
    """How a worker fared: since its last report, and `stolen` since the judged part began.

    `longest_pause` and `paused` in ns: of the garbage collector. `closing` connections of this machine hold a
    port (TIME_WAIT). `stolen` is the share of processor time that the machine's host gave to others.
    """

    longest_pause: int = 0
    paused: int = 0
    closing: int = 0
    stolen: float = 0.0


class PauseWatch:
    """Times every pass of the garbage collector while it is on; a pass stops the whole process."""

    def __init__(self) -> None:
        self.longest = 0
        self.total = 0
        self._began = 0

    def start(self) -> None:
        """Begin to watch."""
        gc.callbacks.append(self._called)

    def stop(self) -> None:
        """Watch no further; stopping twice is the same as once."""
        if self._called in gc.callbacks:
            gc.callbacks.remove(self._called)

    def take(self) -> tuple[int, int]:
        """The longest pause and all together, in ns, since the last call."""
        taken = self.longest, self.total
        self.longest = self.total = 0
        return taken

    def _called(self, phase: str, _info: dict[str, int]) -> None:
        now = time.perf_counter_ns()
        if phase == "start":
            self._began = now
        elif self._began:
            self.longest = max(self.longest, now - self._began)
            self.total += now - self._began


Ticks: TypeAlias = tuple[int, int]
"""Stolen ticks and all ticks of all cores since the machine started."""


def processor_ticks() -> Ticks:
    """The line "cpu" of /proc/stat (proc(5)); (0, 0) where there is none."""
    fields = _read("stat").partition("\n")[0].split()[1:9]
    ticks = [int(each) for each in fields]
    return (ticks[7], sum(ticks)) if len(ticks) == 8 else (0, 0)


def stolen_share(before: Ticks, after: Ticks) -> float:
    """The share of processor time between two readings that the host gave to other machines."""
    passed = after[1] - before[1]
    return (after[0] - before[0]) / passed if passed > 0 else 0.0


def closing_connections() -> int:
    """Connections in TIME_WAIT: each keeps its port for a minute after its end."""
    fields = next(
        (each.split() for each in _read("net/sockstat").splitlines() if each.startswith("TCP:")), []
    )
    return int(fields[fields.index("tw") + 1]) if "tw" in fields else 0


def means() -> Means:
    """What this process is granted now."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    low, high = ([int(each) for each in _read("sys/net/ipv4/ip_local_port_range").split()] + [0, -1])[:2]
    return Means(max(soft, 0), high - low + 1, _read("sys/kernel/random/boot_id").strip())


def allow_many_connections() -> None:
    """Let this process open as many files as it may allow itself."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def shortages(means: list[Means], users: int, *, hosts: int) -> tuple[str, ...]:
    """What may run out when `users` users, shared by workers with such means, each keep a connection to each
    of `hosts` hosts: sentences for the user, none where all will do.
    """
    each = -(-users // len(means))
    files = each * hosts + OWN_FILES
    fewest = min((mean.open_files for mean in means if mean.open_files), default=0)
    found = []
    if fewest and files > fewest:
        found.append(
            f"a load worker may have {fewest:,} files open, and {each:,} users may want {files:,}; "
            f"raise the limit (ulimit -n) or share the load among more workers"
        )
    for machine in {mean.machine for mean in means}:
        here = [mean for mean in means if mean.machine == machine]
        if here[0].ports and each * len(here) > here[0].ports:
            found.append(
                f"there are {here[0].ports:,} ports for connections to one address, and "
                f"{each * len(here):,} users may want one each; widen net.ipv4.ip_local_port_range"
            )
    return tuple(found)


def _read(name: str) -> str:
    try:
        return (PROC / name).read_text(encoding="ascii")
    except (OSError, UnicodeError):
        return ""
