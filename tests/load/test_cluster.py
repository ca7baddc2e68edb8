"""Shards on a Dask cluster of this machine: merged, stopped, lost, never run twice; nothing left behind."""

from __future__ import annotations

import asyncio
import gc
import os
import pickle
import re
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest
from distributed import Client

from campaign.clock import RealClock
from campaign.errors import GeneratorError
from campaign.load import cluster as cluster_module
from campaign.load import fleet as fleet_module
from campaign.load.cluster import Outpost
from campaign.load.fleet import run_load
from campaign.load.offset import Offset, Trip, best_offset
from campaign.load.outpost import hold
from campaign.load.tally import Stage

ROOT = Path(__file__).parents[2]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}


def start(folder: str, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**ENVIRONMENT, "TMPDIR": folder},
    )


def said(process: subprocess.Popen[str], pattern: str) -> str:
    """The first group of `pattern` in what the process prints."""
    for line in process.stdout:
        if found := re.search(pattern, line):
            return found[1]
    raise AssertionError(f"it ended without saying {pattern}: exit code {process.wait()}")


@dataclass
class Cluster:
    processes: list[subprocess.Popen[str]] = field(default_factory=list)
    address: str = ""
    folder: tempfile.TemporaryDirectory[str] = field(default_factory=tempfile.TemporaryDirectory)
    """What killed workers leave behind."""

    def open(self, workers: int) -> Cluster:
        scheduler = start(
            self.folder.name, "distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", "0",
            "--no-dashboard", "--dashboard-address", "127.0.0.1:0",
        )  # fmt: skip
        self.processes.append(scheduler)
        self.address = said(scheduler, r"Scheduler at:\s+(tcp://\S+)")
        started = [self.worker() for _ in range(workers)]
        for each in started:
            said(each, r"ready for .* at (\S+);")
        return self

    def worker(self) -> subprocess.Popen[str]:
        process = start(self.folder.name, "campaign", "worker", self.address, "--host", "127.0.0.1")
        self.processes.append(process)
        return process

    def close(self) -> None:
        for process in reversed(self.processes):
            process.kill()
            process.wait()
            process.stdout.close()
        self.folder.cleanup()


OK = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


@pytest.fixture(scope="module")
def three():
    """Three Dask workers that all tests share which leave them alive."""
    cluster = Cluster()
    try:
        yield cluster.open(3)
    finally:
        cluster.close()


@pytest.fixture
def own():
    """A cluster whose workers a test may kill."""
    cluster = Cluster()
    yield cluster
    cluster.close()


def command_of(process):
    try:
        return process.cmdline()
    except psutil.Error:  # it has just ended
        return []


def shards_of(cluster: Cluster) -> list[psutil.Process]:
    """The processes that run shards, below the Dask workers."""
    found = []
    for each in cluster.processes[1:]:
        if each.poll() is None:
            children = psutil.Process(each.pid).children(recursive=True)
            found += [child for child in children if "campaign.load.worker" in command_of(child)]
    return found


async def until(condition, *, seconds: float = 20.0) -> None:
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 (nothing tells us)
            await asyncio.sleep(0.02)


def run_on(cluster: Cluster, plan, *, on_second=lambda second: None, meanwhile=None):
    async def run():
        stop = asyncio.Event()
        load = asyncio.create_task(
            run_load(plan, clock=RealClock(), stop=stop, on_second=on_second, fleet=cluster.address)
        )
        if meanwhile:
            await meanwhile(stop, load)
        outcome = await load
        await until(lambda: not shards_of(cluster))
        return outcome

    return asyncio.run(run())


def test_all_workers_of_the_cluster_share_one_scenario(three, serve, make_plan):
    seconds = []
    server = serve(OK)
    outcome = run_on(three, make_plan(server.url, users=6, hold=2.0, workers=0), on_second=seconds.append)
    health = outcome.generator
    assert outcome.errors == ()
    assert sum(tally.count for tally in outcome.tallies.values()) == len(server.requests)
    assert server.connections == 6
    assert outcome.tallies["home", Stage.HOLD].count > 50
    assert [second.at for second in seconds] == [0.0, 1.0]
    assert (health.workers, health.workers_lost, seconds[0].users) == (3, 0, 6)
    assert outcome.load_reached == pytest.approx(1.0, abs=0.1)
    assert 0 < health.start_skew < 0.5


def test_a_plan_takes_as_many_workers_as_it_wants_and_no_more_than_there_are(three, serve, make_plan):
    plan = make_plan(serve(OK).url, users=6, hold=0.5, workers=2)
    assert run_on(three, plan).generator.workers == 2
    with pytest.raises(GeneratorError, match=r"has 3 Dask workers, and the plan wants 4.*campaign worker"):
        run_on(three, make_plan(serve(OK).url, users=6, workers=4))


def test_stop_reaches_every_worker(three, serve, make_plan):
    seconds = []

    async def stop_soon(stop, load):
        await until(lambda: seconds)
        stop.set()

    server = serve(OK)
    plan = make_plan(server.url, users=6, hold=600.0, workers=3)
    outcome = run_on(three, plan, on_second=seconds.append, meanwhile=stop_soon)
    assert (outcome.errors, outcome.generator.workers_lost) == ((), 0)
    assert 0.5 <= outcome.hold_seconds < 20


def test_cancelling_the_run_ends_the_load_on_the_cluster(three, serve, make_plan):
    seconds = []

    async def cancel(stop, load):
        await until(lambda: seconds)
        load.cancel()

    plan = make_plan(serve(OK).url, users=6, hold=600.0, workers=3)
    with pytest.raises(asyncio.CancelledError):
        run_on(three, plan, on_second=seconds.append, meanwhile=cancel)
    assert shards_of(three) == []


def test_a_shard_that_cannot_be_prepared_is_an_error_that_says_why(three, make_plan, operation):
    with pytest.raises(GeneratorError, match=r"tcp://127.0.0.1.*broken.*nobody"):
        run_on(three, make_plan("http://127.0.0.1:9", operation("broken", "/{{ nobody }}")))


def test_other_versions_on_the_cluster_are_refused_before_the_start(three, serve, make_plan, monkeypatch):
    monkeypatch.setattr(cluster_module, "versions", lambda: {"campaign": "9.9", "Python": "3.99"})
    server = serve(OK)
    with pytest.raises(GeneratorError, match=r"it has campaign \S+, and here is 9.9; install the same"):
        run_on(three, make_plan(server.url))
    assert server.requests == []


def test_a_worker_killed_in_the_middle_is_lost_keeps_its_data_and_is_not_replaced(own, serve, make_plan):
    seconds = []
    own.open(3)

    async def kill_one(stop, load):
        await until(lambda: len(seconds) > 1)
        own.processes[1].send_signal(signal.SIGKILL)

    plan = make_plan(serve(OK).url, users=6, hold=5.0, workers=3, wait=0.1)
    outcome = run_on(own, plan, on_second=seconds.append, meanwhile=kill_one)
    health = outcome.generator
    assert (health.workers, health.workers_lost) == (3, 1)
    assert health.saturation().startswith("1 of 3 load workers were lost: ")
    assert "is gone" in health.losses[0]
    assert len(seconds) == 5
    assert seconds[0].users == 6
    assert seconds[4].users == 4
    assert 0.6 < outcome.load_reached < 0.95


def test_a_shard_whose_process_is_killed_says_so(three, serve, make_plan):
    seconds = []

    async def kill_one(stop, load):
        await until(lambda: seconds)
        shards_of(three)[0].send_signal(signal.SIGKILL)

    plan = make_plan(serve(OK).url, users=3, hold=3.0, workers=3)
    outcome = run_on(three, plan, on_second=seconds.append, meanwhile=kill_one)
    assert outcome.generator.losses == ("ended by SIGKILL",)


def test_a_second_start_of_a_shard_is_refused(three, serve, make_plan, monkeypatch):
    """Dask runs a task again when it has lost the worker; here we do it in its place."""
    seconds, answers, posts = [], [], []

    class Known(Outpost):
        def __init__(self, *arguments):
            super().__init__(*arguments)
            posts.append(self)

    async def start_again(stop, load):
        await until(lambda: seconds)
        async with Client(three.address, asynchronous=True, set_as_default=False) as client:
            (*_, other) = sorted(set(await client.nthreads()) - {posts[0].address})
            answers.append(await client.submit(hold, posts[0]._token, pure=False, workers=[other]))

    monkeypatch.setattr(cluster_module, "Outpost", Known)
    plan = make_plan(serve(OK).url, users=1, hold=4.0, workers=1)
    outcome = run_on(three, plan, on_second=seconds.append, meanwhile=start_again)
    assert answers == ["refused"]
    assert "second start of its shard refused" in outcome.generator.losses[0]
    assert outcome.generator.saturation()


def test_a_scheduler_that_is_gone_loses_all_and_ends_the_load(own, serve, make_plan, capfd):
    seconds = []
    own.open(2)
    shards = []

    async def kill_scheduler(stop, load):
        await until(lambda: seconds)
        shards.extend(shards_of(own))
        own.processes[0].kill()

    plan = make_plan(serve(OK).url, users=4, hold=600.0, workers=2)
    outcome = run_on(own, plan, on_second=seconds.append, meanwhile=kill_scheduler)
    assert outcome.generator.losses == ("the Dask scheduler is gone",) * 2
    assert capfd.readouterr() == ("", "")
    assert len(shards) == 2
    for each in own.processes[1:]:
        assert each.wait(20) == 0  # without a scheduler they end


def test_the_load_ends_when_the_run_is_killed(three, serve, make_plan, tmp_path):
    plan = make_plan(serve(OK).url, users=3, hold=600.0, workers=3)
    (tmp_path / "plan").write_bytes(pickle.dumps(plan))
    code = (
        "import asyncio, pickle, sys\n"
        "from campaign.clock import RealClock\n"
        "from campaign.load import cluster\n"
        "from campaign.load.fleet import run_load\n"
        "cluster.ABANDONED = 3.0\n"
        f"plan = pickle.load(open({str(tmp_path / 'plan')!r}, 'rb'))\n"
        "say = lambda second: print(second.at, flush=True)\n"
        "more = {'on_second': say, 'fleet': sys.argv[1]}\n"
        "asyncio.run(run_load(plan, clock=RealClock(), stop=asyncio.Event(), **more))\n"
    )
    run = subprocess.Popen(
        [sys.executable, "-c", code, three.address], stdout=subprocess.PIPE, text=True, env=ENVIRONMENT
    )
    assert said(run, r"(0.0)") == "0.0"
    run.kill()
    run.wait()
    run.stdout.close()
    give_up = time.monotonic() + 30
    while shards_of(three):
        assert time.monotonic() < give_up, "the load went on"
        time.sleep(0.05)


def test_no_scheduler_is_an_error_that_says_so(make_plan, monkeypatch):
    monkeypatch.setattr(cluster_module, "CONNECT_LIMIT", 1.0)
    plan = make_plan("http://127.0.0.1:9")
    with pytest.raises(GeneratorError, match=r"no Dask scheduler answers at tcp://127\.0\.0\.1:9"):
        run_on(Cluster(address="tcp://127.0.0.1:9"), plan)


def test_a_server_of_another_kind_is_no_scheduler(serve, make_plan, recwarn):
    async def talk(talker):
        talker.say(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
        await talker.request()

    address = serve(talk).url.replace("http", "tcp")
    with pytest.raises(GeneratorError, match=f"at {address}: what listens there does not speak Dask's"):
        run_on(Cluster(address=address), make_plan("http://127.0.0.1:9"))
    gc.collect()
    assert [each for each in recwarn if "never awaited" in str(each.message)] == []


def test_workers_listen_on_their_own_address_only(three):
    for each in three.processes:
        listening = {
            one.laddr.ip for one in psutil.Process(each.pid).net_connections("tcp") if one.status == "LISTEN"
        }
        assert listening == {"127.0.0.1"}


def test_the_shortest_round_trip_tells_the_offset_and_how_sure_it_is():
    trips = [Trip(0, 1_000_400, 1_000), Trip(0, 1_000_050, 100), Trip(50, 1_009_000, 9_050)]
    assert best_offset(trips) == Offset(1_000_000, 50)


def test_a_run_on_this_machine_never_loads_dask():
    code = (
        "import campaign.load.fleet, campaign.cli.app, phases.load, sys; print('distributed' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, env=ENVIRONMENT
    )
    assert done.stdout == "False\n", done.stderr


def test_silence_is_noticed(three, serve, make_plan, monkeypatch):
    """A shard's process that is frozen counts as lost; it is not waited for."""
    monkeypatch.setattr(fleet_module, "SILENCE_LIMIT", 4.0)
    seconds, frozen = [], []

    async def freeze(stop, load):
        await until(lambda: seconds)
        frozen.append(shards_of(three)[0])
        frozen[0].send_signal(signal.SIGSTOP)

    plan = make_plan(serve(OK).url, users=2, hold=3.0, workers=2)
    outcome = run_on(three, plan, on_second=seconds.append, meanwhile=freeze)
    assert outcome.generator.workers_lost == 1
    assert "fell silent" in outcome.generator.losses[0]
