"""What sharing costs: two local workers against one, three Dask workers against three local ones, as ratios.

Run: python benchmarks/fleet.py [SECONDS [ROUNDS]]; on 127.0.0.1 alone. CPU is that of the processes that run
shards from their first second to the last, per request; the server's and the run's own are not in it. Each
figure is the median of the rounds, whose order is turned each time. With --pin, each of two local workers is
tied to a core of its own, and compared with two free ones.
"""

from __future__ import annotations

import asyncio
import contextlib
import statistics
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import psutil
import uvloop

from campaign.clock import RealClock
from campaign.load.fleet import run_load
from campaign.load.outcome import Second
from campaign.load.spec import LoadPlan, ramp_and_hold
from campaign.target.journey import TaskSpec, WaitSpec
from campaign.target.spec import OperationSpec, OptionsSpec, TargetSpec, UserSpec, Vocabulary

USERS, THINK = 48, 0.01
ONLY_HERE = ("--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--dashboard-address", "127.0.0.1:0")
SERVER = """
import asyncio, uvloop
class Answer(asyncio.Protocol):
    def connection_made(self, transport): self.transport = transport
    def data_received(self, data):
        self.transport.write(b"HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\nok" * data.count(b"GET "))
async def main():
    server = await asyncio.get_running_loop().create_server(Answer, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()
uvloop.run(main())
"""


@dataclass(frozen=True, slots=True)
class Round:
    """One run: µs of CPU per request (`whole`: with the Dask workers around the shards), the start skew in
    ms, requests per second, and what our own generator says of itself.
    """

    cpu: float
    whole: float
    skew: float
    rate: float
    saturation: str


@contextlib.contextmanager
def program(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def said(process: subprocess.Popen[str], words: str) -> str:
    """The line in which the process says `words`."""
    return next(line for line in process.stdout or () if words in line)


@contextlib.contextmanager
def cluster(workers: int) -> Iterator[tuple[str, list[psutil.Process]]]:
    """The address of a Dask scheduler with so many workers, and their processes."""
    with contextlib.ExitStack() as stack:
        scheduler = stack.enter_context(program("-m", "distributed.cli.dask_scheduler", *ONLY_HERE))
        address = said(scheduler, "Scheduler at").split()[-1]
        members = [
            stack.enter_context(program("-m", "campaign", "worker", address, "--host", "127.0.0.1"))
            for _ in range(workers)
        ]
        for each in members:
            said(each, "ready for")
        yield address, [psutil.Process(each.pid) for each in members]


def make_plan(port: int, seconds: float) -> LoadPlan:
    operation = OperationSpec("home", "GET", "/", options=OptionsSpec(timeout=5.0))
    user = UserSpec("visitor", 1, WaitSpec(THINK, THINK), (), {"home": TaskSpec.of("home")})
    vocabulary = Vocabulary({"home": operation}, {"visitor": user}, {})
    target = TargetSpec(url=f"http://127.0.0.1:{port}")
    return LoadPlan(target, vocabulary, ramp_and_hold("bench", USERS, USERS, seconds), seed=1)


async def measure(
    plan: LoadPlan, *, workers: int, fleet: str = "", around: Sequence[psutil.Process] = (), pin: bool = False
) -> Round:
    """One run of `plan` by so many workers, from its first second to its last; `around` are processes whose
    CPU counts too.
    """
    meter = Meter([*around] or [psutil.Process()], around, pin=pin)
    outcome = await run_load(
        replace(plan, workers=workers), clock=RealClock(), stop=asyncio.Event(),
        on_second=meter.see, fleet=fleet,
    )  # fmt: skip
    health = outcome.generator
    return Round(
        meter.shards / meter.requests * 1e6,
        (meter.shards + meter.posts) / meter.requests * 1e6,
        health.start_skew * 1e3,
        meter.requests / meter.seconds,
        health.saturation(),
    )


class Meter:
    """Reads the CPU of the processes that run shards, and of those around them, once a second.

    The time until the first second is over (starting, connecting) is not in it.
    """

    def __init__(
        self, parents: Sequence[psutil.Process], around: Sequence[psutil.Process], *, pin: bool
    ) -> None:
        self.requests = self.seconds = 0
        self.shards = self.posts = 0.0
        self._parents, self._around, self._pin = parents, around, pin
        self._began: tuple[float, float] | None = None
        self._processes: list[psutil.Process] = []

    def see(self, second: Second) -> None:
        """A second is over: read everything."""
        if self._began is None:
            self._processes = [each for parent in self._parents for each in _shards(parent)]
            self._began = self._read()
            self._tie()
            return
        with contextlib.suppress(psutil.Error):  # the last second is told when some have ended
            shards, posts = self._read()
            self.shards, self.posts = shards - self._began[0], posts - self._began[1]
            self.requests += sum(tally.count for tally in second.tallies.values())
            self.seconds += 1

    def _read(self) -> tuple[float, float]:
        return sum(map(_cpu, self._processes)), sum(map(_cpu, self._around))

    def _tie(self) -> None:
        if self._pin:
            for number, process in enumerate(self._processes):
                process.cpu_affinity([number % (psutil.cpu_count() or 1)])


def _shards(parent: psutil.Process) -> list[psutil.Process]:
    children = parent.children(recursive=True)
    return [each for each in children if "campaign.load.worker" in each.cmdline()]


def _cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def median(rounds: list[Round]) -> Round:
    worst = next((each.saturation for each in rounds if each.saturation), "")
    middle = (
        statistics.median(getattr(each, name) for each in rounds) for name in ("cpu", "whole", "skew", "rate")
    )
    return Round(*middle, worst)


async def compare(seconds: float, rounds: int, *, pin: bool) -> dict[str, Round]:
    with program("-c", SERVER) as server, cluster(3) as (address, around):
        plan = make_plan(int((server.stdout or ()).__next__()), seconds)  # type: ignore[union-attr]
        ways = {
            "one local worker": {"workers": 1},
            "two local workers": {"workers": 2},
            "three local workers": {"workers": 3},
            "three Dask workers": {"workers": 3, "fleet": address, "around": around},
        }
        if pin:
            ways["two local workers, pinned"] = {"workers": 2, "pin": True}
        found: dict[str, list[Round]] = {name: [] for name in ways}
        for number in range(rounds):
            names = list(ways)
            for name in names[number % len(names) :] + names[: number % len(names)]:
                found[name].append(await measure(plan, **ways[name]))
        return {name: median(each) for name, each in found.items()}


def show(found: dict[str, Round], seconds: float) -> None:
    print(f"{USERS} users thinking {THINK * 1e3:.0f} ms, {seconds:g} s held, loopback")
    for name, each in found.items():
        note = f"  ! {each.saturation}" if each.saturation else ""
        print(
            f"  {name:<26} {each.cpu:6.1f} µs CPU/request ({each.whole:6.1f} in all)"
            f"  {each.rate:7.0f} requests/s  start skew {each.skew:5.1f} ms{note}"
        )
    one, two = found["one local worker"], found["two local workers"]
    three, dask = found["three local workers"], found["three Dask workers"]
    print(f"two local workers against one: {two.cpu / one.cpu:.2f} x CPU per request (at most 1.10)")
    print(f"three Dask workers against three local: {dask.cpu / three.cpu:.2f} x (at most 1.05),")
    print(f"  with the Dask workers around the shards: {dask.whole / three.cpu:.2f} x,", end=" ")
    print(f"that is {(dask.whole - dask.cpu) * dask.rate / 3e4:.1f}% of a core for each")
    print(f"start skew of three Dask workers: {dask.skew:.1f} ms (at most 50)")
    if "two local workers, pinned" in found:
        print(f"pinned against free: {found['two local workers, pinned'].cpu / two.cpu:.2f} x")


def main() -> None:
    numbers = [each for each in sys.argv[1:] if each != "--pin"]
    seconds = float(numbers[0]) if numbers else 10.0
    rounds = int(numbers[1]) if len(numbers) > 1 else 3
    show(uvloop.run(compare(seconds, rounds, pin="--pin" in sys.argv)), seconds)


if __name__ == "__main__":
    main()
