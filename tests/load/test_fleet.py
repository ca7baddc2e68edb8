"""Worker processes: started, merged, stopped, lost; and never left behind."""

from __future__ import annotations

import asyncio
import contextlib
import os
import pickle
import signal
import subprocess
import sys
import time
from collections import Counter
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from campaign.clock import SECOND, RealClock
from campaign.errors import GeneratorError
from campaign.load import fleet
from campaign.load.crew import Crew
from campaign.load.fleet import run_load
from campaign.load.machine import Means
from campaign.load.merge import Merge
from campaign.load.messages import Finished, Interval, Stop
from campaign.load.silence import Silences
from campaign.load.tally import Stage, Tally
from campaign.stats.histogram import Histogram
from campaign.target.journey import TaskSpec, WaitSpec
from campaign.target.spec import FeedSpec, TlsSpec, UserSpec

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


def workers_of(pid: int) -> list[psutil.Process]:
    return [each for each in psutil.Process(pid).children(recursive=True) if is_worker(each)]


def is_worker(process: psutil.Process) -> bool:
    with contextlib.suppress(psutil.NoSuchProcess):  # or a zombie: servers of other tests are children too
        return "campaign.load.worker" in process.cmdline()
    return False


def until(condition, *, seconds: float = 10.0):
    """What `condition` gives, as soon as that is true."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, "the condition never held"
        time.sleep(0.02)
    return value


async def until_it_holds(condition) -> None:
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 (nothing tells us)
            await asyncio.sleep(0.02)


def run_fleet(plan, *, on_second=lambda second: None, meanwhile=None):
    async def run():
        stop = asyncio.Event()
        load = asyncio.create_task(run_load(plan, clock=RealClock(), stop=stop, on_second=on_second))
        if meanwhile:
            await meanwhile(stop, load)
        return await load

    outcome = asyncio.run(run())
    assert workers_of(os.getpid()) == []
    return outcome


def test_a_scenario_runs_in_a_worker_and_comes_back_as_one_outcome(serve, make_plan):
    seconds = []
    server = serve(OK)
    outcome = run_fleet(make_plan(server.url, users=5, hold=2.0), on_second=seconds.append)
    assert outcome.errors == ()
    assert outcome.tallies["home", Stage.HOLD].count == len(server.requests)
    assert [second.at for second in seconds] == [0.0, 1.0]
    assert (seconds[0].users, outcome.hold_seconds) == (5, 2.0)
    assert outcome.generator.saturation() == ""
    assert outcome.load_reached == pytest.approx(1.0, abs=0.02)


def test_any_number_of_workers_sends_the_same_requests(serve, make_plan, operation):
    hello = operation("hello", "/hello/{{ user.id }}/{{ fake.word }}/{{ word }}/{{ random.int(1, 1000) }}")
    other = operation("other", "/other/{{ user.id }}/{{ iteration }}")
    kinds = {
        "talker": UserSpec(
            "talker", 3, WaitSpec(0.05, 0.15), (), {name: TaskSpec.of(name) for name in ("hello", "other")}
        ),
        "lurker": UserSpec("lurker", 1, WaitSpec(0.2, 0.2), (), {"other": TaskSpec.of("other")}),
    }
    feeds = {"word": FeedSpec("word", ("a", "b", "c"), "random")}

    def requests(workers: int, seed: int) -> dict[str, list[str]]:
        server = serve(OK)
        run_fleet(
            make_plan(
                server.url,
                hello,
                other,
                kinds=kinds,
                feeds=feeds,
                users=8,
                hold=1.5,
                workers=workers,
                seed=seed,
            )
        )
        sent: dict[str, list[str]] = {}
        for request in server.requests:
            path = request.split(b" ")[1].decode()
            sent.setdefault(path.split("/")[2], []).append(path)
        return {user: paths[:6] for user, paths in sent.items()}

    alone = requests(1, 7)
    assert len(alone) == 8
    assert requests(3, 7) == alone
    assert requests(1, 8) != alone


def test_the_parts_of_two_workers_add_up(serve, make_plan):
    server = serve(OK)
    seconds = []
    plan = make_plan(server.url, users=7, hold=1.5, ramp=14.0, workers=2)
    outcome = run_fleet(plan, on_second=seconds.append)
    assert sum(tally.count for tally in outcome.tallies.values()) == len(server.requests)
    assert server.connections == 7
    assert max(second.users for second in seconds) == 7


def test_a_worker_that_is_killed_leaves_its_data_and_the_others_go_on(serve, make_plan):
    seconds = []

    async def kill_one(stop, load):
        await until_it_holds(lambda: len(seconds) > 1)
        workers_of(os.getpid())[0].send_signal(signal.SIGKILL)

    plan = make_plan(serve(OK).url, users=4, hold=4.0, workers=2, wait=0.1)
    outcome = run_fleet(plan, on_second=seconds.append, meanwhile=kill_one)
    assert (outcome.generator.workers, outcome.generator.workers_lost) == (2, 1)
    assert outcome.generator.losses == ("ended by SIGKILL",)
    assert outcome.generator.saturation() == "1 of 2 load workers were lost: ended by SIGKILL"
    assert len(seconds) == 4
    assert seconds[0].rate == pytest.approx(40, rel=0.3)
    assert seconds[3].rate == pytest.approx(20, rel=0.3)
    assert 0.5 < outcome.load_reached < 0.9


def interval(sequence, began, ended, answers):
    times = Histogram()
    times.record_many([1000] * answers)
    tally = Tally(times, Histogram())
    return Interval(
        sequence=sequence, began_ns=round(began * SECOND), ended_ns=round(ended * SECOND),
        tallies={("home", Stage.HOLD): tally}, views={}, measures={}, counts={}, errors={}, users=1,
        waiting=0, worked_ns=0, silences=Silences(), reconnects=0,
        schedule_lags=Histogram(), loop_lags=Histogram(), cpu=0.0,
    )  # fmt: skip


def test_after_a_freeze_a_second_is_as_long_as_it_was_and_nothing_is_lost(make_plan):
    seconds = []
    merge = Merge(make_plan("http://127.0.0.1:9", hold=6.0), 0, on_second=seconds.append)
    spans = [(0.0, 1.0, 10), (1.0, 4.0, 30), (4.0, 4.01, 3), (4.01, 4.02, 2), (4.02, 5.0, 10), (5.0, 5.1, 7)]
    for sequence, (began, ended, answers) in enumerate(spans):
        merge.add(0, interval(sequence, began, ended, answers), last=ended == 5.1)
    assert [each.at for each in seconds] == [0, 1, 4]
    assert [each.seconds for each in seconds] == pytest.approx([1, 3, 1])
    assert [each.rate for each in seconds] == pytest.approx([10, 10, 15])
    assert [each.tallies["home"].count for each in seconds] == [10, 30, 15]
    assert [each.users for each in seconds] == [1, 1, 1]


class Deaf:
    """A worker that ends as soon as it is told to stop, while the telling never returns."""

    index, means, clock_error = 0, Means(), 0

    def __init__(self):
        self.told = asyncio.Event()

    async def start(self, shard):
        pass

    async def tell(self, message):
        if isinstance(message, Stop):
            self.told.set()
            await asyncio.Event().wait()

    async def hear(self, limit):
        await self.told.wait()
        return Finished(interval(0, 0.0, 0.5, 5))


def test_a_stop_is_not_forgotten_when_the_workers_end_before_all_are_told(make_plan, monkeypatch):
    @asynccontextmanager
    async def crew(plan, fleet):
        yield Crew([Deaf()], 0)

    monkeypatch.setattr(fleet, "open_crew", crew)
    outcome = run_fleet(make_plan("http://127.0.0.1:9", hold=600.0), meanwhile=stop_at_once)
    assert outcome.hold_seconds < 60


async def stop_at_once(stop, load):
    stop.set()


def test_stop_ends_a_run_early_with_what_there_is(serve, make_plan):
    seconds = []

    async def stop_soon(stop, load):
        await until_it_holds(lambda: seconds)
        stop.set()

    began = time.monotonic()
    outcome = run_fleet(
        make_plan(serve(OK).url, users=3, hold=600.0, workers=2),
        on_second=seconds.append,
        meanwhile=stop_soon,
    )
    assert time.monotonic() - began < 8
    assert outcome.errors == ()
    assert outcome.generator.workers_lost == 0
    assert 1.0 <= outcome.hold_seconds < 4


def test_cancelling_the_run_leaves_no_worker_behind(serve, make_plan):
    async def run():
        plan = make_plan(serve(OK).url, hold=600.0, workers=2)
        load = asyncio.create_task(
            run_load(plan, clock=RealClock(), stop=asyncio.Event(), on_second=lambda second: None)
        )
        await until_it_holds(lambda: len(workers_of(os.getpid())) > 1)
        load.cancel()
        with pytest.raises(asyncio.CancelledError):
            await load

    asyncio.run(run())
    assert workers_of(os.getpid()) == []


def test_an_error_in_a_listener_ends_the_workers(serve, make_plan):
    def burst(second):
        raise RuntimeError("listener")

    with pytest.raises(RuntimeError, match="listener"):
        run_fleet(make_plan(serve(OK).url, hold=600.0, workers=2), on_second=burst)
    assert workers_of(os.getpid()) == []


def test_a_worker_that_cannot_prepare_is_an_error_that_says_why(make_plan, operation):
    broken = operation("broken", "/{{ nobody }}")
    with pytest.raises(GeneratorError, match=r"broken.*nobody"):
        run_fleet(make_plan("http://127.0.0.1:9", broken))


def test_tls_files_that_cannot_be_read_are_an_error_that_says_so(make_plan):
    with pytest.raises(GeneratorError, match="TLS files cannot be read"):
        run_fleet(make_plan("http://127.0.0.1:9", tls=TlsSpec(ca="/nowhere/ca.pem")))


@pytest.fixture
def script(serve, make_plan, tmp_path):
    """A script without a guard around its main part, in a folder of its own, that runs a long scenario."""
    plan = make_plan(serve(OK).url, users=2, hold=600.0, workers=2)
    (tmp_path / "plan").write_bytes(pickle.dumps(plan))
    path = tmp_path / "script.py"
    path.write_text(
        "import asyncio, pickle, sys\n"
        f"sys.path.insert(0, {str(Path(__file__).parents[2])!r})\n"
        "from campaign.clock import RealClock\n"
        "from campaign.load.fleet import run_load\n"
        f"plan = pickle.load(open({str(tmp_path / 'plan')!r}, 'rb'))\n"
        "say = lambda second: print(second.at, flush=True)\n"
        "asyncio.run(run_load(plan, clock=RealClock(), stop=asyncio.Event(), on_second=say))\n"
    )
    # Modules here would be in the way of the standard library's, if a worker looked here first.
    (tmp_path / "json.py").write_text("raise SystemExit('the wrong json')")
    return path


@pytest.fixture
def running(script):
    """The script's process, when its workers are at work."""
    process = subprocess.Popen(
        [sys.executable, "-P", script], cwd=script.parent, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "0.0\n"
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


def test_workers_end_when_their_parent_is_killed(running):
    workers = workers_of(running.pid)
    assert len(workers) == 2
    running.kill()
    running.wait()
    until(lambda: not any(each.is_running() and each.status() != psutil.STATUS_ZOMBIE for each in workers))


SPINNING = """
import os, time
from campaign import User, task


class Traveler(User):
    @task
    async def visit(self):
        if not os.fork():
            time.sleep(600)
            os._exit(0)
        await self.send("home")
        {then}
"""


def traveler(folder, then: str) -> dict[str, UserSpec]:
    (folder / "travelers.py").write_text(SPINNING.format(then=then))
    user = UserSpec(
        "traveler", 1, WaitSpec(), (), {}, python="travelers.Traveler", folder=str(folder), iterations=1
    )
    return {"traveler": user}


@pytest.fixture
def descendants():
    """All processes that this one has left behind, to be ended."""
    found: list[psutil.Process] = []
    yield found
    for each in found:
        with contextlib.suppress(psutil.NoSuchProcess):
            each.kill()


def gone(processes: list[psutil.Process]) -> bool:
    return not any(each.is_running() and each.status() != psutil.STATUS_ZOMBIE for each in processes)


def test_a_worker_whose_users_code_spins_ends_with_its_parent_too(script, tmp_path, descendants):
    plan = pickle.loads((tmp_path / "plan").read_bytes())  # noqa: S301 - our own
    folder = tmp_path / "users"
    folder.mkdir()
    kinds = traveler(folder, "while True: pass")
    plan = replace(plan, workers=1, vocabulary=replace(plan.vocabulary, users=kinds))
    (tmp_path / "plan").write_bytes(pickle.dumps(plan))
    process = subprocess.Popen([sys.executable, "-P", script], cwd=script.parent)
    try:
        family = psutil.Process(process.pid)
        until(lambda: len(family.children(recursive=True)) > 1, seconds=40)
        descendants += family.children(recursive=True)
    finally:
        process.kill()
        process.wait()
    until(lambda: gone(descendants), seconds=30)


def test_what_users_code_has_started_ends_with_the_worker(serve, make_plan, tmp_path, descendants):
    server = serve(OK)
    others = set(psutil.Process().children(recursive=True))

    async def watch(stop, load) -> None:
        await until_it_holds(lambda: len(server.requests) > 0)
        descendants.extend(set(psutil.Process().children(recursive=True)) - others)

    plan = make_plan(server.url, users=1, hold=0.5, kinds=traveler(tmp_path, "await self.sleep(60)"))
    outcome = run_fleet(plan, meanwhile=watch)
    assert len(descendants) == 2
    assert outcome.tallies["home", Stage.HOLD].count == 1
    until(lambda: gone(descendants), seconds=30)


def test_users_that_catch_every_cancellation_end_with_their_worker_and_what_was_seen_is_kept(
    serve, make_plan, tmp_path
):
    (tmp_path / "stubborn.py").write_text(
        "from campaign import User, task\n\n\n"
        "class Stubborn(User):\n"
        "    @task\n"
        "    async def visit(self):\n"
        "        while True:\n"
        "            try:\n"
        "                await self.send('home')\n"
        "            except BaseException:\n"
        "                pass\n"
    )
    user = UserSpec("mule", 1, WaitSpec(), (), {}, python="stubborn.Stubborn", folder=str(tmp_path))
    plan = make_plan(serve(OK).url, users=1, hold=1.5, kinds={"mule": user})
    plan = replace(plan, scenario=replace(plan.scenario, graceful_stop=0.2))
    outcome = run_fleet(plan)
    assert outcome.tallies["home", Stage.HOLD].count > 0
    assert outcome.generator.losses == (
        "users of kind mule did not end: their code catches the cancellation",
    )


def test_workers_do_not_hear_the_keyboard(running):
    workers = workers_of(running.pid)
    for each in workers:
        each.send_signal(signal.SIGINT)
    assert running.stdout.readline() == "1.0\n"
    assert all(each.is_running() for each in workers)
    assert {os.getsid(each.pid) for each in workers}.isdisjoint({os.getsid(running.pid)})


def test_a_worker_loads_nothing_heavy():
    code = (
        "import campaign.load.worker, sys; print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    heavy = {
        "numpy",
        "scipy",
        "pydantic",
        "httpx",
        "rich",
        "typer",
        "sqlalchemy",
        "jinja2",
        "fastapi",
        "yaml",
        "docker",
    }
    assert heavy.isdisjoint(loaded)


def test_a_thousand_users_fit_into_sixty_megabytes(serve, make_plan):
    sizes = []

    async def weigh(stop, load):
        while not load.done():
            sizes.extend(each.memory_info().rss for each in workers_of(os.getpid()))
            await asyncio.sleep(0.2)

    outcome = run_fleet(
        make_plan(serve(OK).url, users=1000, ramp=1000.0, hold=2.0, wait=1.0), meanwhile=weigh
    )
    assert Counter(each.kind for each in outcome.errors) == {}
    assert outcome.tallies["home", Stage.HOLD].count > 1500
    assert max(sizes) < 60 * 2**20
