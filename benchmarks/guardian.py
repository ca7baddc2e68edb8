"""Runs that are killed with SIGKILL at random moments: is what they broke whole again, and how soon?

    python benchmarks/guardian.py [--trials 200] [--seed 0]

A run stops, kills, pauses, squeezes and restarts a real Redis container and puts it back, over and over; it
is killed at a random moment of that. Restored means: from then on it runs, unpaused, with the limits and
the restart policy from before, and answers, seen until the guardian has ended. The guardian's memory and
processor time are read while it watches. Needs root, Docker and Redis (scripts/services).
"""

from __future__ import annotations

import argparse
import random
import statistics
import sys
import tempfile
import time
from pathlib import Path

from table import Row, show

sys.path.insert(0, str(Path(__file__).parent.parent / "tests" / "support"))

from breaking import Run, is_as_before, seconds_until_whole, settings
from engine import Engine, RedisContainer

WITHIN = 10.0
MEMORY = 20.0


def main() -> None:
    """Parse, try, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--trials", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    engine = Engine()
    try:
        redis = RedisContainer(engine)
        took = trials(engine, redis, count=asked.trials, seed=asked.seed)
        memory, cpu = guardian_costs(engine, redis)
    finally:
        engine.end()
    show(rows(took, memory, cpu))


def trials(engine: Engine, redis: RedisContainer, *, count: int, seed: int) -> list[float | None]:
    """Seconds from each kill until all was whole for good; None where it never was."""
    luck = random.Random(seed)
    before = settings(redis.container.attrs["HostConfig"])
    took: list[float | None] = []
    for number in range(count):
        with tempfile.TemporaryDirectory() as state:
            run = Run(state, {"container": redis.name, "engine": engine.url, "seed": seed + number})
            time.sleep(luck.uniform(0, 1.5))
            run.kill()
            seconds = seconds_until_whole(
                run, lambda: is_as_before(engine, redis.name, before) and redis.ready()
            )
            took.append(None if run.open_records() else seconds)
            run.end()
        print(f"{number + 1}/{count}: {took[-1]}", file=sys.stderr)
    return took


def guardian_costs(engine: Engine, redis: RedisContainer) -> tuple[float, float]:
    """MB that the guardian has in memory, and the share of a processor that it uses over 10 s."""
    with tempfile.TemporaryDirectory() as state:
        plan = {"container": redis.name, "engine": engine.url, "kinds": ["pause"], "outage": 300}
        run = Run(state, plan)
        try:
            run.until("struck")
            began = cpu_seconds(run.guardian)
            time.sleep(10)
            return resident(run.guardian), (cpu_seconds(run.guardian) - began) / 10
        finally:
            run.end()


def resident(process: int) -> float:
    """MB."""
    lines = Path(f"/proc/{process}/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS"))


def cpu_seconds(process: int) -> float:
    """User and system time so far."""
    fields = Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


def rows(took: list[float | None], memory: float, cpu: float) -> list[Row]:
    """The table."""
    whole = [each for each in took if each is not None and each <= WITHIN]
    broken = sorted(each for each in took if each)
    median = f"{statistics.median(broken):.2f} s" if broken else "-"
    longest = f"{broken[-1]:.2f} s" if broken else "-"
    return [
        Row(
            "killed with SIGKILL, whole within 10 s",
            f"{len(took)} of {len(took)}",
            f"{len(whole)} of {len(took)}",
            f"{len(broken)} kills found it broken: median {median}, longest {longest}",
            len(whole) == len(took),
        ),
        Row("the guardian's memory", f"≤ {MEMORY:.0f} MB", f"{memory:.1f} MB", "", memory <= MEMORY),
        Row("its processor time while it watches", "idle", f"{cpu:.2%} of one", "", cpu <= 0.01),
    ]


if __name__ == "__main__":
    main()
