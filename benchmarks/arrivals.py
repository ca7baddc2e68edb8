"""2,000 arrivals a second: how much later than due they are begun.

python benchmarks/arrivals.py [--seconds 3]
"""

from __future__ import annotations

import argparse
import json
import subprocess

import ours
from server import Server, serving
from table import Row, show

RATE = 2000


def rows(server: Server, seconds: float) -> list[Row]:
    """The line of the table."""
    command = ours.command("arrivals", server.url, users=RATE, seconds=seconds)
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    what = f"arrival times at {RATE:,}/s: schedule lag p99"
    if done.returncode:
        return [Row(what, "≤ 2 ms", "", "the open model did not run", ok=None)]
    said = json.loads(done.stdout)
    lag = said["schedule_lag_p99"] * 1e3
    beside = (
        f"{said['requests'] / said['seconds']:,.0f} requests/s, {said['cpu']:.0%} of a core, "
        f"{said['reached']:.1%} of the load reached, {said['failed']} failed"
    )
    good = lag <= 2 and not said["saturated"] and not said["errors"]
    return [Row(what, "≤ 2 ms, not saturated", f"{lag:.2f} ms", said["saturated"] or beside, ok=good)]


def main() -> None:
    parser = argparse.ArgumentParser(description="2,000 arrivals a second.")
    parser.add_argument("--seconds", type=float, default=3.0)
    seconds = parser.parse_args().seconds
    with serving() as server:
        show(rows(server, seconds))


if __name__ == "__main__":
    main()
