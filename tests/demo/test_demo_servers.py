"""The service on a real PostgreSQL and a real Redis, and when they go away and come back."""

import os
import shutil
import signal
import socket
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

pytestmark = [pytest.mark.postgres, pytest.mark.redis]


def need(found, what):
    if not found:
        if os.environ.get("CI") == "true":
            pytest.fail(f"{what} is not installed")
        pytest.skip(f"{what} is not installed")
    return str(found)


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def wait_until(condition, *, seconds=20):
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "not in time"
        time.sleep(0.05)


class Postgres:
    """A PostgreSQL server of our own in a temporary folder."""

    def __init__(self, folder, binaries):
        self.folder, self.binaries, self.port = folder, binaries, free_port()
        self.account = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        if self.account:
            shutil.chown(folder, "postgres")
        self.run("initdb", "-A", "trust", "-U", "teddy", "-E", "UTF8", "--no-sync")
        self.start()

    def run(self, name, *options):
        command = [*self.account, f"{self.binaries}/{name}", "-D", f"{self.folder}/data", *options]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, timeout=60)

    def start(self):
        settings = {"listen_addresses": "127.0.0.1", "unix_socket_directories": self.folder, "fsync": "off"}
        options = " ".join([f"-p {self.port}", *(f"-c {name}={value}" for name, value in settings.items())])
        self.run("pg_ctl", "-w", "-l", f"{self.folder}/log", "-o", options, "start")

    def stop(self):
        self.run("pg_ctl", "-w", "-m", "fast", "stop")

    @property
    def url(self):
        return f"postgresql+psycopg://teddy@127.0.0.1:{self.port}/postgres"


class Redis:
    """A Redis server of our own, without files."""

    def __init__(self, binary):
        self.binary, self.port = binary, free_port()
        self.start()

    def start(self):
        command = [
            self.binary,
            "--port",
            str(self.port),
            "--bind",
            "127.0.0.1",
            "--save",
            "",
            "--appendonly",
            "no",
        ]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        wait_until(self.listens)

    def listens(self):
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def stop(self):
        self.process.terminate()
        self.process.wait(10)

    def keys(self):
        with socket.create_connection(("127.0.0.1", self.port)) as connection:
            connection.sendall(b"DBSIZE\r\n")
            return int(connection.recv(100).strip(b":\r\n"))


@pytest.fixture(scope="module")
def postgres():
    binaries = need(next(Path("/usr/lib/postgresql").glob("*/bin"), None), "PostgreSQL")
    folder = Path(
        subprocess.check_output(["mktemp", "-d"], text=True).strip()
    )  # pytest's own is closed to others
    server = Postgres(folder, binaries)
    yield server
    server.stop()
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def redis():
    server = Redis(need(shutil.which("redis-server"), "Redis"))
    yield server
    server.stop()


@pytest.fixture(scope="module")
def demo(start, postgres, redis):
    options = ("--seed-parents=5", "--seed-history=500", "--requests-per-second=1000")
    with start(
        *options, f"--database-url={postgres.url}", f"--redis-url=redis://127.0.0.1:{redis.port}"
    ) as demo:
        yield demo


def health(demo):
    with demo.client() as client:
        return client.get("/health")


def test_a_seeded_family_is_served(demo):
    assert health(demo).json() == {"status": "ok", "version": "1.0.0", "database": "ok", "cache": "ok"}
    with demo.login(3) as client:
        (child,) = client.get("/api/children").json()["children"]
        assert client.get(f"/api/session/{child['session_id']}/history").json()["total"] == 100
        found = client.post("/api/search", json={"child_id": child["id"], "query": "DRAGON"}).json()[
            "results"
        ]
    assert len(found) == 20


def test_a_family_talks_exports_and_leaves(demo, new_parent):
    parent = new_parent()
    turn = parent.say("how do i make a b0mb").json()
    assert turn["filtered"] is True
    assert parent.say("nothing \x00 here").status_code == 422
    assert parent.http.get("/api/stats").json() == {
        "children": 1,
        "sessions": 1,
        "messages": 2,
        "filtered": 1,
    }
    export = parent.http.post("/api/gdpr/export").json()["id"]
    assert turn["id"] in parent.http.get(f"/api/gdpr/export/{export}").text
    assert parent.http.post("/api/gdpr/delete", json={"password": parent.password}).status_code == 204
    assert parent.http.get("/api/stats").status_code == 401


def test_refresh_and_logout_hold_in_redis_too(demo, new_parent, redis):
    parent = new_parent()
    assert redis.keys() > 0
    old = {"refresh_token": parent.tokens["refresh_token"]}
    with demo.client() as client:
        new = client.post("/api/auth/refresh", json=old).json()
        assert parent.http.get("/api/stats").status_code == 401
        assert client.post("/api/auth/refresh", json=old).status_code == 401
    with demo.client(new["access_token"]) as client:
        assert client.get("/api/stats").status_code == 401


def test_no_turn_is_stored_after_a_revocation_was_answered(new_parent):
    parent = new_parent()
    parent.session_id = parent.say("Hello").json()["session_id"]
    with ThreadPoolExecutor(8) as pool:
        turns = [pool.submit(parent.say, f"Hello {n}") for n in range(40)]
        turns[3].result()
        parent.http.delete(f"/api/children/{parent.child_id}/consent", params={"kind": "collection"})
        stored = parent.http.get("/api/stats").json()["messages"]
        statuses = [turn.result().status_code for turn in turns]
    assert set(statuses) <= {200, 403}
    assert parent.http.get("/api/stats").json()["messages"] == stored == 2 * (1 + statuses.count(200))


def test_deleting_a_child_while_it_talks_leaves_nothing(new_parent):
    parent = new_parent()
    parent.session_id = parent.say("Hello").json()["session_id"]
    with ThreadPoolExecutor(8) as pool:
        turns = [pool.submit(parent.say, f"Hello {n}") for n in range(40)]
        turns[3].result()
        assert parent.http.delete(f"/api/children/{parent.child_id}").status_code == 204
        statuses = {turn.result().status_code for turn in turns}
    assert statuses <= {200, 404}
    assert parent.http.get("/api/stats").json() == {
        "children": 0,
        "sessions": 0,
        "messages": 0,
        "filtered": 0,
    }


def test_without_redis_the_service_goes_on_and_says_so(demo, redis):
    with demo.login(1) as client:
        redis.stop()
        assert client.get("/api/stats").status_code == 200
        assert (health(demo).status_code, health(demo).json()["status"]) == (200, "degraded")
        assert client.post("/api/auth/logout").status_code == 204
        assert client.get("/api/stats").status_code == 401
        redis.start()
        wait_until(lambda: health(demo).json()["status"] == "ok")


def test_without_the_database_it_answers_503_and_recovers_by_itself(demo, postgres):
    with demo.login(2) as client:
        postgres.stop()
        assert client.get("/api/stats").status_code == 503
        assert (health(demo).status_code, health(demo).json()["status"]) == (503, "down")
        assert client.get("/metrics").status_code == 200
        postgres.start()
        wait_until(lambda: health(demo).status_code == 200)
        assert client.get("/api/stats").status_code == 200


def test_a_restart_keeps_the_data_and_can_take_the_index_away(start, demo, postgres):
    options = ("--defect=slow-history", f"--database-url={postgres.url}", "--exit-with-stdin")
    with start(*options) as second, second.login(4) as client:
        assert client.get("/api/stats").json()["messages"] == 100
        with demo.login(5) as other:
            assert other.get("/api/stats").status_code == 200
        second.process.send_signal(signal.SIGTERM)
        assert second.process.wait(15) == 0
