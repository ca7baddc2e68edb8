"""The TCP fault proxy in the guardian: what it does to real connections, and that a dead run cuts none."""

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from breaking import lives
from servers import wait_until

from campaign.clock import RealClock
from campaign.faults.breaker import open_breaker
from campaign.faults.fault import FaultError

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("CAMPAIGN_STATE_HOME", str(tmp_path / "state"))


@pytest.fixture
def echo():
    """A server that sends back what it gets; its address."""
    listener = socket.create_server(("127.0.0.1", 0))

    def answer(connection):
        with connection, contextlib.suppress(OSError):
            while piece := connection.recv(65536):
                connection.sendall(piece)

    def serve():
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listener.accept()
                threading.Thread(target=answer, args=(connection,), daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    yield listener.getsockname()
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()


class Client:
    """A plain connection through a route."""

    def __init__(self, address, *, seconds=5):
        self.socket = socket.create_connection(address, timeout=seconds)

    def said(self, data=b"x" * 100):
        """Seconds until all of it has come back."""
        began = time.monotonic()
        self.socket.sendall(data)
        left = len(data)
        while left:
            piece = self.socket.recv(65536)
            assert piece, "the connection was closed"
            left -= len(piece)
        return time.monotonic() - began

    def close(self):
        self.socket.close()


def through(work, echo, tmp_path):
    """What `work(route, client)` gives, in a thread beside the loop; `client()` is a new connection."""

    async def run():
        opened = []

        def client(**options):
            opened.append(Client(route.listen, **options))
            return opened[-1]

        where = {"target_url": "http://127.0.0.1:9", "run": str(tmp_path), "clock": RealClock()}
        async with open_breaker(**where) as breaker:
            route = await breaker.routes.open("database", ("127.0.0.1", 0), echo)
            try:
                return await work(route, client)
            finally:
                for each in opened:
                    each.close()

    return asyncio.run(asyncio.wait_for(run(), 60))


async def aside(function, *arguments):
    return await asyncio.to_thread(function, *arguments)


def test_undisturbed_a_route_carries_everything_both_ways(echo, tmp_path):
    async def work(_, client):
        connection = await aside(client)
        data = os.urandom(3_000_000)
        received = bytearray()

        def exchange():
            sender = threading.Thread(target=connection.socket.sendall, args=(data,))
            sender.start()
            while len(received) < len(data):
                received.extend(connection.socket.recv(65536))
            sender.join()
            connection.socket.shutdown(socket.SHUT_WR)
            assert connection.socket.recv(10) == b""

        await aside(exchange)
        assert bytes(received) == data

    through(work, echo, tmp_path)


def test_latency_and_jitter_come_on_top_also_on_connections_that_are_open(echo, tmp_path):
    async def work(route, client):
        connection = await aside(client)
        assert await aside(connection.said) < 0.1
        await route.set(latency=0.15, jitter=0.05)
        took = [await aside(connection.said) for _ in range(8)]
        assert all(0.09 <= each <= 0.35 for each in took), took
        assert max(took) - min(took) > 0.01
        await route.clear()
        assert await aside(connection.said) < 0.1

    through(work, echo, tmp_path)


def test_bandwidth_is_the_routes_in_each_direction(echo, tmp_path):
    async def work(route, client):
        one, two = await aside(client), await aside(client)
        await route.set(bandwidth=100_000)
        began = time.monotonic()
        data = b"x" * 30_000
        await asyncio.gather(aside(one.said, data), aside(two.said, data))
        assert 0.5 < time.monotonic() - began < 2.0

    through(work, echo, tmp_path)


def test_cut_closes_connections_and_refuses_new_ones_and_is_whole_again(echo, tmp_path):
    async def work(route, client):
        connection = await aside(client)
        await aside(connection.said)
        await route.set(cut=True)
        assert await aside(connection.socket.recv, 10) == b""
        with pytest.raises(ConnectionRefusedError):
            await aside(client)
        await route.clear()
        assert await aside((await aside(client)).said) < 1

    through(work, echo, tmp_path)


def test_reset_resets_both(echo, tmp_path):
    async def work(route, client):
        connection = await aside(client)
        await aside(connection.said)
        await route.set(reset=True)
        with pytest.raises(ConnectionResetError):
            await aside(connection.socket.recv, 10)
        with pytest.raises(ConnectionResetError):
            await aside((await aside(client)).said)

    through(work, echo, tmp_path)


def test_a_black_hole_refuses_nothing_answers_nothing_and_loses_nothing(echo, tmp_path):
    async def work(route, client):
        old = await aside(client)
        await aside(old.said)
        await route.set(blackhole=True)
        new = await aside(client)
        for each in (old, new):
            each.socket.settimeout(0.3)
            each.socket.sendall(b"hello")
            with pytest.raises(TimeoutError):
                await aside(each.socket.recv, 10)
            each.socket.settimeout(5)
        await route.clear()
        for each in (old, new):
            assert await aside(each.socket.recv, 10) == b"hello"

    through(work, echo, tmp_path)


def test_where_nobody_is_behind_it_the_connection_is_reset(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        address = nobody.getsockname()

    async def work(_, client):
        with pytest.raises(OSError):
            await aside((await aside(client)).said)

    through(work, address, tmp_path)


@pytest.mark.parametrize("how", [{"latency": -1}, {"bandwidth": float("nan")}, {"jitter": "much"}])
def test_nonsense_is_refused_and_changes_nothing(echo, tmp_path, how):
    async def work(route, client):
        with pytest.raises(FaultError):
            await route.set(**how)
        assert await aside((await aside(client)).said) < 1

    through(work, echo, tmp_path)


def test_an_address_in_use_is_told(echo, tmp_path):
    async def work(_, __):
        pass

    with socket.create_server(("127.0.0.1", 0)) as taken:

        async def twice():
            where = {"target_url": "http://127.0.0.1:9", "run": str(tmp_path), "clock": RealClock()}
            async with open_breaker(**where) as breaker:
                await breaker.routes.open("database", taken.getsockname(), echo)

        with pytest.raises(FaultError, match="Address already in use"):
            asyncio.run(twice())


DIES = """
import asyncio, sys
from campaign.clock import RealClock
from campaign.faults.breaker import open_breaker
async def work():
    async with open_breaker(target_url="http://127.0.0.1:9", run="/r", clock=RealClock()) as breaker:
        listen, to = (("127.0.0.1", int(port)) for port in sys.argv[1:3])
        route = await breaker.routes.open("database", listen, to)
        await route.set(latency=float(sys.argv[3]))
        print(breaker.guardians[0], route.listen[1], flush=True)
        await asyncio.sleep(100)
asyncio.run(work())
"""


def dying(echo, *, port=0, latency=0.0):
    command = [sys.executable, "-c", DIES, str(port), str(echo[1]), str(latency)]
    run = subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)}
    )
    guardian, at = run.stdout.readline().split()
    return run, int(guardian), ("127.0.0.1", int(at))


def kill(run):
    run.send_signal(signal.SIGKILL)
    run.wait()
    run.stdout.close()


def test_a_dead_runs_route_stays_open_while_it_is_used_and_a_new_run_takes_it_over(echo):
    run, guardian, address = dying(echo, latency=0.5)
    used = Client(address)
    assert used.said() > 0.4
    kill(run)
    wait_until(lambda: used.said() < 0.2, seconds=10)
    assert Client(address).said() < 0.2
    assert lives(guardian)
    other, second, again = dying(echo, port=address[1])
    assert again == address
    assert not lives(guardian)
    assert Client(address).said() < 1
    used.close()
    os.kill(second, signal.SIGTERM)
    kill(other)
    wait_until(lambda: not lives(second), seconds=20)


def test_an_unused_route_of_a_dead_run_goes_with_its_guardian(echo):
    run, guardian, _ = dying(echo)
    kill(run)
    wait_until(lambda: not lives(guardian), seconds=30)
