"""A container's limits: which differ from before, and what puts them back.

An engine's `update` takes 0 for "leave it", so a limit that was not there before cannot simply be set to 0
(`docker update --memory 0` does nothing): it is raised to all that the machine has, or to -1 where that means
none. Both are the same as no limit to the container; `inspect` shows another number.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

SWAP_TOO = 2
"""With memory unlimited, memory and swap together may be so many times the machine's memory."""


@dataclass(frozen=True, slots=True)
class Machine:
    """What the engine's machine has: bytes of memory and processors."""

    memory: int
    processors: int


def differing(wanted: Mapping[str, Any], now: Mapping[str, Any], machine: Machine) -> dict[str, Any]:
    """The limits that are not as they were, with the value that is sent to put each back."""
    off = {
        name: _sendable(name, value, machine)
        for name, value in wanted.items()
        if name in MEANING and _meaning(name, value, machine) != _meaning(name, now.get(name), machine)
    }
    if {"Memory", "MemorySwap"} & off.keys():  # the engine wants both at once
        off = {
            **off,
            **{name: _sendable(name, wanted.get(name), machine) for name in ("Memory", "MemorySwap")},
        }
        if not wanted.get("Memory") and not wanted.get("MemorySwap", 0) > 0:
            off["MemorySwap"] = machine.memory * SWAP_TOO
    return off


def lifted(wanted: Mapping[str, Any], sent: Mapping[str, Any]) -> list[str]:
    """The limits that were not there before, so that what was sent stands for none."""
    return sorted(name for name in sent if not wanted.get(name))


def _memory(value: int, machine: Machine) -> int:
    return 0 if value <= 0 or value >= machine.memory else value


def _swap(value: int, machine: Machine) -> int:
    return 0 if value <= 0 or value >= machine.memory else value


def _processors(value: int, machine: Machine) -> int:
    return 0 if value <= 0 or value >= machine.processors * 10**9 else value


MEANING: dict[str, Callable[[Any, Machine], Any]] = {
    "Memory": _memory,
    "MemorySwap": _swap,
    "MemoryReservation": _memory,
    "NanoCpus": _processors,
    "CpuShares": lambda value, _: value or 1024,
    "CpuPeriod": lambda value, _: value or 100_000,
    "CpuQuota": lambda value, _: max(value, 0),
    "CpusetCpus": lambda value, machine: value or _all_processors(machine),
}
"""Limit -> the same number for all values that mean the same."""


def _meaning(name: str, value: Any, machine: Machine) -> Any:
    return MEANING[name](value or ("" if name == "CpusetCpus" else 0), machine)


def _all_processors(machine: Machine) -> str:
    return f"0-{machine.processors - 1}" if machine.processors > 1 else "0"


def _sendable(name: str, value: Any, machine: Machine) -> Any:
    """The value as an update takes it: one that says "none" where there was none."""
    if value:
        return value
    return {
        "Memory": machine.memory,
        "MemorySwap": machine.memory * SWAP_TOO,
        "MemoryReservation": -1,
        "NanoCpus": machine.processors * 10**9,
        "CpuShares": 1024,
        "CpuPeriod": 100_000,
        "CpuQuota": -1,
        "CpusetCpus": _all_processors(machine),
    }[name]
