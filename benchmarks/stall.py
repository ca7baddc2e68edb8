"""What a server that freezes looks like to each client: it is stopped (SIGSTOP) and let go on (SIGCONT).

    python benchmarks/stall.py

Nobody is served for 6 s. Beside our arrivals runs an observer (frozen.py), which sends at the same constant
rate whatever comes back; its percentiles are the truth. Who sends the next request only after the last answer
sees one slow request for each connection (coordinated omission). It takes about 80 s.
"""

from __future__ import annotations

import asyncio
import re
import subprocess
import time
from collections.abc import Iterator

import frozen
import peers
from table import Row, print_table, show

from campaign.clock import RealClock
from campaign.load.fleet import run_load
from campaign.load.profile import Segment
from campaign.load.spec import LoadPlan, Model, ScenarioSpec
from campaign.load.tally import Stage
from campaign.target.journey import Do, TaskSpec, WaitSpec
from campaign.target.spec import OperationSpec, OptionsSpec, TargetSpec, UserSpec, Vocabulary

SHARES = (0.5, 0.9, 0.99, 0.999)
CLOSE = 0.02
"""What we may be off by; where nobody waits 20 ms are as good, as two programs share this machine."""

CLIENTS = 5
"""Connections of the closed clients: enough for 50 requests/s many times over."""

PEER_RATE, PEER_SECONDS = 50, 15


def plan(port: int, *, rate: float, seconds: float, ready: int, ahead: float) -> LoadPlan:
    """Arrivals at a constant rate; `ready` users connect before."""
    segments = Segment(0, ahead), Segment(rate, 0), Segment(rate, seconds)
    hold = (ahead, ahead + seconds)
    scenario = ScenarioSpec("frozen", segments, hold, Model.OPEN, ready=ready, most=max(ready, 400))
    options = OptionsSpec(timeout=20.0)
    operations = {name: OperationSpec(name, "GET", "/", options=options) for name in ("warm", "work")}
    start = (Do("warm"),) if ready else ()
    user = UserSpec("visitor", 1, WaitSpec(0, 0), start, {"work": TaskSpec.of("work")})
    target, vocabulary = TargetSpec(f"http://127.0.0.1:{port}"), Vocabulary(operations, {"visitor": user})
    return LoadPlan(target, vocabulary, scenario, seed=1)


def beside_the_observer(*, rate: float, seconds: float, ready: int = 0) -> tuple[list[float], list[float]]:
    """Our percentiles and the observer's, in seconds."""
    ahead = ready / 400 + 2.0
    begins = time.monotonic() + ahead
    with (
        frozen.frozen_server() as server,
        frozen.observed(server, rate=rate, seconds=seconds, ready=ready, begins=begins) as observer,
    ):
        wanted = plan(server.port, rate=rate, seconds=seconds, ready=ready, ahead=ahead)
        run = run_load(wanted, clock=RealClock(), stop=asyncio.Event(), on_second=lambda _: None)
        ours = asyncio.run(run).tallies["work", Stage.HOLD]
        seen = observer()
    assert ours.count == len(seen), (ours.count, len(seen))
    return (
        [(ours.response.percentile(share) or 0) / 1e6 for share in SHARES],
        [frozen.percentile(seen, share) for share in SHARES],
    )


def compare(what: str, ours: list[float], truth: list[float]) -> Iterator[Row]:
    """A row for each percentile."""
    for share, mine, true in zip(SHARES, ours, truth, strict=True):
        off = abs(mine - true)
        yield Row(
            f"{what}: p{share * 100:g}",
            "within 2 % of the observer",
            f"{mine:.3f} s",
            f"observer {true:.3f} s",
            ok=off <= max(CLOSE * true, 0.02),
        )


def hey(url: str) -> list[str] | None:
    """Its own rate limit, for each of its connections."""
    command = peers.hey(url, users=CLIENTS)
    if command is not None:
        command[-2] = f"{PEER_SECONDS}s"
        command[-1:-1] = ["-q", str(PEER_RATE // CLIENTS), "-t", "20"]
    return command


def locust(url: str) -> list[str] | None:
    """Users that wait a tenth of a second after each answer."""
    command = peers.locust(url, users=CLIENTS, think=CLIENTS / PEER_RATE)
    if command is not None:
        command[command.index("--run-time") + 1] = f"{PEER_SECONDS}s"
    return command


def printed(command: list[str], server: frozen.Frozen) -> str:
    """What a client says of a run in which the server freezes after a third."""
    freezer = frozen.Freezer(server.pid, start=time.monotonic(), after=PEER_SECONDS / 3)
    freezer.start()
    try:
        done = subprocess.run(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=True
        )
    finally:
        freezer.join()
    return done.stdout


def of_hey(text: str) -> dict[str, float]:
    """Percentile to seconds."""
    return {share: float(time) for share, time in re.findall(r"([\d.]+)%+ in ([\d.]+) secs", text)}


def of_locust(text: str) -> dict[str, float]:
    """Percentile to seconds."""
    table = text[text.index("Response time percentiles") :]
    row = next(line for line in table.splitlines() if "Aggregated" in line)
    pairs = zip(re.findall(r"([\d.]+)%", table), re.findall(r"\d+", row), strict=False)
    return {share: float(ms) / 1e3 for share, ms in pairs}


def others() -> Iterator[tuple[str, ...]]:
    """Rows of the closed clients that are installed."""
    for name, command_for, read in (
        (f"hey, {CLIENTS} connections, {PEER_RATE // CLIENTS}/s each", hey, of_hey),
        (f"Locust, {CLIENTS} users waiting {CLIENTS / PEER_RATE} s", locust, of_locust),
    ):
        with frozen.frozen_server() as server:
            command = command_for(f"http://127.0.0.1:{server.port}")
            if command is None:
                continue
            found = read(printed(command, server))
        shown = (found.get(f"{share * 100:g}") for share in SHARES)
        yield name, *("not told" if each is None else f"{each:.3f} s" for each in shown)


def main() -> None:
    """Print both tables."""
    cold, cold_truth = beside_the_observer(rate=PEER_RATE, seconds=PEER_SECONDS)
    warm, warm_truth = beside_the_observer(rate=200, seconds=12.0, ready=1400)
    show(
        [
            *compare("50 arrivals/s", cold, cold_truth),
            *compare("200 arrivals/s on warm connections", warm, warm_truth),
        ]
    )
    head = (f"{PEER_RATE} requests/s", *(f"p{share * 100:g}" for share in SHARES))
    rows = (("observer", cold_truth), ("campaign, arrivals", cold))
    print_table(head, [*((name, *(f"{each:.3f} s" for each in row)) for name, row in rows), *others()])


if __name__ == "__main__":
    main()
