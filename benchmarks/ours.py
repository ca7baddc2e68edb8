"""The plans that our own load generator is measured with, and how one is run in a process tree of its own.

    python benchmarks/ours.py CASE URL --users 50 --think 1 --seconds 5

prints what the run says of itself as JSON.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import resource
import sys
from pathlib import Path
from typing import Any

from campaign.clock import RealClock
from campaign.load.fleet import run_load
from campaign.load.outcome import LoadOutcome
from campaign.load.profile import Segment
from campaign.load.spec import LoadPlan, Model, ScenarioSpec, ramp_and_hold
from campaign.load.tally import Stage
from campaign.stats.histogram import Histogram
from campaign.target.journey import Do, TaskSpec, WaitSpec
from campaign.target.spec import BodySpec, ExpectSpec, OperationSpec, TargetSpec, UserSpec, Vocabulary

SHARES = (0.5, 0.9, 0.99)


def command(
    case: str,
    url: str,
    *,
    users: int,
    seconds: float,
    think: float = 0.0,
    ramp: float = 0.0,
    workers: int = 1,
) -> list[str]:
    """Starts the case: `get`, `journey`, or `arrivals` (then `users` come per second)."""
    return [
        sys.executable, str(Path(__file__)), case, url, f"--users={users}", f"--think={think}",
        f"--seconds={seconds}", f"--ramp={ramp}", f"--workers={workers}",
    ]  # fmt: skip


def get_operations() -> tuple[dict[str, OperationSpec], TaskSpec]:
    """One GET."""
    return {"home": OperationSpec("home", "GET", "/")}, TaskSpec.of("home")


def journey_operations() -> tuple[dict[str, OperationSpec], TaskSpec]:
    """Five operations in turn: JSON bodies, a saved value and two expectations each."""
    expect = ExpectSpec(status=(200,), json={"$.name": "bear"})
    operations = {
        f"step{number}": OperationSpec(
            f"step{number}",
            "POST",
            f"/step/{number}",
            body=BodySpec(has_json=True, json={"text": "hello {{ user.id }}", "n": "{{ iteration }}"}),
            expect=expect,
            save={f"id{number}": "$.id"},
        )
        for number in range(5)
    }
    return operations, TaskSpec(1, tuple(Do(name) for name in operations))


def make_plan(options: argparse.Namespace) -> LoadPlan:
    """The plan of a case."""
    operations, task = journey_operations() if options.case == "journey" else get_operations()
    wait = WaitSpec(options.think, options.think)
    visitor = UserSpec("visitor", 1, wait, (), {"task": task})
    vocabulary = Vocabulary(operations, {"visitor": visitor})
    return LoadPlan(TargetSpec(url=options.url), vocabulary, _scenario(options), 1, options.workers)


def _scenario(options: argparse.Namespace) -> ScenarioSpec:
    if options.case == "arrivals":
        warm = max(options.ramp, 1.0)
        segments = Segment(options.users, 0.0), Segment(options.users, warm + options.seconds)
        return ScenarioSpec(
            "bench", segments, (warm, warm + options.seconds), model=Model.OPEN, ready=50, most=1000
        )
    rate = options.users / options.ramp if options.ramp else math.inf
    return ramp_and_hold("bench", options.users, rate, options.seconds)


def summary(outcome: LoadOutcome) -> dict[str, Any]:
    """What the run says of itself; CPU (of the busiest worker) and requests are those of the hold."""
    held = [tally for (_, stage), tally in outcome.tallies.items() if stage is Stage.HOLD]
    generator, responses = outcome.generator, Histogram()
    for tally in held:
        responses.merge(tally.response)
    return {
        "requests": sum(tally.count for tally in held),
        "failed": sum(tally.failed for tally in held),
        "errors": [f"{each.operation}: {each.kind} {each.detail} ({each.count})" for each in outcome.errors],
        "seconds": outcome.hold_seconds,
        "percentiles": {str(share): (responses.percentile(share) or 0) / 1e6 for share in SHARES},
        "cpu": generator.cpu,
        "loop_lag_p99": generator.loop_lag_p99,
        "schedule_lag_p99": generator.schedule_lag_p99,
        "reached": outcome.load_reached,
        "saturated": generator.saturation(),
    }


async def _run(plan: LoadPlan) -> LoadOutcome:
    return await run_load(plan, clock=RealClock(), stop=asyncio.Event(), on_second=lambda _: None)


def main() -> None:
    parser = argparse.ArgumentParser(description="One case of our own load generator.")
    parser.add_argument("case", choices=("get", "journey", "arrivals"))
    parser.add_argument("url")
    parser.add_argument("--users", type=int, default=50)
    parser.add_argument("--think", type=float, default=0.0)
    parser.add_argument("--ramp", type=float, default=0.0, help="seconds in which the users come")
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--workers", type=int, default=1)
    options = parser.parse_args()
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    print(json.dumps(summary(asyncio.run(_run(make_plan(options))))))


if __name__ == "__main__":
    main()
