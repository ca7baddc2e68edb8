"""What one more user costs in memory: resident size with few and with many connected users, subtracted.

python benchmarks/memory.py
"""

from __future__ import annotations

import ours
import peers
from server import Server, serving
from table import Row, show
from watch import usage_of

THINK = 3.0
"""Seconds between a user's requests; shorter than what either side keeps an idle connection for."""

WATCHED = 3.5
"""Seconds of work before the size is read, after all are connected; everybody asks at least once in them."""

FEW, MANY, MANY_LOCUSTS = 1000, 5000, 3000
KB = 1000.0


def own(server: Server, users: int) -> float:
    """MB of our one worker with so many users connected."""
    ramp = users / 2000
    command = ours.command(
        "get", server.url, users=users, think=THINK, ramp=ramp, seconds=ramp + WATCHED + THINK
    )
    return usage_of(server, command, users=users, seconds=WATCHED).largest


def locust(server: Server, users: int) -> float | None:
    """MB of Locust with so many users connected, or None where it is not installed."""
    command = peers.locust(server.url, users=users, think=THINK)
    return command and usage_of(server, command, users=users, seconds=WATCHED).largest


def rows(server: Server) -> list[Row]:
    """The lines of the table."""
    few, many = own(server, FEW), own(server, MANY)
    each = (many - few) / (MANY - FEW) * KB
    base, more = locust(server, FEW), locust(server, MANY_LOCUSTS)
    beside = his = "Locust is not installed"
    if base is not None and more is not None:
        beside = f"Locust {base:.0f} MB"
        his = f"Locust {(more - base) / (MANY_LOCUSTS - FEW) * KB:.1f} KB"
    return [
        Row("memory of the worker with 1,000 users", "≤ 60 MB", f"{few:.0f} MB", beside, ok=few <= 60),
        Row(
            f"memory of each further user, {FEW:,} to {MANY:,}", "≤ 8 KB", f"{each:.1f} KB", his, ok=each <= 8
        ),
    ]


if __name__ == "__main__":
    with serving() as running:
        show(rows(running))
