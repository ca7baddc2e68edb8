"""What a container may use, as the engine says it: to record, to squeeze, to put back, to compare.

Standard library only: the guardian puts it back too.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

KEYS = (
    "Memory", "MemorySwap", "MemoryReservation", "NanoCpus",
    "CpuShares", "CpuPeriod", "CpuQuota", "CpusetCpus",
)  # fmt: skip
"""Keys of an inspection's `HostConfig`, which are those of an update too."""

BOUNDLESS = 2**63 - 4096
"""Bytes: what the kernel itself says where there is no limit. An update with 0 changes nothing and one with
-1 is refused, so this number, and no other, lifts a limit (tried on Docker 20.10, cgroup v1)."""

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


def put_back(before: Mapping[str, Any], now: Mapping[str, Any]) -> tuple[dict[str, Any], ...]:
    """The updates to try, one after the other until one is taken; none where nothing differs.

    More than one only where a memory limit is lifted: cgroup v2 wants swap unlimited by -1, and v1 refuses
    that together with the number.
    """
    if not different(before, now):
        return ()
    update: dict[str, Any] = {}
    if before["NanoCpus"] != now["NanoCpus"] and before["NanoCpus"]:
        update["NanoCpus"] = before["NanoCpus"]
    elif _quota(before) != _quota(now):
        update |= {"CpuPeriod": before["CpuPeriod"] or PERIOD, "CpuQuota": before["CpuQuota"] or -1}
    update |= {
        key: before[key]
        for key in ("CpuShares", "CpusetCpus", "MemoryReservation")
        if before[key] != now[key] and before[key]
    }
    if _bytes(before, "Memory") == _bytes(now, "Memory") and _swap(before) == _swap(now):
        return (update,)
    if before["Memory"] > 0 and _bytes(before, "Memory") < BOUNDLESS:
        return ({**update, "Memory": before["Memory"], "MemorySwap": before["MemorySwap"] or -1},)
    return tuple({**update, "Memory": BOUNDLESS, "MemorySwap": swap} for swap in (-1, BOUNDLESS))


def different(before: Mapping[str, Any], now: Mapping[str, Any]) -> tuple[str, ...]:
    """What is not as it was, in words: `Memory 67108864 instead of no limit`; empty where all of it is.

    No limit is no limit, whether it is spelled 0, -1 or as the kernel's number.
    """
    pairs = [
        ("Memory", _bytes(before, "Memory"), _bytes(now, "Memory")),
        ("MemorySwap", _swap(before), _swap(now)),
        ("CPUs", _quota(before), _quota(now)),
        *((key, before[key], now[key]) for key in ("MemoryReservation", "CpuShares", "CpusetCpus")),
    ]
    return tuple(
        f"{name} {_say(is_now)} instead of {_say(was)}" for name, was, is_now in pairs if was != is_now
    )


def _say(value: object) -> str:
    return "no limit" if value in {0, "", BOUNDLESS} else str(value)


def _bytes(values: Mapping[str, Any], key: str) -> int:
    limit = int(values[key])
    return limit if 0 < limit < BOUNDLESS else BOUNDLESS


def _swap(values: Mapping[str, Any]) -> int:
    """Without a memory limit the limit of both together means nothing."""
    return BOUNDLESS if _bytes(values, "Memory") == BOUNDLESS else _bytes(values, "MemorySwap")


def _quota(values: Mapping[str, Any]) -> float:
    """CPUs; 0 is no limit."""
    if values["NanoCpus"] > 0:
        return float(values["NanoCpus"]) / 1_000_000_000
    return values["CpuQuota"] / (values["CpuPeriod"] or PERIOD) if values["CpuQuota"] > 0 else 0.0
