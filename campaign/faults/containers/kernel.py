"""What this machine's kernel says of a container, where its processes are here: a view beside the engine's.

Everything is None where it cannot be seen: an engine elsewhere or in a virtual machine, other files.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from campaign.faults.alive import alive, began

CGROUPS = Path("/sys/fs/cgroup")


@dataclass(frozen=True, slots=True)
class HostProcess:
    """A container's first process as the host sees it."""

    pid: int
    began: int

    def lives(self) -> bool:
        """Whether that very process runs or is stopped."""
        return alive(self.pid, self.began)


def host_process(pid: int, *, container: str) -> HostProcess | None:
    """The first process of the container with this id, if that pid is here one of its processes."""
    found = HostProcess(pid, began(pid))
    inside = any(container in path for _, path in _cgroups(pid))
    return found if inside and found.lives() else None


def runs_in(container: str) -> bool:
    """Whether we ourselves run in the container with this id."""
    return any(container in path for _, path in _cgroups("self"))


def is_frozen(pid: int) -> bool | None:
    """Whether its control group stands still."""
    if (text := _read(pid, "freezer", "freezer.state", "cgroup.events")) is None:
        return None
    return text == "FROZEN" or "frozen 1" in text


def cpus(pid: int) -> float | None:
    """How many CPUs its control group may use; infinity where there is no limit."""
    if (v2 := _read(pid, "", "", "cpu.max")) is not None:
        quota, period = v2.split()
        return float("inf") if quota == "max" else int(quota) / int(period)
    quota_us = _read(pid, "cpu", "cpu.cfs_quota_us", "")
    period_us = _read(pid, "cpu", "cpu.cfs_period_us", "")
    if quota_us is None or period_us is None:
        return None
    return float("inf") if int(quota_us) < 0 else int(quota_us) / int(period_us)


def memory(pid: int) -> float | None:
    """How many bytes its control group may use; infinity where there is no limit."""
    text = _read(pid, "memory", "memory.limit_in_bytes", "memory.max")
    if text is None:
        return None
    return float("inf") if text == "max" or int(text) >= 2**62 else int(text)


def addresses(pid: int) -> frozenset[str] | None:
    """The IPv4 addresses that its network has of its own."""
    try:
        lines = Path(f"/proc/{pid}/net/fib_trie").read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    return frozenset(before.split()[-1] for before, line in pairwise(lines) if "host LOCAL" in line)


def handles(pid: int, signal: int) -> bool | None:
    """Whether it has a handler for the signal; the first process of a container ignores others than KILL."""
    try:
        text = Path(f"/proc/{pid}/status").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    caught = next((line.split()[1] for line in text.splitlines() if line.startswith("SigCgt:")), "0")
    return bool(int(caught, 16) >> (signal - 1) & 1)


def _read(pid: int, controller: str, v1: str, v2: str) -> str | None:
    for names, path in _cgroups(pid):
        root = CGROUPS if not names else CGROUPS / names
        name = v2 if not names else v1 if controller in names.split(",") else ""
        if name and (text := _text(root / path.lstrip("/") / name)) is not None:
            return text
    return None


def _cgroups(pid: int | str) -> Iterator[tuple[str, str]]:
    """Each control group of a process: its controllers ("" for version 2) and its path."""
    try:
        lines = Path(f"/proc/{pid}/cgroup").read_text(encoding="utf-8").splitlines()
    except OSError:
        return
    for line in lines:
        _, names, path = line.split(":", 2)
        yield names.removeprefix("name="), path


def _text(path: Path) -> str | None:
    try:
        return path.read_text(encoding="ascii").strip()
    except OSError:
        return None
