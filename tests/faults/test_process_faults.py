"""Faults on real processes: found by pid, pid file or port, ended or frozen, and back afterwards."""

import asyncio
import os
import shlex
import signal
import socket
import subprocess
import sys

import psutil
import pytest
from servers import Postgres, free_port, wait_until

from campaign.clock import RealClock
from campaign.faults.catalogue import can_make, make_fault
from campaign.faults.fault import FaultError
from campaign.faults.means import FaultKind, Means, ProcessMeans, Strength

SERVER = """
import os, signal, socket, sys, time
def end(number, frame):
    time.sleep(float(sys.argv[3])); os._exit(0)
signal.signal(signal.SIGTERM, end if float(sys.argv[3]) >= 0 else signal.SIG_IGN)
listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
open(sys.argv[2], "w").write(str(os.getpid()))
if len(sys.argv) > 4 and not os.fork():
    time.sleep(600)
while True:
    listener.accept()[0].close()
"""
SUPERVISOR = """
import signal, subprocess, sys, time
while True:
    child = subprocess.Popen(sys.argv[1:])
    child.wait()
    time.sleep(0.2)
"""


class Service:
    """A process that listens, with its pid in a file, and the command that starts it."""

    def __init__(self, folder, *, slow=0.0, children=False):
        self.port, self.pid_file = free_port(), folder / "pid"
        self.command = [
            *(sys.executable, "-c", SERVER, str(self.port), str(self.pid_file), str(slow)),
            *(["fork"] if children else []),
        ]
        self.ends = []

    def start(self, *before):
        process = subprocess.Popen([*before, *self.command], start_new_session=True)
        self.ends.append(process)
        wait_until(lambda: self.listens() and self.pid_file.exists() and self.pid_file.read_text())
        return process

    @property
    def shell(self):
        return shlex.join(self.command)

    @property
    def pid(self):
        return int(self.pid_file.read_text())

    def listens(self):
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def end(self):
        for each in self.ends:
            each.kill()
            each.wait()
        for each in psutil.process_iter(["pid", "cmdline"]):
            if str(self.pid_file) in (each.info["cmdline"] or []):
                each.kill()


@pytest.fixture
def service(tmp_path):
    made = []

    def make(**options):
        made.append(Service(tmp_path, **options))
        return made[-1]

    yield make
    for each in made:
        each.end()


def fault_on(kind, *, grace=2.0, ready=5.0, **means):
    return make_fault(
        kind, role="service", means=Means(process=ProcessMeans(**means)), clock=RealClock(),
        strength=Strength(grace=grace), ready=ready,
    )  # fmt: skip


def broken_and_healed(fault, while_broken=lambda: None):
    async def story():
        steps = await fault.look()
        injected = await fault.inject()
        effect = await fault.took_effect()
        seen = await asyncio.to_thread(while_broken)
        return steps, injected, effect, seen, await fault.heal()

    return asyncio.run(story())


@pytest.mark.parametrize("kind", [FaultKind.STOP, FaultKind.KILL, FaultKind.TERM])
@pytest.mark.parametrize("by", ["pid", "pid_file", "port"])
def test_a_process_is_ended_and_started_by_its_command(service, kind, by):
    it = service()
    it.start()
    means = {"pid": it.pid, "pid_file": str(it.pid_file), "port": it.port}
    steps, injected, effect, listened, healed = broken_and_healed(
        fault_on(kind, **{by: means[by]}, start=it.shell), it.listens
    )
    assert (effect.proved, listened, healed.restored) == (True, False, True), (effect, healed)
    if by == "port":
        assert f"port {it.port} refuses connections" in effect.detail
    assert injected.sent_ns < injected.confirmed_ns < healed.started_ns < healed.running_ns
    assert wait_until(it.listens)
    assert steps[0].by_hand == (it.shell,)
    assert not healed.by_itself


def test_what_a_supervisor_brings_back_has_healed_itself(service):
    it = service()
    supervisor = it.start(sys.executable, "-c", SUPERVISOR)
    before = it.pid
    fault = fault_on(FaultKind.CRASH, pid_file=str(it.pid_file), port=0, supervised=True)
    _, injected, effect, _, healed = broken_and_healed(fault)
    assert fault.heals_itself
    assert effect.proved, effect
    assert (healed.restored, healed.by_itself) == (True, True), healed
    assert 0.1 < (healed.running_ns - injected.confirmed_ns) / 1e9 < 4
    assert it.pid != before
    assert supervisor.poll() is None


def test_a_supervisor_that_brings_nothing_is_told(service, monkeypatch):
    monkeypatch.setattr("campaign.faults.healing.process.SUPERVISOR_SECONDS", 0.5)
    it = service()
    it.start()
    _, _, effect, _, healed = broken_and_healed(
        fault_on(FaultKind.CRASH, port=it.port, supervised=True, ready=0.5)
    )
    assert effect.proved
    assert (healed.restored, healed.running_ns) == (False, None)
    assert "its supervisor brought no other" in healed.detail


def test_a_process_that_ignores_sigterm_is_killed_after_the_grace_by_a_stop_and_not_by_a_term(service):
    it = service(slow=-1)
    it.start()
    _, _, effect, listened, healed = broken_and_healed(
        fault_on(FaultKind.TERM, port=it.port, start=it.shell, grace=0.3), it.listens
    )
    assert (effect.proved, listened, healed.restored) == (False, True, True)
    assert effect.detail == f"process {it.pid} runs on 0.3 s after SIGTERM"
    _, injected, effect, listened, healed = broken_and_healed(
        fault_on(FaultKind.STOP, port=it.port, start=it.shell, grace=0.3), it.listens
    )
    assert (effect.proved, listened, healed.restored) == (True, False, True)
    assert (injected.confirmed_ns - injected.sent_ns) / 1e9 > 0.29


def test_a_restart_waits_for_the_end_and_starts_at_once(service):
    it = service(slow=0.5)
    before = it.start().pid
    _, injected, effect, _, healed = broken_and_healed(
        fault_on(FaultKind.RESTART, port=it.port, start=it.shell)
    )
    assert (effect.proved, healed.restored) == (True, True), (effect, healed)
    assert (injected.confirmed_ns - injected.sent_ns) / 1e9 > 0.45
    assert injected.confirmed_ns <= healed.started_ns < healed.running_ns
    assert it.pid != before


def test_a_frozen_family_stands_still_and_goes_on(service):
    it = service(children=True)
    it.start()
    child = psutil.Process(it.pid).children()[0]
    statuses = (lambda: psutil.Process(it.pid).status(), child.status)
    fault = fault_on(FaultKind.PAUSE, port=it.port)
    steps, _, effect, seen, healed = broken_and_healed(fault, lambda: [each() for each in statuses])
    assert seen == [psutil.STATUS_STOPPED] * 2
    assert effect.detail == f"process {it.pid} stands still with 1 child"
    assert (effect.proved, healed.restored) == (True, True), healed
    assert psutil.STATUS_STOPPED not in [each() for each in statuses]
    assert [each.where["pid"] for each in steps] == [it.pid, child.pid]


def test_a_child_that_died_frozen_needs_no_healing(service):
    it = service(children=True)
    it.start()
    child = psutil.Process(it.pid).children()[0]
    *_, healed = broken_and_healed(fault_on(FaultKind.PAUSE, port=it.port), child.kill)
    assert healed.restored, healed


def test_all_of_postgres_is_frozen(postgres_server):
    where = ["-h", "127.0.0.1", "-p", str(postgres_server.port), "-U", "postgres"]
    with subprocess.Popen(
        [f"{postgres_server.binaries}/psql", "-X", *where],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as psql:  # fmt: skip
        psql.stdin.write("SELECT 'there';\n")
        psql.stdin.flush()

        def answers():
            probe = [f"{postgres_server.binaries}/pg_isready", "-q", "-t", "1", "-h", "127.0.0.1"]
            return subprocess.run([*probe, "-p", str(postgres_server.port)], check=False).returncode == 0

        fault = fault_on(FaultKind.PAUSE, port=postgres_server.port)
        steps, _, effect, answered, healed = broken_and_healed(fault, answers)
        assert (effect.proved, answered, healed.restored) == (True, False, True), (effect, healed)
        assert len(steps) > 3
        assert postgres_server.sql("SELECT 1") == "1"
        psql.communicate("\\q\n")


def test_what_cannot_be_broken_is_told(service, tmp_path):
    it = service()
    process = it.start()
    nothing = free_port()
    for means, kind, said in (
        ({"port": nothing, "start": "x"}, FaultKind.KILL, f"nothing listens at port {nothing} (service)"),
        ({"pid": 2**22 - 1, "start": "x"}, FaultKind.KILL, f"there is no process {2**22 - 1} (service, pid"),
        (
            {"pid_file": f"{tmp_path}/no", "start": "x"},
            FaultKind.KILL,
            "/no (service) cannot be read: No such file",
        ),
        ({"pid": os.getpid()}, FaultKind.PAUSE, "is this campaign's own, or what started it"),
        ({"pid": os.getppid()}, FaultKind.PAUSE, "is this campaign's own, or what started it"),
        ({"pid": 1}, FaultKind.PAUSE, "is this campaign's own, or what started it"),
        ({"port": it.port}, FaultKind.KILL, "would not come back: give `start`"),
        ({"pid": it.pid, "supervised": True}, FaultKind.KILL, "give `pid_file` or `port`"),
    ):
        with pytest.raises(FaultError) as caught:
            asyncio.run(fault_on(kind, **means).look())
        assert said in str(caught.value)
    (tmp_path / "word").write_text("none")
    with pytest.raises(FaultError, match="does not begin with a number"):
        asyncio.run(fault_on(FaultKind.KILL, pid_file=f"{tmp_path}/word", start="x").look())
    process.send_signal(signal.SIGSTOP)
    with pytest.raises(FaultError, match=f"is stopped already; continue it first: kill -CONT {it.pid}"):
        asyncio.run(fault_on(FaultKind.PAUSE, port=it.port).look())
    process.send_signal(signal.SIGCONT)
    assert it.listens()


def test_a_process_that_ended_after_the_look_is_not_taken_for_broken(service):
    it = service()
    process = it.start()
    fault = fault_on(FaultKind.KILL, port=it.port, start=it.shell)

    async def story():
        await fault.look()
        process.kill()
        process.wait()
        with pytest.raises(FaultError, match="ended before it was to be broken; nothing was done"):
            await fault.inject()
        return await fault.heal()

    assert asyncio.run(story()).restored
    assert wait_until(it.listens)


def test_a_crash_needs_something_that_brings_it_back():
    assert can_make(FaultKind.CRASH, Means(process=ProcessMeans(port=1, start="x"))) == ""
    assert can_make(FaultKind.CRASH, Means(process=ProcessMeans(port=1, supervised=True))) == "process"


def test_a_shared_port_is_its_eldests():
    server = Postgres()
    try:
        fault = fault_on(FaultKind.KILL, port=server.port, start="true")
        (step,) = asyncio.run(fault.look())
        assert step.where["pid"] == server.process.pid
        assert step.where["user"] == psutil.Process(server.process.pid).uids().effective
    finally:
        server.end()
