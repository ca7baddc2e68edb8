"""Is the recovery time that a report tells the true one? Beside the failover phase runs an observer.

    python benchmarks/recovery.py [--trials 20] [--seed 0]

A small server is really killed and really started again by `campaign run`, for a random time, and takes a
random time to listen. The observer is a process of its own that shares no code with us: it asks the server
once a millisecond and writes down when it was served no more, and when again. The start command itself leaves
behind when it was run. Wanted: both times of the report within one interval between probes (50 ms). It takes
about 9 s a trial.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from table import Row, print_table, show

INTERVAL = 0.05
"""Seconds between two probes, at the phase's own rate of 20/s."""

SERVER = textwrap.dedent("""
    import asyncio, os, random, sys, time

    folder, port = sys.argv[1], int(sys.argv[2])
    ANSWER = b"HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\nok"

    class Talk(asyncio.Protocol):
        def connection_made(self, transport):
            self.transport, self.data = transport, b""

        def data_received(self, data):
            self.data += data
            while b"\\r\\n\\r\\n" in self.data:
                _, self.data = self.data.split(b"\\r\\n\\r\\n", 1)
                self.transport.write(ANSWER)

    async def main():
        server = await asyncio.get_running_loop().create_server(Talk, "127.0.0.1", port)
        await server.serve_forever()

    with open(folder + "/pid.part", "w") as file:
        file.write(str(os.getpid()))
    os.rename(folder + "/pid.part", folder + "/pid")
    time.sleep(random.uniform(0, 1))
    asyncio.run(main())
""")

OBSERVER = textwrap.dedent("""
    import socket, sys, time

    port, served, connection = int(sys.argv[1]), None, None
    while True:
        due = time.monotonic() + 0.001
        try:
            if connection is None:
                connection = socket.create_connection(("127.0.0.1", port), timeout=1)
            connection.sendall(b"GET / HTTP/1.1\\r\\nHost: observer\\r\\n\\r\\n")
            now = b"ok" in connection.recv(1000)
        except OSError:
            now = False
        if not now and connection is not None:
            connection.close()
            connection = None
        if now != served:
            served = now
            print(time.time_ns(), int(now), flush=True)
        time.sleep(max(0, due - time.monotonic()))
""")


class Trial(NamedTuple):
    """Seconds: time to recover and time of no service, as the report tells them and as they were."""

    told: float
    true: float
    told_away: float
    true_away: float

    @property
    def off(self) -> float:
        """How far the worse of both is from the truth."""
        return max(abs(self.told - self.true), abs(self.told_away - self.true_away))


def main() -> None:
    """Parse, try, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--trials", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        done = trials(Path(folder), count=asked.trials, seed=asked.seed)
    print_table(
        ("trial", "time to recover", "truth", "unavailable", "truth", "off by"),
        [
            (str(number), *(f"{each:.3f} s" for each in (*trial, trial.off)))
            for number, trial in enumerate(done, 1)
        ],
    )
    show([row(done, asked.trials)])


def row(done: list[Trial], count: int) -> Row:
    """What it comes to."""
    good = sum(each.off <= INTERVAL for each in done)
    worst = max((each.off for each in done), default=float("nan"))
    return Row(
        "recovery time and unavailability against an independent observer",
        f"within ± {INTERVAL * 1000:.0f} ms in {count} of {count} trials",
        f"{good} of {count}",
        f"off by {worst * 1000:.0f} ms at most",
        ok=good == count,
    )


def trials(folder: Path, *, count: int, seed: int) -> list[Trial]:
    """Run one campaign of so many faults beside the observer."""
    luck = random.Random(seed)
    port = free_port()
    start = write_programs(folder, port)
    subprocess.run(["sh", "-c", f"{start} &"], check=True)
    try:
        with observed(folder, port) as seen:
            scenarios = {
                f"trial_{number}": {"as": "service_killed", "for": f"{luck.uniform(0.3, 2.0):.3f}s"}
                for number in range(count)
            }
            report = run_campaign(folder, port, start=start, scenarios=scenarios)
        return list(compared(report, seen.read_text(), starts(folder)))
    finally:
        with contextlib.suppress(OSError, ValueError):
            os.kill(int((folder / "pid").read_text()), signal.SIGKILL)


def write_programs(folder: Path, port: int) -> str:
    """The command that starts the server, and first makes a file, whose time says when. The shell does that
    itself: another program would have to be started first, and come late.
    """
    (folder / "server.py").write_text(SERVER)
    (folder / "observer.py").write_text(OBSERVER)
    (folder / "starts").mkdir()
    return f": > {folder}/starts/$$; exec {sys.executable} {folder}/server.py {folder} {port}"


@contextlib.contextmanager
def observed(folder: Path, port: int) -> Iterator[Path]:
    """The file in which the observer writes, which watches meanwhile."""
    seen = folder / "seen"
    with seen.open("w") as file:
        observer = subprocess.Popen([sys.executable, str(folder / "observer.py"), str(port)], stdout=file)
    try:
        until = time.monotonic() + 10
        while not seen.read_text().endswith(" 1\n"):
            assert time.monotonic() < until, "the server does not answer"
            time.sleep(0.02)
        yield seen
    finally:
        observer.kill()
        observer.wait()


def run_campaign(
    folder: Path, port: int, *, start: str, scenarios: dict[str, dict[str, str]]
) -> list[dict[str, object]]:
    """The figures of every scenario, as report.json has them."""
    service = {"pid_file": f"{folder}/pid", "start": start}
    file = folder / "campaign.yaml"
    phase = {"processes": {"service": service}, "scenarios": scenarios, "steady": "2s", "total": "1h"}
    plan = {
        "name": "recovery",
        "target": {"url": f"http://127.0.0.1:{port}", "health": "GET /"},
        "phases": {"failover": phase},
    }
    file.write_text(json.dumps(plan))  # YAML is a superset of it
    command = [sys.executable, "-m", "campaign", "run", str(file), "--yes", "--output", str(folder / "out")]
    environment = {**os.environ, "CAMPAIGN_STATE_HOME": str(folder / "state")}
    subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, check=False)
    (report,) = (folder / "out").glob("*/report.json")
    told = json.loads(report.read_text())["test_results"][0]
    figures: list[dict[str, object]] = told["evidence"]["facts"]["scenarios"]
    return figures


def starts(folder: Path) -> list[float]:
    """When the server was started, in seconds since 1970; the first time was our own."""
    return sorted(each.stat().st_mtime_ns / 1e9 for each in (folder / "starts").iterdir())[1:]


def compared(figures: list[dict[str, object]], seen: str, started: list[float]) -> Iterator[Trial]:
    """Each scenario beside what was true: outages, starts and scenarios come in the same order."""
    changes = [(int(at) / 1e9, served == "1") for at, served in (line.split() for line in seen.splitlines())]
    changes = changes[next(index for index, (_, served) in enumerate(changes) if served) :]
    pairs = zip(changes[1::2], changes[2::2], strict=False)
    for each, ((lost, _), (back, _)), start in zip(figures, pairs, started, strict=False):
        (episode,) = each["episodes"]  # type: ignore[misc]
        yield Trial(episode["to_recover"], back - start, episode["unavailable"], back - lost)


def free_port() -> int:
    """A port that nobody listens at."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


if __name__ == "__main__":
    main()
