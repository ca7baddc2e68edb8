"""Sources tell what they see, leave gaps where they see nothing, and never raise."""

import asyncio
import socket
import subprocess
import sys
from types import SimpleNamespace

import psutil
import pytest

from campaign.clock import SECOND
from campaign.monitor.host import HostSource
from campaign.monitor.processes import PortOwner, ProcessSource, listening_pid
from campaign.monitor.sampler import sample

LISTENER = (
    "import socket, sys; s = socket.create_server(('127.0.0.1', 0)); "
    "print(s.getsockname()[1], flush=True); sys.stdin.read()"
)


@pytest.fixture
def listener():
    process = subprocess.Popen(
        [sys.executable, "-c", LISTENER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    yield process, int(process.stdout.readline())
    process.stdin.close()
    process.stdout.close()
    process.wait()


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_the_target_is_found_by_its_port(listener, host):
    process, port = listener
    assert listening_pid(f"http://{host}:{port}/path") == process.pid


def test_a_target_elsewhere_or_nowhere_is_not_found():
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    assert listening_pid(f"http://127.0.0.1:{port}") is None
    assert listening_pid("http://service.example:80") is None


def test_a_process_is_measured_from_the_second_reading_on_and_is_a_gap_when_it_is_gone(listener):
    process, port = listener
    source = ProcessSource("target", PortOwner(f"http://127.0.0.1:{port}"))
    first, second = source.read(), source.read()
    assert first["target.memory"] == (None, "B")
    assert second["target.memory"][0] > 1e6
    assert second["target.threads"][0] >= 1
    process.stdin.close()
    process.wait()
    assert source.read()["target.cpu"] == (None, "share")
    assert source.ever_seen


def test_children_count_and_others_do_not(listener):
    process, _ = listener
    mine = {psutil.Process().pid}
    everyone = ProcessSource("campaign", lambda: mine)
    without = ProcessSource("campaign", lambda: mine, others=lambda: {process.pid})
    for source in (everyone, without):
        source.read()
    assert process.pid in everyone.pids()
    assert process.pid not in without.pids()


def test_a_search_that_finds_nothing_becomes_rare(monkeypatch):
    searches = []
    monkeypatch.setattr("campaign.monitor.processes.listening_pid", searches.append)
    owner = PortOwner("http://127.0.0.1:1")
    for _ in range(100):
        assert owner() == set()
    assert len(searches) == 7


def test_the_host_reports_shares_bytes_and_rates():
    times = iter(range(10))
    source = HostSource(lambda: float(next(times)))
    reading = source.read()
    assert 0 <= reading["host.cpu"][0] <= 1
    assert reading["host.memory"][0] > 1e6
    assert reading["host.network.sent"][0] >= 0


class StepClock:
    """Time that passes only by sleeping, and by what each reading costs."""

    def __init__(self):
        self.now = 0

    def now_ns(self):
        return self.now

    async def sleep_until(self, due_ns):
        self.now = max(self.now, due_ns)


def test_sampling_keeps_to_its_grid_and_skips_what_it_missed():
    clock, seen = StepClock(), []

    class Slow:
        def read(self):
            clock.now += 2_500_000_000 if len(seen) == 1 else 10_000_000
            return {"x": (1.0, "")}

    def sink(reading):
        seen.append(clock.now // SECOND)
        if len(seen) == 5:
            raise StopIteration

    with pytest.raises(RuntimeError):
        asyncio.run(sample([Slow()], sink, clock=clock, interval=1.0))
    assert seen == [0, 3, 4, 5, 6]


def _fails(error):
    def read():
        raise error

    return read


@pytest.mark.parametrize("hidden", [lambda: None, _fails(NotImplementedError("no /proc/diskstats"))])
@pytest.mark.parametrize("what", ["disk", "net"])
def test_a_machine_that_hides_a_counter_shows_the_others(monkeypatch, what, hidden):
    counters = SimpleNamespace(read_bytes=1, write_bytes=1, bytes_sent=1, bytes_recv=1)
    for each in ("disk", "net"):  # a machine that shows both, until one of them is hidden
        monkeypatch.setattr(psutil, f"{each}_io_counters", lambda: counters)
    monkeypatch.setattr(psutil, f"{what}_io_counters", hidden)
    reading = HostSource(iter(range(10)).__next__).read()
    shown = {"net": "host.disk.read", "disk": "host.network.sent"}[what]
    gone = {"disk": "host.disk.read", "net": "host.network.sent"}[what]
    assert {"host.cpu", "host.memory", shown} <= set(reading)
    assert gone not in reading
