"""The engine that the other tests use is real, and so is what runs in it."""

import socket
from pathlib import Path

from servers import free_port, wait_until


def test_postgres_runs_as_a_container(postgres_container):
    assert postgres_container.sql("SELECT 6 * 7") == "42"
    container = postgres_container.container
    assert container.id in Path(f"/proc/{container.attrs['State']['Pid']}/cgroup").read_text()


def test_redis_comes_back_after_a_kill(redis_container):
    redis_container.kill()
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", redis_container.port)) != 0
    redis_container.start()
    assert redis_container.say("PING") == "PONG"


def test_any_python_program_runs_as_a_container(engine):
    port = free_port()
    engine.python("web", "-m", "http.server", port, "--bind", "127.0.0.1")

    def answers():
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    assert wait_until(answers)
