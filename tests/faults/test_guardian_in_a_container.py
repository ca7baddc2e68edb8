"""`guardian: {container: IMAGE}`: a second guardian on the engine outlives all processes on this machine."""

import io
import os
import re
import signal
import subprocess
import sys
import sysconfig
import tarfile
import time
from pathlib import Path

import pytest
from breaking import Run, is_as_before, settings
from engine import _empty_root
from servers import wait_until

from campaign.faults.leftovers import Standing, Zeal, heal_leftovers

IMAGE = "campaign-test-python"
WITHIN = 10.0
LEFT_OUT = {"__pycache__", "test", "tests", "site-packages", "idlelib", "ensurepip", "tkinter", "lib2to3"}


@pytest.fixture(scope="session")
def python_image(docker_engine):
    """An image with nothing but a Python; taken away with the engine."""
    docker_engine.client.api.import_image_from_data(python_root(), repository=IMAGE, tag="latest")
    return IMAGE


def python_root():
    data = io.BytesIO(_empty_root())
    with tarfile.open(fileobj=data, mode="a", dereference=True) as tar:
        binary = Path(sys.executable).resolve()
        for each in {str(binary), *libraries(binary)}:
            tar.add(each, re.sub(r"^/(lib|lib64|bin)/", r"usr/\1/", each).lstrip("/"))
        library = sysconfig.get_path("stdlib")
        tar.add(library, library.lstrip("/"), filter=wanted)
        link = tarfile.TarInfo("usr/bin/python3")
        link.type, link.linkname = tarfile.SYMTYPE, str(binary)
        tar.addfile(link)
    return data.getvalue()


def libraries(binary):
    said = subprocess.run(["ldd", binary], capture_output=True, text=True, check=True).stdout
    return re.findall(r"(/\S+) \(0x", said)


def wanted(entry):
    name = Path(entry.name).name
    return None if name in LEFT_OUT or name.startswith("config-") else entry


@pytest.fixture
def run(engine, redis_container, python_image, tmp_path):
    """A run that has stopped a container and waits, with both guardians."""
    plan = {"container": redis_container.name, "engine": engine.url, "image": python_image,
            "kinds": ["kill"], "outage": 300, "run": str(tmp_path / "run")}  # fmt: skip
    made = Run(tmp_path / "state", plan)
    made.until("struck")
    yield made
    made.end()


def guards(engine):
    return [each for each in engine.names() if each.startswith("campaign-guardian-")]


def test_with_all_processes_killed_the_container_guardian_heals(engine, redis_container, run):
    before = settings(redis_container.container.attrs["HostConfig"])
    (guard,) = guards(engine)
    pid = engine.client.api.inspect_container(guard)["State"]["Pid"]
    assert resident(pid) <= 20 * 1024 * 1024
    os.kill(run.guardian, signal.SIGKILL)
    run.kill()
    wait_until(lambda: is_as_before(engine, redis_container.name, before), seconds=WITHIN)
    assert time.monotonic() - run.at < WITHIN
    wait_until(redis_container.ready, seconds=5)
    wait_until(lambda: not guards(engine), seconds=30)
    (told,) = heal_leftovers(str(run.state), Zeal())
    assert (told.standing, told.detail) == (Standing.HEALED, "it was as before")


def resident(pid):
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmRSS"))


def test_a_run_that_ends_well_takes_its_guardian_along(engine, redis_container, run):
    os.kill(run.process.pid, signal.SIGINT)
    assert run.process.wait(60) != 0
    assert guards(engine) == []
    assert run.open_records() == []
    wait_until(redis_container.ready, seconds=5)


def test_from_another_machine_the_same_target_is_refused(engine, redis_container, run, tmp_path):
    """Another machine has another state folder, so only the engine knows."""
    plan = {"container": redis_container.name, "engine": engine.url, "image": IMAGE}
    with pytest.raises(AssertionError):
        Run(tmp_path / "elsewhere", plan)


def test_an_image_that_is_not_there_is_told_before_anything_is_broken(engine, redis_container, tmp_path):
    plan = {"container": redis_container.name, "engine": engine.url, "image": "no-such-image"}
    with pytest.raises(AssertionError):
        Run(tmp_path, plan)
    assert redis_container.say("ping") == "PONG"
