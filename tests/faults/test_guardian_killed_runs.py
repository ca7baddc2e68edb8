"""A run that is killed by SIGKILL, at any moment of what it does, leaves everything as it found it."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from breaking import Run, is_as_before, lives, seconds_until_whole, settings
from servers import free_port, wait_until

from campaign.faults.alive import began, state
from campaign.faults.lock import try_lock

TRIALS = 20
WITHIN = 10.0


@pytest.fixture
def started():
    """Starts runs, and sees them and their guardians out."""
    runs = []

    def start(*args, **kwargs):
        runs.append(Run(*args, **kwargs))
        return runs[-1]

    yield start
    for each in runs:
        each.end()


@pytest.mark.timeout(600)
@pytest.mark.slow
def test_killed_at_20_random_moments_the_container_is_whole_within_10_seconds(
    engine, redis_container, started, tmp_path
):
    luck = random.Random(20)
    before = settings(redis_container.container.attrs["HostConfig"])
    took = []
    for number in range(TRIALS):
        run = started(
            tmp_path,
            {"container": redis_container.name, "engine": engine.url, "seed": number},
        )
        time.sleep(luck.uniform(0, 1.5))  # the moment of the kill is what is tried
        run.kill()

        def whole():
            return is_as_before(engine, redis_container.name, before) and redis_container.ready()

        took.append(seconds_until_whole(run, whole))
        assert run.open_records() == [], took
    assert [each for each in took if each is None or each > WITHIN] == [], took
    assert sum(each > 0 for each in took) >= TRIALS // 4, took  # so many kills found it broken


def test_a_stop_that_is_still_on_its_way_is_waited_for(engine, started, tmp_path):
    """The engine goes on with a stop, and kills after the grace, when the one who asked is dead."""
    container = engine.run("stubborn", "sleep", "1000")  # as process 1 it hears no SIGTERM
    container.reload()
    before = settings(container.attrs["HostConfig"])
    run = started(tmp_path, {"container": "stubborn", "engine": engine.url, "kinds": ["stop"]})
    wait_until(run.open_records)
    time.sleep(0.5)  # the moment of the kill: within the grace of 3 s
    run.kill()
    assert is_as_before(engine, "stubborn", before)
    took = seconds_until_whole(run, lambda: is_as_before(engine, "stubborn", before))
    assert took is not None
    assert 1 < took < WITHIN
    assert run.open_records() == []


SERVER = """
import http.server, os, sys
open(sys.argv[2], "w").write(str(os.getpid()))
server = http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), http.server.BaseHTTPRequestHandler)
server.serve_forever()
"""


class Service:
    """A process with a pid file, a port, and a command that starts it."""

    def __init__(self, folder):
        self.port, self.pid_file = free_port(), folder / "pid"
        (folder / "server.py").write_text(SERVER)
        self.command = f"exec {sys.executable} {folder}/server.py {self.port} {self.pid_file}"
        self.first = subprocess.Popen(["sh", "-c", self.command], start_new_session=True)
        wait_until(lambda: self.pid)

    @property
    def pid(self):
        try:
            pid = int(self.pid_file.read_text() or 0)
        except OSError:
            return 0
        return pid if lives(pid) else 0

    @property
    def whole(self):
        return bool(self.pid) and state(self.pid) in ("S", "R")

    def as_means(self):
        return {"pid_file": str(self.pid_file), "start": self.command}

    def end(self):
        if self.pid:
            os.kill(self.pid, signal.SIGKILL)
        self.first.wait()


@pytest.fixture
def service(tmp_path):
    made = Service(tmp_path)
    yield made
    made.end()


@pytest.mark.parametrize("kind", ["stop", "kill", "pause"])
def test_a_process_is_back_too(service, started, tmp_path, kind):
    run = started(tmp_path / "state", {"process": service.as_means(), "kinds": [kind], "outage": 30})
    run.until("struck")
    assert not service.whole
    run.kill()
    took = seconds_until_whole(run, lambda: service.whole)
    assert took is not None
    assert took < WITHIN
    assert run.open_records() == []


def test_a_run_that_only_stands_still_is_taken_for_dead(service, started, tmp_path):
    run = started(tmp_path / "state", {"process": service.as_means(), "kinds": ["kill"], "outage": 60})
    run.until("struck")
    os.kill(run.process.pid, signal.SIGSTOP)
    wait_until(lambda: service.whole, seconds=WITHIN)
    assert lives(run.process.pid)


def test_nobody_else_begins_until_the_guardian_of_a_dead_run_is_done(service, started, tmp_path):
    run = started(tmp_path / "state", {"process": service.as_means(), "kinds": ["kill"], "outage": 60})
    run.until("struck")
    os.kill(run.guardian, signal.SIGSTOP)  # as if its work took long
    run.kill()
    try:
        assert try_lock(str(run.state), "http://127.0.0.1:9", run="another") is None
    finally:
        os.kill(run.guardian, signal.SIGCONT)
    lock = wait_until(lambda: try_lock(str(run.state), "http://127.0.0.1:9", run="another"), seconds=20)
    assert service.whole
    lock.release()


def test_a_fault_is_over_at_its_deadline_whatever_the_run_does(service, started, tmp_path):
    plan = {"process": service.as_means(), "kinds": ["kill"], "outage": 300, "seconds": 1.0}
    run = started(tmp_path / "state", plan)
    run.until("struck")
    wait_until(lambda: service.whole, seconds=5)
    assert lives(run.guardian)
    wait_until(lambda: not run.open_records(), seconds=20)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_the_guardian_hears_no_signal_of_the_runs_terminal(service, started, tmp_path, number):
    run = started(tmp_path / "state", {"process": service.as_means(), "kinds": ["kill"], "outage": 300})
    run.until("struck")
    os.killpg(run.process.pid, number)  # the whole group, as a terminal does
    wait_until(lambda: service.whole, seconds=WITHIN)
    wait_until(lambda: not run.open_records(), seconds=20)


def test_ctrl_c_ten_times_never_skips_healing(service, started, tmp_path):
    run = started(tmp_path / "state", {"process": service.as_means(), "kinds": ["kill"], "outage": 300})
    run.until("struck")
    for _ in range(10):
        if run.process.poll() is None:
            os.kill(run.process.pid, signal.SIGINT)
        time.sleep(0.01)
    run.process.wait(30)
    assert service.whole
    assert run.open_records() == []
    assert not lives(run.guardian)


def test_the_guardian_is_small_and_idle(service, started, tmp_path):
    run = started(tmp_path / "state", {"process": service.as_means(), "kinds": ["pause"], "outage": 300})
    run.until("struck")
    assert resident(run.guardian) <= 20 * 1024 * 1024
    ticks = cpu_ticks(run.guardian)
    time.sleep(2)  # the time over which it should do nothing
    assert cpu_ticks(run.guardian) - ticks <= 4


def resident(pid):
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmRSS"))


def cpu_ticks(pid):
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def test_a_pid_is_known_by_its_start_too():
    assert began(os.getpid()) > 0
    assert began(2**22 + 1) == 0
