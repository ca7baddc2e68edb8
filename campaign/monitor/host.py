"""The machine that the campaign runs on: CPU, memory, disk and network."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

import psutil

from campaign.monitor.source import Reading

T = TypeVar("T")


class HostSource:
    """Shares and totals of this machine; rates are over the time since the last reading.

    `host.cpu` is the share of all cores together, `host.memory` bytes in use, the rest bytes per second.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        psutil.cpu_percent()  # the first call only sets the starting point
        self._now = now
        self._last = self._counters(), now()

    def read(self) -> Reading:
        """The machine now."""
        (before, then), counters, now = self._last, self._counters(), self._now()
        self._last = counters, now
        seconds = max(now - then, 1e-3)
        rates = {
            name: ((value - before[name]) / seconds, "B/s")
            for name, value in counters.items()
            if name in before
        }
        memory = psutil.virtual_memory()
        return {
            "host.cpu": (psutil.cpu_percent() / 100, "share"),
            "host.memory": (float(memory.total - memory.available), "B"),
            **rates,
        }

    @staticmethod
    def _counters() -> dict[str, float]:
        """Those that there are: containers may hide network or disk, by None or by an error."""
        network = _seen(psutil.net_io_counters)
        disk = _seen(psutil.disk_io_counters)
        counters: dict[str, float] = {}
        if network is not None:
            counters |= {"host.network.sent": network.bytes_sent, "host.network.received": network.bytes_recv}
        if disk is not None:
            counters |= {"host.disk.read": disk.read_bytes, "host.disk.written": disk.write_bytes}
        return counters


def _seen(read: Callable[[], T | None]) -> T | None:
    with suppress(psutil.Error, OSError, RuntimeError):
        return read()
    return None
