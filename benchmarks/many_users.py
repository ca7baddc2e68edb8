"""10,000 users in one process at 5,000 requests/s: errors of ours, and how late the event loop is.

python benchmarks/many_users.py [--seconds 3]
"""

from __future__ import annotations

import argparse
import json

import ours
from server import Server, serving
from table import Row, show
from watch import SETTLE, measure, running

USERS = 10_000
THINK = 2.0
RAMP = 5.0


def rows(server: Server, seconds: float) -> list[Row]:
    """The line of the table."""
    lasts = SETTLE + seconds + 1
    command = ours.command("get", server.url, users=USERS, think=THINK, ramp=RAMP, seconds=lasts)
    with running(command) as process:
        usage = measure(server, process, users=USERS, seconds=seconds)
        said = json.loads(process.communicate()[0])
    lag = said["loop_lag_p99"] * 1e3
    beside = (
        f"{usage.rate:,.0f} requests/s counted by nginx, {usage.cpu:.0f} µs each, "
        f"{len(said['errors'])} kinds of errors, {usage.largest:.0f} MB"
    )
    what = f"{USERS:,} users thinking {THINK:.0f} s in one process: loop lag p99"
    good = lag <= 20 and not said["errors"] and usage.rate >= 0.98 * USERS / THINK
    return [Row(what, "≤ 20 ms, no error, 5,000 requests/s", f"{lag:.1f} ms", beside, ok=good)]


def main() -> None:
    parser = argparse.ArgumentParser(description="10,000 users in one process.")
    parser.add_argument("--seconds", type=float, default=3.0)
    seconds = parser.parse_args().seconds
    with serving() as server:
        show(rows(server, seconds))


if __name__ == "__main__":
    main()
