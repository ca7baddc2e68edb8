"""What can be wrong with an engine or a container is told clearly, and nothing is broken then."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import threading
import time

import pytest
from servers import wait_until

from campaign.clock import RealClock
from campaign.faults.catalogue import can_make, make_fault
from campaign.faults.containers import place
from campaign.faults.containers.place import find_engine
from campaign.faults.fault import FaultError
from campaign.faults.means import EngineChoice, FaultKind, Means, Strength


def stop(engine, chosen, *, kind=FaultKind.STOP, answer=20.0, **strength):
    means = Means(container=chosen, engine=EngineChoice(getattr(engine, "url", engine)))
    how = Strength(**{"grace": 1.0, **strength})
    return make_fault(
        kind, role="database", means=means, clock=RealClock(), strength=how, ready=3.0, answer=answer
    )


def looked(fault):
    return asyncio.run(fault.look())


def refusal(fault):
    with pytest.raises(FaultError) as caught:
        looked(fault)
    return str(caught.value)


def sleeper(engine, name, **options):
    return engine.run(name, "sleep", "600", **options)


def test_an_unknown_container_is_told_with_those_that_were_perhaps_meant(engine):
    sleeper(engine, "teddy-postgres")
    sleeper(engine, "teddy-redis")
    said = refusal(stop(engine, "teddy-postgre"))
    assert (
        said
        == "there is no container 'teddy-postgre', which is the role database; did you mean teddy-postgres?"
    )
    said = refusal(stop(engine, "zzz"))
    assert said.endswith("; there are teddy-postgres, teddy-redis")
    assert "did you mean teddy-postgres?" in refusal(stop(engine, "label=postgres"))


def test_an_engine_without_containers_says_so(engine):
    assert refusal(stop(engine, "db")).endswith(f"the engine at {engine.url} has no containers")


def test_a_container_is_found_by_name_id_label_or_compose_service(engine):
    labels = {"com.docker.compose.project": "teddy", "com.docker.compose.service": "db", "tier": "data"}
    container = sleeper(engine, "teddy-db-1", labels=labels)
    sleeper(engine, "teddy-db-run-1", labels={**labels, "com.docker.compose.oneoff": "True", "tier": ""})
    sleeper(engine, "other-db-1", labels={**labels, "com.docker.compose.project": "other", "tier": "more"})
    for chosen in ("teddy-db-1", container.id, container.short_id, "label=tier=data", "compose=teddy/db"):
        (step,) = looked(stop(engine, chosen))
        assert step.where["id"] == container.id, chosen
    said = refusal(stop(engine, "compose=db"))
    assert said == "2 containers have compose=db: other-db-1, teddy-db-1; name the one that is the database"
    assert "did you mean compose=db?" in refusal(stop(engine, "compose=dbs"))
    assert "is no name, label=KEY=VALUE or compose=SERVICE" in refusal(stop(engine, "service=db"))


def test_one_that_runs_is_meant_before_those_that_do_not(engine):
    old = sleeper(engine, "old", labels={"tier": "data"})
    old.kill()
    new = sleeper(engine, "new", labels={"tier": "data"})
    assert looked(stop(engine, "label=tier=data"))[0].where["id"] == new.id


def test_a_container_that_does_not_run_is_not_broken(engine):
    container = sleeper(engine, "db")
    container.kill()
    assert refusal(stop(engine, "db")) == (
        "the container db (database) cannot be broken: it does not run (exit code 137); bring it up first"
    )
    container.start()
    container.pause()
    assert "cannot be broken: it is paused" in refusal(stop(engine, "db"))
    container.unpause()
    assert looked(stop(engine, "db"))


def test_a_container_that_restarts_again_and_again_is_not_broken(engine):
    container = engine.run("db", "false", restart_policy={"Name": "always"})

    def restarting():
        container.reload()
        return container.status == "restarting"

    wait_until(restarting)
    assert "it is restarted again and again (last exit code 1)" in refusal(stop(engine, "db"))


def test_an_unhealthy_container_is_not_broken(engine):
    test = {"test": ["CMD", "false"], "interval": 200_000_000, "retries": 1}
    container = sleeper(engine, "db", healthcheck=test)

    def unhealthy():
        container.reload()
        return container.attrs["State"]["Health"]["Status"] == "unhealthy"

    wait_until(unhealthy)
    assert "is unhealthy, says its own health check; nothing was done" in refusal(stop(engine, "db"))


def test_a_container_with_rm_is_not_ended_but_may_be_paused(engine):
    sleeper(engine, "db", auto_remove=True)
    for kind in (FaultKind.STOP, FaultKind.KILL, FaultKind.CRASH, FaultKind.RESTART, FaultKind.TERM):
        assert "was started with --rm, so the engine would remove it" in refusal(
            stop(engine, "db", kind=kind)
        )
    assert looked(stop(engine, "db", kind=FaultKind.PAUSE))


def test_one_that_was_made_anew_since_it_was_looked_at_is_left_alone(engine):
    sleeper(engine, "db").remove(force=True)
    first = sleeper(engine, "db")
    fault = stop(engine, "db")

    async def story():
        await fault.look()
        first.remove(force=True)
        second = sleeper(engine, "db")
        with pytest.raises(FaultError, match="was removed or made anew since it was looked at"):
            await fault.inject()
        second.reload()
        return second.status, await fault.heal()

    status, healed = asyncio.run(story())
    assert status == "running"
    assert healed.restored
    assert "was made anew" in healed.detail


def test_one_that_is_made_anew_while_it_is_down_is_started_and_that_is_told(engine):
    first = sleeper(engine, "db")
    fault = stop(engine, "db", kind=FaultKind.KILL)

    async def story():
        await fault.look()
        await fault.inject()
        first.remove(force=True)
        second = engine.client.containers.create(
            "campaign-test", ["sleep", "600"], name="db", network_mode="host", volumes=["/usr:/usr:ro"]
        )
        healed = await fault.heal()
        second.reload()
        return second.status, healed

    status, healed = asyncio.run(story())
    assert status == "running", healed
    assert healed.restored
    assert "was made anew" in healed.detail


def test_one_that_is_removed_while_it_is_down_cannot_be_put_back(engine):
    container = sleeper(engine, "db")
    fault = stop(engine, "db", kind=FaultKind.KILL)

    async def story():
        await fault.look()
        await fault.inject()
        container.remove()
        return await fault.heal()

    healed = asyncio.run(story())
    assert not healed.restored
    assert "the container db is gone" in healed.detail


def test_one_that_will_not_start_again_is_told_in_the_engines_words(engine, tmp_path):
    program = tmp_path / "program"
    program.write_text("#!/bin/sh\nexec sleep 600\n")
    program.chmod(0o755)
    engine.run("db", str(program), folders=[tmp_path])
    fault = stop(engine, "db", kind=FaultKind.KILL)

    async def story():
        (step,) = await fault.look()
        await fault.inject()
        program.unlink()
        return step, await fault.heal()

    step, healed = asyncio.run(story())
    assert not healed.restored
    assert "no such file or directory" in healed.detail
    assert healed.running_ns is None
    assert step.by_hand == (f"docker -H {engine.url} start db",)


def test_an_engine_that_hangs_is_told_within_the_time(engine):
    container = sleeper(engine, "db")
    fault = stop(engine, "db", answer=1.0, kind=FaultKind.PAUSE)
    looked(fault)
    os.kill(engine.process.pid, signal.SIGSTOP)
    try:
        began = time.monotonic()
        said = refusal(stop(engine, "db", answer=1.0))
        assert time.monotonic() - began < 4
        assert said == f"the engine at {engine.url} hangs: no answer to `inspect db` within 1 s"
    finally:
        os.kill(engine.process.pid, signal.SIGCONT)
    container.reload()
    assert container.status == "running"


def test_an_engine_that_hangs_in_the_middle_is_told_and_healed_once_it_answers(engine, monkeypatch):
    monkeypatch.setattr("campaign.faults.healing.container.put_back.__kwdefaults__", {"seconds": 1.0})
    container = sleeper(engine, "db")
    fault = stop(engine, "db", answer=1.0, kind=FaultKind.PAUSE)

    async def story():
        await fault.look()
        os.kill(engine.process.pid, signal.SIGSTOP)
        try:
            with pytest.raises(FaultError, match=r"hangs: no answer to `pause \w+` within 1 s"):
                await fault.inject()
            effect = await fault.took_effect()
            hanging = await fault.heal()
        finally:
            os.kill(engine.process.pid, signal.SIGCONT)
        await asyncio.to_thread(wait_until, lambda: paused(container))  # what was sent before comes now
        return effect, hanging, await fault.heal()

    effect, hanging, healed = asyncio.run(story())
    assert not effect.proved
    assert "hangs" in effect.detail
    assert not hanging.restored
    assert healed.restored, healed
    assert not paused(container)


def paused(container):
    container.reload()
    return container.status == "paused"


def test_an_engine_that_is_not_there_is_told(tmp_path):
    said = refusal(stop(f"unix://{tmp_path}/none.sock", "db"))
    assert "cannot be asked: its socket is not there; start it, or set DOCKER_HOST" in said
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        said = refusal(stop(f"tcp://127.0.0.1:{closed.getsockname()[1]}", "db"))
    assert "cannot be asked: nothing listens there" in said


AS_NOBODY = """
import asyncio, os, sys
from pathlib import Path
from campaign.faults.containers import place
from campaign.faults.containers.engine import Engine
def ask(path):
    asyncio.run(Engine(place.Place(f"unix://{path}"), answer=5).inspect("db"))
try:
    ask("/none")  # imports what another account may not read
except place.FaultError:
    pass
os.setgroups([]); os.setgid(65534); os.setuid(65534)
place.usual_sockets = lambda _: (Path(sys.argv[1]),)
for attempt in (lambda: place.find_engine(environment={}), lambda: ask(sys.argv[1])):
    try:
        attempt()
    except place.FaultError as error:
        print(error)
"""


def test_a_socket_without_permission_is_told_with_what_to_do(engine):
    engine.folder.chmod(0o755)
    command = [sys.executable, "-c", AS_NOBODY, f"{engine.folder}/docker.sock"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found, asked = done.stdout.splitlines()
    assert "docker.sock (no permission: join the socket's group, mostly `docker`, or run as root)" in found
    assert asked.endswith(
        "cannot be asked: no permission on the socket; join its group, mostly `docker`, or run as root"
    )


def test_what_is_no_engines_address_is_told():
    for wrong in ("docker.sock", "unix://docker.sock", "ftp://host", "tcp://"):
        with pytest.raises(FaultError, match="is no address of an engine: write it like unix:///"):
            find_engine(wrong, environment={})


def test_docker_host_is_meant_where_the_file_says_nothing():
    assert find_engine(environment={"DOCKER_HOST": "ssh://me@staging"}).url == "ssh://me@staging"
    found = find_engine("tcp://other:2375", environment={"DOCKER_HOST": "ssh://me@staging"})
    assert found.url == "tcp://other:2375"


def test_tls_is_taken_from_dockers_own_variables(tmp_path):
    environment = {
        "DOCKER_HOST": "tcp://host:2376",
        "DOCKER_TLS_VERIFY": "1",
        "DOCKER_CERT_PATH": str(tmp_path),
    }
    with pytest.raises(FaultError, match=r"TLS to the engine needs .*ca\.pem.*cert\.pem.*key\.pem"):
        find_engine(environment=environment)
    for name in ("ca", "cert", "key"):
        (tmp_path / f"{name}.pem").touch()
    assert find_engine(environment=environment).tls.key == str(tmp_path / "key.pem")


def test_podmans_socket_is_found_where_docker_has_none(tmp_path, monkeypatch):
    monkeypatch.setattr(
        place, "usual_sockets", lambda _: (tmp_path / "docker.sock", tmp_path / "podman.sock")
    )
    with pytest.raises(FaultError, match=r"no container engine was found at .*docker\.sock \(not there\)"):
        find_engine(environment={})
    (tmp_path / "docker.sock").touch()
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "podman.sock"))
        listener.listen()
        assert find_engine(environment={}).url == f"unix://{tmp_path}/podman.sock"


def test_an_engine_that_talks_nonsense_is_told():
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer():
            line, _ = listener.accept()
            with line:
                line.recv(1000)
                line.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nno")

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        said = refusal(stop(f"tcp://127.0.0.1:{listener.getsockname()[1]}", "db", answer=2.0))
        thread.join(5)
    assert "cannot be asked" in said


def test_what_no_means_can_make_is_told_with_what_can():
    means = Means(container="db", engine=EngineChoice("unix:///none"))
    assert can_make(FaultKind.SLOW, means) == ""
    assert can_make(FaultKind.PAUSE, means) == "container"
    with pytest.raises(FaultError, match=r"nothing that the file gives for it can slow; .*failover\.routes"):
        make_fault(FaultKind.SLOW, role="database", means=means, clock=RealClock())
    with pytest.raises(FaultError, match="a squeeze says what it leaves"):
        make_fault(FaultKind.SQUEEZE, role="database", means=means, clock=RealClock())
