"""CPU per request and memory of our load generator beside others, in one run against one nginx on loopback.

    python benchmarks/client_cpu.py [--seconds 3] [--hours 24]

Prints two tables in Markdown: every client with what it needs, and every figure that was set with what was
reached. The machine's other load moves all of them, so read the ratios. Needs nginx, wrk and hey
(scripts/services bench) and the Python peers (scripts/bench_environment); a missing one is left out.
`--hours 0` leaves out the simulated day, which takes minutes.
"""

from __future__ import annotations

import argparse
import platform
import resource
from collections.abc import Iterator
from typing import NamedTuple

import arrivals
import day
import many_users
import memory
import ours
import peers
from server import Server, serving
from table import Row, print_table, show
from watch import SETTLE, Usage, usage_of

CONNECTIONS = 50
THINKING = 1000


class Client(NamedTuple):
    """What one client was told to do, and what it needed for it."""

    name: str
    task: str
    usage: Usage


class Bench:
    """The clients measured so far; `seconds` is how long each is watched."""

    def __init__(self, server: Server, seconds: float) -> None:
        self.server = server
        self.seconds = seconds
        self.clients: list[Client] = []

    def peer(
        self, name: str, task: str, command: list[str] | None, *, users: int = CONNECTIONS
    ) -> Usage | None:
        """One other client, or None where it is not installed."""
        if command is None:
            return None
        return self._keep(name, task, command, users)

    def own(
        self, task: str, case: str, *, users: int = CONNECTIONS, think: float = 0.0, workers: int = 1
    ) -> Usage:
        """Ours; coordinating process and workers together."""
        ramp = users / 1000 if think else 0.0
        lasts = ramp + SETTLE + self.seconds + 2
        command = ours.command(
            case, self.server.url, users=users, seconds=lasts, think=think, ramp=ramp, workers=workers
        )
        name = "campaign" if workers == 1 else f"campaign, {workers} workers"
        return self._keep(name, task, command, users)

    def _keep(self, name: str, task: str, command: list[str], users: int) -> Usage:
        usage = usage_of(self.server, command, users=users, seconds=self.seconds)
        self.clients.append(Client(name, task, usage))
        return usage

    def show(self) -> None:
        """Print what each client needed."""
        head = (
            "client",
            "what it did",
            "µs CPU per request",
            "requests/s",
            "MB, all processes",
            "MB, largest",
        )
        lines = [
            (name, task, f"{cpu:.1f}", f"{rate:,.0f}", f"{total:.0f}", f"{largest:.0f}")
            for name, task, (cpu, rate, total, largest) in self.clients
        ]
        print_table(head, lines)


def one_get(bench: Bench) -> Iterator[Row]:
    """50 users without think time, and two workers against one."""
    url, task = bench.server.url, "one GET, 50 users, no think time"
    wrk = bench.peer("wrk", task, peers.wrk(url, users=CONNECTIONS))
    own = bench.own(task, "get")
    bench.peer("hey", task, peers.hey(url, users=CONNECTIONS))
    locust = bench.peer("Locust", task, peers.locust(url, users=CONNECTIONS, think=0))
    bench.peer("aiohttp", task, peers.in_python("aiohttp", url))
    bench.peer("httpx", task, peers.in_python("httpx", url))
    yield limit(task, own, 20)
    yield ratio(task, own, wrk, name="wrk", most=2.2)
    yield ratio(task, own, locust, name="Locust", most=1 / 8)
    two = bench.own("one GET, 100 users, no think time", "get", users=2 * CONNECTIONS, workers=2)
    yield ratio("two workers of 50 users each, beside nginx", two, own, name="one worker", most=1.1)


def thinking(bench: Bench) -> Iterator[Row]:
    """1,000 users that think for a second."""
    task = "one GET, 1,000 users thinking 1 s"
    own = bench.own(task, "get", users=THINKING, think=1.0)
    locust = bench.peer(
        "Locust", task, peers.locust(bench.server.url, users=THINKING, think=1), users=THINKING
    )
    yield limit(task, own, 100)
    yield ratio(task, own, locust, name="Locust", most=1 / 3)


def journey(bench: Bench) -> Iterator[Row]:
    """Five operations in turn."""
    task = "journey of 5 operations: JSON, saved value, 2 expectations"
    own = bench.own(task, "journey")
    bench.peer("Locust", task, peers.locust(bench.server.url, users=CONNECTIONS, think=0, kind="Traveler"))
    yield limit(task, own, 45)


def limit(task: str, usage: Usage, most: float) -> Row:
    """CPU per request against a number of µs."""
    return Row(f"{task}: CPU per request", f"≤ {most} µs", f"{usage.cpu:.1f} µs", "", ok=usage.cpu <= most)


def ratio(task: str, own: Usage, other: Usage | None, *, name: str, most: float) -> Row:
    """CPU per request against another client's."""
    wanted = f"≤ {most:g} x {name}" if most > 1 else f"≤ 1/{1 / most:g} of {name}"
    if other is None:
        return Row(f"{task}: CPU per request", wanted, "", f"{name} is not installed", ok=None)
    share = own.cpu / other.cpu
    measured = f"{share:.2f} x" if most > 1 else f"1/{1 / share:.1f}"
    beside = f"{own.cpu:.1f} and {other.cpu:.1f} µs"
    return Row(f"{task}: CPU per request", wanted, measured, beside, ok=share <= most)


def machine() -> str:
    """What it ran on."""
    with open("/proc/cpuinfo", encoding="utf-8") as lines:  # noqa: PTH123 - no path of ours
        models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{len(models)} x {models[0]}, {platform.platform()}, Python {platform.python_version()}"


def main() -> None:
    parser = argparse.ArgumentParser(description="Our load generator beside others.")
    parser.add_argument("--seconds", type=float, default=3.0, help="how long each client is watched")
    parser.add_argument(
        "--hours", type=float, default=24.0, help="length of the simulated day; 0 leaves it out"
    )
    options = parser.parse_args()
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with serving() as server:
        bench = Bench(server, options.seconds)
        rows = [*one_get(bench), *thinking(bench), *journey(bench)]
        rows += memory.rows(server)
        rows += many_users.rows(server, options.seconds)
        rows += arrivals.rows(server, options.seconds)
    if options.hours:
        rows += day.rows(options.hours)
    print(f"Measured on {machine()}, {options.seconds:g} s for each client.")
    bench.show()
    show(rows)


if __name__ == "__main__":
    main()
