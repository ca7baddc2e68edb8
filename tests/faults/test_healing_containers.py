"""What a record says of a container is put back by the little HTTP client alone, on a real engine."""

import contextlib
import os
import socket
import threading
import time

import pytest
from servers import wait_until

from campaign.faults.healing.container import put_back
from campaign.faults.healing.engine import Engine, EngineError
from campaign.faults.resources import recorded

FOREVER = ("sleep", "1000")


@pytest.fixture
def sleeper(engine):
    """Makes a running container."""

    def made(name="sleeper", *command, **options):
        container = engine.run(name, *(command or FOREVER), **options)
        wait_until(lambda: inspected(container)["State"]["Running"])
        return container

    return made


def inspected(container):
    return container.client.api.inspect_container(container.id)


def where(engine, container):
    return {"engine": engine.url, "tls": None, "id": container.id, "name": container.name}


def state_of(container):
    found = inspected(container)
    return {
        "running": True,
        "paused": False,
        "restart": found["HostConfig"]["RestartPolicy"],
        "resources": recorded(found["HostConfig"]),
        "networks": found["NetworkSettings"]["Networks"],
    }


def healed(engine, container, state):
    return put_back(where(engine, container), state)


@pytest.mark.parametrize("options", [{}, {"mem_limit": "128m", "nano_cpus": 10**9}, {"cpu_quota": 50_000}])
@pytest.mark.parametrize(
    "breaks",
    [
        lambda each: each.stop(timeout=1),
        lambda each: each.kill(),
        lambda each: each.pause(),
        lambda each: each.update(mem_limit="64m", memswap_limit="64m"),
        lambda each: each.update(restart_policy={"Name": "on-failure", "MaximumRetryCount": 3}),
    ],
    ids=["stop", "kill", "pause", "memory", "policy"],
)
def test_a_container_is_as_it_was_and_a_second_time_nothing_is_done(engine, sleeper, breaks, options):
    container = sleeper(**options)
    state = state_of(container)
    breaks(container)
    answer = healed(engine, container, state)
    assert (answer.missing, answer.restored) == ("", True)
    assert len(answer.did) == 1
    found = inspected(container)
    assert (found["State"]["Running"], found["State"]["Paused"]) == (True, False)
    assert policy(container) == "no"
    assert memory_limit(container) == (128 << 20 if "mem_limit" in options else None)
    assert healed(engine, container, state).did == ()


def policy(container):
    return inspected(container)["HostConfig"]["RestartPolicy"]["Name"] or "no"


def memory_limit(container):
    """What the container may use, as the engine says it; None where that is the whole machine."""
    limit = inspected(container)["HostConfig"]["Memory"]
    return limit if 0 < limit < os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") else None


def test_a_cpu_limit_is_lifted_and_one_that_was_there_is_put_back(engine, sleeper):
    free, limited = sleeper("free"), sleeper("limited", cpu_period=100_000, cpu_quota=80_000)
    for container, quota in ((free, -1), (limited, 80_000)):
        state = state_of(container)
        container.update(cpu_period=100_000, cpu_quota=5_000)
        assert healed(engine, container, state).restored
        assert inspected(container)["HostConfig"]["CpuQuota"] == quota


def test_only_what_differs_is_touched(engine, sleeper):
    container = sleeper()
    state = state_of(container)
    began = inspected(container)["State"]["StartedAt"]
    container.pause()
    assert healed(engine, container, state).did == ("sleeper unpaused",)
    assert inspected(container)["State"]["StartedAt"] == began


def test_one_made_anew_under_the_same_name_is_only_started(engine, sleeper):
    container = sleeper()
    state = {**state_of(container), "restart": {"Name": "always", "MaximumRetryCount": 0}}
    container.remove(force=True)
    other = engine.client.containers.create(
        "campaign-test", list(FOREVER), name="sleeper", **volumes(container)
    )
    answer = healed(engine, container, state)
    assert answer.restored
    assert "made anew" in answer.detail
    assert inspected(other)["State"]["Running"]
    assert policy(other) == "no"


def volumes(container):
    binds = container.attrs["HostConfig"]["Binds"]
    return {"volumes": binds, "network_mode": "host"}


def test_one_that_is_gone_cannot_be_put_back(engine, sleeper):
    container = sleeper(remove=True)
    state = state_of(container)
    container.kill()
    wait_until(lambda: "sleeper" not in engine.names())
    answer = healed(engine, container, state)
    assert (answer.restored, answer.final) == (False, True)
    assert "gone" in answer.missing


def test_one_that_ends_right_after_its_start_is_not_restored(engine, sleeper, tmp_path):
    (tmp_path / "go").touch()
    command = ("sh", "-c", f"test -e {tmp_path}/go && exec sleep 1000; exit 7")
    container = sleeper("brief", *command, folders=[tmp_path])
    state = state_of(container)
    (tmp_path / "go").unlink()
    container.kill()
    answer = healed(engine, container, state)
    assert not answer.restored
    assert "exit code 7" in answer.missing


def test_it_waits_for_the_containers_own_health_check(engine, sleeper, tmp_path):
    (tmp_path / "well").touch()
    check = {"test": ["CMD", "test", "-e", f"{tmp_path}/well"], "interval": 300_000_000, "retries": 1}
    container = sleeper("checked", folders=[tmp_path], healthcheck=check)
    wait_until(lambda: inspected(container)["State"]["Health"]["Status"] == "healthy")
    state = state_of(container)
    container.kill()
    assert healed(engine, container, state).restored
    assert inspected(container)["State"]["Health"]["Status"] == "healthy"
    (tmp_path / "well").unlink()
    container.kill()
    answer = healed(engine, container, state)
    assert not answer.restored
    assert "health check says unhealthy" in answer.missing


@contextlib.contextmanager
def listening(path, act):
    """Somebody at that socket who is no engine."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        over = threading.Event()

        def serve():
            with contextlib.suppress(OSError):
                while True:
                    connection, _ = listener.accept()
                    with connection:
                        act(connection, over)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield f"unix://{path}"
        finally:
            over.set()
            listener.shutdown(socket.SHUT_RDWR)
            thread.join(5)


def test_an_engine_that_hangs_costs_only_its_time(tmp_path):
    with listening(tmp_path / "socket", lambda _, over: over.wait(20)) as address:
        began = time.monotonic()
        answer = put_back({"engine": address, "id": "1", "name": "db"}, {"running": True}, seconds=0.5)
        assert time.monotonic() - began < 3
    assert (answer.restored, answer.final) == (False, False)
    assert "no answer within" in answer.missing


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (b"", "ended before its headers"),
        (b"SSH-2.0-OpenSSH\r\n\r\n", "no HTTP"),
        (b"HTTP/1.1 500 Oops\r\n\r\n<html>", "HTTP 500"),
        (b'HTTP/1.1 403 No\r\nContent-Length: 22\r\n\r\n{"message": "not you"}', "not you"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "not an engine's answer"),
    ],
)
def test_what_is_no_engine_is_told_so(tmp_path, said, why):
    def act(connection, _):
        connection.recv(1000)
        connection.sendall(said)

    with listening(tmp_path / "socket", act) as address:
        answer = put_back({"engine": address, "id": "1", "name": "db"}, {})
    assert why in answer.missing


def test_no_engine_no_permission_and_no_address(tmp_path):
    for address in (
        f"unix://{tmp_path}/none",
        "tcp://127.0.0.1:1",
        "ssh://nobody@127.0.0.1:1",
        "carrier://x",
    ):
        with pytest.raises(EngineError, match=address.split(":")[0]):
            Engine(address).ask("GET", "/info", seconds=10)


def test_answers_in_pieces_are_put_together(tmp_path):
    body = b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6\r\n{"a": \r\n2\r\n1}\r\n0\r\n\r\n'

    def act(connection, over):
        connection.recv(1000)
        for byte in body:
            connection.sendall(bytes([byte]))
        over.wait(10)  # keeps the connection although it was asked to close it

    with listening(tmp_path / "socket", act) as address:
        assert Engine(address).ask("GET", "/", seconds=5).data == {"a": 1}
