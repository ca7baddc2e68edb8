"""What a simple query costs our client, beside the bare driver and pgbench, in one run on one PostgreSQL.

    python benchmarks/database.py [--seconds 3] [--rounds 3] [--clients 8]

Prints two tables in Markdown. Bare driver, ours and pgbench take turns, and the middle round of each counts;
the machine's other load moves all of them, so read the ratios. Needs PostgreSQL with pgbench
(scripts/services bench).
"""

from __future__ import annotations

import argparse
import asyncio
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from table import Row, print_table, show

sys.path.insert(0, str(Path(__file__).parent.parent / "tests" / "support"))

from scene import open_scene
from servers import Postgres, need

from campaign.load.tally import Stage
from phases.database.pattern import Between, Pattern, Statement
from phases.database.running.run import run_patterns

SCALE = 10
HIGHEST = 100_000 * SCALE
BARE = Path(__file__).parent / "clients" / "bare_asyncpg.py"


class Speed(NamedTuple):
    """Statements per second, and µs of the client's CPU for each (0: not known)."""

    rate: float
    cpu: float


def bare(url: str, clients: int, seconds: float) -> Speed:
    """The driver's prepared statement in a loop, with uvloop."""
    command = [sys.executable, str(BARE), url, str(clients), str(seconds), str(HIGHEST)]
    done, cpu = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    return Speed(int(done) / seconds, float(cpu) / int(done) * 1e6)


def ours(url: str, clients: int, seconds: float) -> Speed:
    """The same through our load engine; its coordinating process counts too."""
    statement = Statement(
        "SELECT abalance FROM pgbench_accounts WHERE aid = :aid", {"aid": Between(1, HIGHEST)}
    )

    async def run() -> Speed:
        async with open_scene(url) as scene:
            began = time.process_time()
            outcome = await run_patterns(
                scene, (Pattern("lookup", 1, (statement,)),),
                name="lookups", users=clients, hold=seconds, warm_up=1,
            )  # fmt: skip
            coordinating = (time.process_time() - began) * outcome.hold_seconds / (outcome.hold_seconds + 1)
        assert not outcome.errors, outcome.errors
        done = outcome.tallies["lookup", Stage.HOLD].count
        cpu = outcome.generator.cpu * outcome.hold_seconds + coordinating
        return Speed(done / outcome.hold_seconds, cpu / done * 1e6)

    return asyncio.run(run())


def pgbench(server: Postgres, clients: int, seconds: float) -> Speed:
    """Written in C, one thread."""
    where = ["-h", "127.0.0.1", "-p", str(server.port), "-U", "postgres"]
    how = ["-n", "-S", "-M", "prepared", "-c", str(clients), "-T", str(round(seconds))]
    said = server.do(f"{server.binaries}/pgbench", *where, *how, "postgres")
    found = re.search(r"tps = ([\d.]+)", said)
    assert found, said
    return Speed(float(found[1]), 0.0)


def rows(rounds: dict[str, list[Speed]]) -> Iterator[Row]:
    """The figures that were set: the middle one of the ratios within a round."""
    mine, driver, peer = (middle(rounds[name]) for name in ("campaign", "asyncpg", "pgbench"))
    pairs = list(zip(rounds["campaign"], rounds["asyncpg"], rounds["pgbench"], strict=True))
    cost = statistics.median(own.cpu / other.cpu for own, other, _ in pairs)
    yield Row(
        "CPU of the client per simple query", "≤ 1.3 x asyncpg's prepared statement", f"{cost:.2f} x",
        f"{mine.cpu:.1f} and {driver.cpu:.1f} µs", ok=cost <= 1.3,
    )  # fmt: skip
    share = statistics.median(own.rate / other.rate for own, _, other in pairs)
    yield Row(
        "simple queries per second, equal clients", "≥ 60 % of pgbench -S -M prepared", f"{share:.0%}",
        f"{mine.rate:,.0f} and {peer.rate:,.0f} per second", ok=share >= 0.6,
    )  # fmt: skip


def middle(speeds: list[Speed]) -> Speed:
    """The middle round of each figure."""
    return Speed(
        statistics.median(each.rate for each in speeds), statistics.median(each.cpu for each in speeds)
    )


def main() -> None:
    parser = argparse.ArgumentParser(description="A simple query through our client, beside others.")
    parser.add_argument("--seconds", type=float, default=3.0, help="how long each is watched in a round")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--clients", type=int, default=8)
    options = parser.parse_args()
    server = Postgres()
    try:
        need((Path(server.binaries) / "pgbench").exists(), "pgbench")
        where = ["-h", "127.0.0.1", "-p", str(server.port), "-U", "postgres"]
        server.do(f"{server.binaries}/pgbench", *where, "-i", "-q", "-s", str(SCALE), "postgres")
        rounds: dict[str, list[Speed]] = {"asyncpg": [], "campaign": [], "pgbench": []}
        for _ in range(options.rounds):
            rounds["asyncpg"].append(bare(server.url, options.clients, options.seconds))
            rounds["campaign"].append(ours(server.url, options.clients, options.seconds))
            rounds["pgbench"].append(pgbench(server, options.clients, options.seconds))
    finally:
        server.end()
    speeds = {name: middle(each) for name, each in rounds.items()}
    print(f"{options.clients} clients, {options.rounds} rounds of {options.seconds:g} s each.")
    lines = [(name, f"{rate:,.0f}", f"{cpu:.1f}" if cpu else "") for name, (rate, cpu) in speeds.items()]
    print_table(("client", "queries/s", "µs CPU per query"), lines)
    show(rows(rounds))


if __name__ == "__main__":
    main()
