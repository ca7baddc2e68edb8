"""What a container may use, as the engine says it: to record, to squeeze and to compare."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

KEYS = (
    "Memory", "MemorySwap", "MemoryReservation", "NanoCpus",
    "CpuShares", "CpuPeriod", "CpuQuota", "CpusetCpus",
)  # fmt: skip
"""Keys of an inspection's `HostConfig`, which are those of an update too."""

PERIOD = 100_000
"""Microseconds: the kernel's own period for CPU quotas."""


def recorded(host_config: Mapping[str, Any]) -> dict[str, Any]:
    """The values of KEYS in an inspection's `HostConfig`; 0 and "" where nothing was set."""
    return {key: host_config.get(key) or ("" if key == "CpusetCpus" else 0) for key in KEYS}


def squeezed(before: Mapping[str, Any], *, cpus: float | None, memory: int | None) -> dict[str, Any]:
    """The update that leaves so many CPUs (0.1: a tenth of one) and so many bytes, and no swap beside them.

    A container that was made with NanoCpus takes no quota, and NanoCpus cannot be lifted: each keeps its way.
    """
    update: dict[str, Any] = {}
    if cpus is not None and before["NanoCpus"]:
        update["NanoCpus"] = round(cpus * 1_000_000_000)
    elif cpus is not None:
        period = before["CpuPeriod"] or PERIOD
        update |= {"CpuPeriod": period, "CpuQuota": max(1000, round(cpus * period))}
    if memory is not None:
        update |= {"Memory": memory, "MemorySwap": memory}
    return update


def cpus_of(values: Mapping[str, Any]) -> float:
    """How many CPUs; infinity where there is no limit."""
    if values["NanoCpus"] > 0:
        return float(values["NanoCpus"]) / 1_000_000_000
    return values["CpuQuota"] / (values["CpuPeriod"] or PERIOD) if values["CpuQuota"] > 0 else math.inf


def memory_of(values: Mapping[str, Any]) -> float:
    """How many bytes; infinity where there is no limit."""
    return values["Memory"] if values["Memory"] > 0 else math.inf
