"""`campaign worker` and `campaign run --fleet` as typed; a load worker that is killed on the way."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import psutil
import pytest

ROOT = Path(__file__).parents[2]
FILE = """
name: Fleet
target: {{url: "{url}", health: GET /health}}
operations:
  home: {{request: GET /}}
users:
  visitor: {{wait: 20ms..60ms, tasks: [home]}}
phases:
  load:
    workers: 2
    scenarios:
      short: {{users: 4, ramp: 100/s, hold: {hold}}}
    limits: {{all: {{error_rate: 5%}}}}
"""


class Quiet(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture
def campaign_file(tmp_path):
    """Writes a campaign file that aims at a small server of ours."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Quiet)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()

    def write(hold):
        url = f"http://127.0.0.1:{server.server_port}"
        (tmp_path / "campaign.yaml").write_text(FILE.format(url=url, hold=hold))
        return tmp_path

    yield write
    server.shutdown()
    server.server_close()


@pytest.fixture
def program(tmp_path):
    """Starts a program, and ends it with the test."""
    started = []

    def start(*arguments):
        process = subprocess.Popen(
            [sys.executable, "-m", *arguments],
            cwd=tmp_path,
            env={
                **os.environ,
                "TMPDIR": str(tmp_path),
                "PYTHONPATH": str(ROOT),
                "PYTHONUNBUFFERED": "1",
                "COLUMNS": "200",
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for each in reversed(started):
        each.kill()
        each.wait()
        each.stdout.close()


@pytest.fixture
def scheduler(program):
    """The address of a Dask scheduler."""
    process = program(
        "distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", "0",
        "--no-dashboard", "--dashboard-address", "127.0.0.1:0",
    )  # fmt: skip
    return said(process, r"Scheduler at:\s+(tcp://\S+)")


def said(process, pattern):
    for line in process.stdout:
        if found := re.search(pattern, line):
            return found[1]
    raise AssertionError(f"it ended without saying {pattern}: exit code {process.wait()}")


def until(condition, within=30.0):
    give_up = time.monotonic() + within
    while time.monotonic() < give_up:
        if found := condition():
            return found
        time.sleep(0.02)
    raise AssertionError("it never became true")


def command_of(process):
    try:
        return process.cmdline()
    except psutil.Error:  # it has just ended
        return []


def shards_of(process):
    children = psutil.Process(process.pid).children(recursive=True)
    return [each for each in children if "campaign.load.worker" in command_of(each)]


def recorded(folder):
    files = list(folder.glob("reports/*/evidence/load.jsonl"))
    return bool(files) and len(files[0].read_text().splitlines()) >= 2


def generator(folder):
    (path,) = folder.glob("reports/*/report.json")
    (phase,) = json.loads(path.read_text())["test_results"]
    return phase["evidence"]["facts"]["scenarios"][0]["generator"]


def test_a_local_load_worker_that_is_killed_is_no_pass(campaign_file, program):
    folder = campaign_file("6s")
    run = program("campaign", "run")
    until(lambda: recorded(folder))
    shards_of(run)[0].send_signal(signal.SIGKILL)
    output, _ = run.communicate(timeout=60)
    assert run.returncode == 3, output
    assert "1 of 2 load workers were lost" in output
    assert generator(folder)["losses"] == ["ended by SIGKILL"]


def test_a_run_on_a_fleet_and_one_whose_worker_is_killed(campaign_file, program, scheduler):
    folder = campaign_file("3s")
    workers = [program("campaign", "worker", scheduler, "--host", "127.0.0.1") for _ in range(2)]
    for each in workers:
        said(each, r"ready for .* at (\S+);")
    run = program("campaign", "run", "--fleet", scheduler, "--output", "good")
    output, _ = run.communicate(timeout=60)
    assert run.returncode == 0, output
    assert shards_of(workers[0]) == []

    run = program("campaign", "run", "--fleet", scheduler)
    until(lambda: recorded(folder))
    workers[0].kill()
    output, _ = run.communicate(timeout=60)
    assert run.returncode == 3, output
    assert "is gone" in generator(folder)["losses"][0]


def test_ctrl_c_ends_a_worker_cleanly(program, scheduler):
    worker = program("campaign", "worker", scheduler, "--host", "127.0.0.1", "--name", "first")
    said(worker, r"ready for .* as (first) at")
    worker.send_signal(signal.SIGINT)
    output, _ = worker.communicate(timeout=20)
    assert (worker.returncode, output) == (0, "stopped\n")


def test_ctrl_c_ends_a_worker_in_the_middle_of_a_shard(campaign_file, program, scheduler):
    folder = campaign_file("3s")
    worker = program("campaign", "worker", scheduler, "--host", "127.0.0.1")
    said(worker, r"ready for .* at (\S+);")
    run = program("campaign", "run", "--fleet", scheduler, "--workers", "1")
    until(lambda: recorded(folder))
    shards = shards_of(worker)
    worker.send_signal(signal.SIGINT)
    assert worker.wait(20) == 0
    assert len(shards) == 1
    until(lambda: not shards[0].is_running())
    assert run.wait(60) == 3


@pytest.mark.parametrize("arguments", [("worker", "somewhere"), ("run", "--demo", "--fleet", "http://x:1")])
def test_an_address_that_is_none_is_a_mistake_that_says_what_is_one(program, arguments):
    process = program("campaign", *arguments)
    output, _ = process.communicate(timeout=30)
    assert process.returncode == 2
    assert "not the address of a Dask scheduler" in output
    assert "tcp://HOST:PORT" in output


def test_a_fleet_in_the_file_that_is_none_is_a_mistake_with_its_place(campaign_file, program):
    folder = campaign_file("3s")
    file = folder / "campaign.yaml"
    file.write_text(file.read_text().replace("workers: 2", "fleet: 10.0.0.1"))
    process = program("campaign", "check")
    output, _ = process.communicate(timeout=30)
    assert process.returncode == 2
    assert "campaign.yaml:10:12" in output
    assert "phases.load.fleet" in output
    assert "tcp://127.0.0.1:8786" in output


def test_without_dask_a_fleet_says_what_to_install(program, tmp_path):
    (tmp_path / "without.py").write_text(
        "import importlib.util as util, sys\n"
        "find = util.find_spec\n"
        "util.find_spec = lambda name, *more: None if name == 'distributed' else find(name, *more)\n"
        "from campaign.cli import main\n"
        "sys.argv[1:] = ['worker', 'tcp://127.0.0.1:8786']\n"
        "main()\n"
    )
    process = program("without")
    output, _ = process.communicate(timeout=30)
    assert process.returncode == 2
    assert "pip install 'campaign[cluster]'" in output
