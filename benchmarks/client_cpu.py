"""CPU per request and memory of our load generator beside other clients, against one server on loopback.

    python benchmarks/client_cpu.py [--seconds 5]

One GET, 50 connections without think time: our worker, httpx, and wrk where it is installed. Then our worker
with 1,000 users that think 1 s, and with a journey of JSON bodies and saved values. The server is nginx where
it is installed, else a few lines of asyncio in a process of its own. Figures are of the client process alone;
the machine's other load moves them, so read the ratios.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import math
import os
import re
import resource
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import psutil

from campaign.clock import RealClock
from campaign.load.fleet import run_load
from campaign.load.spec import LoadOutcome, LoadPlan, ScenarioSpec, Stage
from campaign.target.spec import (
    BodySpec,
    ExpectSpec,
    OperationSpec,
    OptionsSpec,
    TargetSpec,
    UserSpec,
    Vocabulary,
    WaitSpec,
)

ANSWER = '{"id": 7, "name": "bear", "mood": "happy"}'
CONNECTIONS = 50

NGINX = """
daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/error.log;
events {{ worker_connections 8192; }}
http {{
  access_log off; keepalive_requests 1000000000; keepalive_timeout 600;
  client_body_temp_path {folder}; proxy_temp_path {folder}; fastcgi_temp_path {folder};
  uwsgi_temp_path {folder}; scgi_temp_path {folder};
  server {{
    listen 127.0.0.1:{port} backlog=4096;
    location / {{ default_type application/json; return 200 '{answer}'; }}
  }}
}}
"""

PLAIN_SERVER = f"""
import asyncio, sys, uvloop
ANSWER = {ANSWER.encode()!r}
class Server(asyncio.Protocol):
    def connection_made(self, transport): self.transport = transport
    def data_received(self, data):
        self.transport.write(b"HTTP/1.1 200 OK\\r\\nContent-Length: %d\\r\\n\\r\\n%b" % (len(ANSWER), ANSWER))
async def main():
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Server, "127.0.0.1", int(sys.argv[1]), backlog=4096)
    await server.serve_forever()
uvloop.run(main())
"""


class Row(NamedTuple):
    """One line of the table: µs of CPU per request, requests per second, MB of memory."""

    name: str
    cpu: float
    rate: float
    memory: float


@contextlib.contextmanager
def serving() -> Iterator[str]:
    """The URL of the small server, while it runs."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        process = subprocess.Popen(_server_command(Path(folder), port), stderr=subprocess.DEVNULL)
        try:
            _wait_for(port)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait()


def _server_command(folder: Path, port: int) -> list[str]:
    nginx = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
    if nginx is None:
        return [sys.executable, "-c", PLAIN_SERVER, str(port)]
    configuration = folder / "nginx.conf"
    configuration.write_text(NGINX.format(folder=folder, port=port, answer=ANSWER))
    return [nginx, "-c", str(configuration)]


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)
    raise SystemExit("the server did not start")


def campaign_row(name: str, plan: LoadPlan) -> Row:
    """Our own worker over the hold of `plan`."""
    outcome, memory = asyncio.run(_run(plan))
    count = sum(tally.count for (_, stage), tally in outcome.tallies.items() if stage is Stage.HOLD)
    assert not outcome.errors, outcome.errors
    cpu_seconds = outcome.generator.cpu * outcome.hold_seconds
    return Row(name, cpu_seconds / count * 1e6, count / outcome.hold_seconds, memory)


async def _run(plan: LoadPlan) -> tuple[LoadOutcome, float]:
    sizes = [0.0]

    def weigh(_: object) -> None:
        workers = psutil.Process().children()
        sizes.extend(
            each.memory_info().rss / 1e6 for each in workers if "campaign.load.worker" in each.cmdline()
        )

    outcome = await run_load(plan, clock=RealClock(), stop=asyncio.Event(), on_second=weigh)
    return outcome, max(sizes)


def one_get(url: str, *, users: int, wait: float, seconds: float) -> LoadPlan:
    """Users that only fetch /."""
    operations = {"home": OperationSpec("home", "GET", "/")}
    ramp = math.inf if users <= CONNECTIONS else users / 3
    return _plan(url, operations, scenario=ScenarioSpec("bench", users, ramp, seconds), wait=wait)


def journey(url: str, *, seconds: float) -> LoadPlan:
    """Users that do five operations with JSON bodies, a saved value and two expectations each."""
    expect = ExpectSpec(status=(200,), json={"$.name": "bear"})
    operations = {
        f"step{number}": OperationSpec(
            f"step{number}",
            "POST",
            f"/step/{number}",
            body=BodySpec(has_json=True, json={"text": "hello {{ user.id }}", "n": "{{ iteration }}"}),
            expect=expect,
            save={f"id{number}": "$.id"},
            options=OptionsSpec(),
        )
        for number in range(5)
    }
    scenario = ScenarioSpec("bench", CONNECTIONS, math.inf, seconds)
    return _plan(url, operations, scenario=scenario, wait=0.0)


def _plan(url: str, operations: dict[str, OperationSpec], *, scenario: ScenarioSpec, wait: float) -> LoadPlan:
    user = UserSpec("visitor", 1, WaitSpec(wait, wait), (), dict.fromkeys(operations, 1.0))
    return LoadPlan(TargetSpec(url=url), Vocabulary(operations, {"visitor": user}), scenario, seed=1)


def wrk_row(url: str, seconds: float) -> Row | None:
    """The C client wrk, with one thread."""
    if shutil.which("wrk") is None:
        return None
    command = ["wrk", f"-c{CONNECTIONS}", "-t1", f"-d{seconds:.0f}s", url]
    cpu, memory, output = _measured(command)
    found = re.search(r"(\d+) requests in", output)
    assert found, output
    return Row("wrk", cpu / int(found[1]) * 1e6, int(found[1]) / seconds, memory)


HTTPX = """
import asyncio, sys, time, httpx
async def main(url, seconds, count=0):
    end = time.monotonic() + seconds
    async def user():
        nonlocal count
        async with httpx.AsyncClient() as client:
            while time.monotonic() < end:
                (await client.get(url)).raise_for_status()
                count += 1
    await asyncio.gather(*(user() for _ in range(50)))
    print(count, "requests in")
asyncio.run(main(sys.argv[1], float(sys.argv[2])))
"""


def httpx_row(url: str, seconds: float) -> Row:
    """httpx with a client for each of 50 users."""
    cpu, memory, output = _measured([sys.executable, "-c", HTTPX, url, str(seconds)])
    count = int(output.split()[0])
    return Row("httpx", cpu / count * 1e6, count / seconds, memory)


def _measured(command: list[str]) -> tuple[float, float, str]:
    """CPU seconds, MB of memory at most, and output of a command."""
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    output = process.stdout.read()
    _, _, usage = os.wait4(process.pid, 0)
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1e3, output


def _print(rows: list[Row]) -> None:
    wrk = next((row.cpu for row in rows if row.name == "wrk"), None)
    print(f"{'client':42}{'µs CPU/request':>16}{'x wrk':>8}{'requests/s':>12}{'MB':>7}")
    for row in rows:
        ratio = f"{row.cpu / wrk:.1f}" if wrk else "-"
        print(f"{row.name:42}{row.cpu:16.1f}{ratio:>8}{row.rate:12,.0f}{row.memory:7.0f}")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=5.0)
    seconds = parser.parse_args().seconds
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with serving() as url:
        rows = [
            wrk_row(url, seconds),
            campaign_row("campaign, 50 users", one_get(url, users=50, wait=0.0, seconds=seconds)),
            campaign_row("campaign, 50 users, journey of 5", journey(url, seconds=seconds)),
            campaign_row(
                "campaign, 1,000 users thinking 1 s", one_get(url, users=1000, wait=1.0, seconds=seconds)
            ),
            httpx_row(url, min(seconds, 3.0)),
        ]
    _print([row for row in rows if row is not None])


if __name__ == "__main__":
    main()
