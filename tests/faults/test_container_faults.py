"""Every fault on a container is made on a real one, proved by the engine and the kernel, and put back."""

import asyncio
import os
import socket
import sys
import time
from pathlib import Path

import pytest
from servers import free_port, wait_until

from campaign.clock import RealClock
from campaign.faults.catalogue import make_fault
from campaign.faults.containers.offline import Disconnect
from campaign.faults.containers.seen import seen
from campaign.faults.fault import FaultError
from campaign.faults.means import EngineChoice, FaultKind, Means, Strength

SERVER = """
import http.server, signal, sys, time
def end(number, frame):
    time.sleep(float(sys.argv[2]))
    sys.exit(0)
if float(sys.argv[2]) >= 0:
    signal.signal(signal.SIGTERM, end)
server = http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), http.server.BaseHTTPRequestHandler)
server.serve_forever()
"""


@pytest.fixture
def web(engine):
    """Makes a container `web` that listens at `port` and ends at once at SIGTERM, or as told."""

    def made(name="web", *, slow=0.0, **options):
        port = free_port()
        container = engine.python(name, "-c", SERVER, port, slow, **options)
        container.port = port
        wait_until(lambda: listens(port))
        container.reload()
        return container

    return made


def listens(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def fault_on(engine, kind, chosen="web", *, ready=10.0, answer=20.0, **strength):
    means = Means(container=chosen, engine=EngineChoice(engine.url))
    how = Strength(**{"grace": 5.0, **strength})
    return make_fault(
        kind, role="service", means=means, clock=RealClock(), strength=how, ready=ready, answer=answer
    )


def broken_and_healed(fault, while_broken=lambda: None):
    """Steps, moments, proof, what `while_broken` saw, and the healing, one after the other."""

    async def story():
        steps = await fault.look()
        injected = await fault.inject()
        effect = await fault.took_effect()
        seen = await asyncio.to_thread(while_broken)
        return steps, injected, effect, seen, await fault.heal()

    return asyncio.run(story())


def pid_of(container):
    container.reload()
    return container.attrs["State"]["Pid"]


@pytest.mark.parametrize(
    ("kind", "done"), [(FaultKind.STOP, "stop (grace 5 s)"), (FaultKind.KILL, "kill")], ids=["stop", "kill"]
)
@pytest.mark.parametrize("policy", ["no", "always"])
def test_what_is_stopped_or_killed_stays_down_until_it_is_healed(engine, web, kind, done, policy):
    container = web(restart_policy={"Name": policy})
    pid = pid_of(container)
    fault = fault_on(engine, kind)

    def down():
        time.sleep(1)  # a restart policy would have acted: its first wait is 0.1 s
        return listens(container.port)

    steps, injected, effect, served, healed = broken_and_healed(fault, down)
    assert fault.describe() == f"{done} the container web"
    assert not fault.heals_itself
    assert (effect.proved, served) == (True, False)
    assert f"process {pid} is gone from the host" in effect.detail
    assert injected.sent_ns < injected.confirmed_ns < healed.started_ns < healed.running_ns
    assert healed.restored, healed.detail
    assert wait_until(lambda: listens(container.port))
    assert steps[0].kind == "container"
    assert steps[0].where["id"] == container.id
    assert steps[0].by_hand == (f"docker -H {engine.url} start web",)


def test_a_crash_is_healed_by_the_restart_policy_and_the_moment_is_the_engines_own(engine, web):
    container = web(restart_policy={"Name": "always"})
    fault = fault_on(engine, FaultKind.CRASH)
    _, injected, effect, _, healed = broken_and_healed(fault)
    assert fault.heals_itself
    assert (effect.proved, healed.restored, healed.by_itself) == (True, True, True), (effect, healed)
    assert injected.sent_ns < healed.running_ns < injected.sent_ns + 5_000_000_000
    container.reload()
    assert container.attrs["RestartCount"] == 1
    assert wait_until(lambda: listens(container.port))


def test_a_crash_without_a_restart_policy_is_put_back_by_us(engine, web):
    container = web()
    fault = fault_on(engine, FaultKind.CRASH)
    _, _, effect, _, healed = broken_and_healed(fault)
    assert not fault.heals_itself
    assert (effect.proved, healed.restored, healed.by_itself) == (True, True, False), (effect, healed)
    assert wait_until(lambda: listens(container.port))


def test_a_restart_is_down_in_between_and_comes_back_at_once(engine, web):
    container = web(slow=0.5)
    before = pid_of(container)
    _, injected, effect, _, healed = broken_and_healed(fault_on(engine, FaultKind.RESTART))
    assert effect.proved, effect
    assert (injected.confirmed_ns - injected.sent_ns) / 1e9 > 0.4  # it was let end in good order
    assert healed.restored, healed
    assert injected.confirmed_ns - 5_000_000 < healed.started_ns < healed.running_ns
    assert healed.running_ns < injected.confirmed_ns + 3_000_000_000
    assert pid_of(container) != before
    assert wait_until(lambda: listens(container.port))


def test_sigterm_shows_a_graceful_end(engine, web):
    container = web(slow=0.5, restart_policy={"Name": "always"})
    fault = fault_on(engine, FaultKind.TERM)
    _, injected, effect, served, healed = broken_and_healed(fault, lambda: listens(container.port))
    assert (effect.proved, served) == (True, False), effect
    assert "exit code 0" in effect.detail
    assert 0.4 < (injected.confirmed_ns - injected.sent_ns) / 1e9 < 4
    assert healed.restored, healed


def test_sigterm_that_nothing_handles_is_not_said_to_have_happened(engine, web):
    container = web(slow=-1)
    _, _, effect, served, healed = broken_and_healed(
        fault_on(engine, FaultKind.TERM, grace=0.5), lambda: listens(container.port)
    )
    assert (effect.proved, served) == (False, True)
    assert "as first process of its container it has no handler" in effect.detail
    assert healed.restored


def test_a_paused_container_takes_connections_and_answers_nothing(engine, web):
    container = web()

    def asked():
        with socket.create_connection(("127.0.0.1", container.port), timeout=1) as line:
            line.sendall(b"GET / HTTP/1.0\r\n\r\n")
            with pytest.raises(TimeoutError):
                line.recv(1)
        return True

    _, _, effect, hung, healed = broken_and_healed(fault_on(engine, FaultKind.PAUSE), asked)
    assert (effect.proved, hung, healed.restored) == (True, True, True), (effect, healed)
    assert "its control group is frozen" in effect.detail
    assert healed.running_ns > healed.started_ns
    with socket.create_connection(("127.0.0.1", container.port), timeout=5) as line:
        line.sendall(b"GET / HTTP/1.0\r\n\r\n")
        assert line.recv(4) == b"HTTP"


BUSY = "import time\nend = time.monotonic() + 60\nwhile time.monotonic() < end: pass"


def test_a_squeeze_leaves_a_tenth_of_a_cpu_and_is_lifted(engine):
    container = engine.python("web", "-c", BUSY)
    pid = pid_of(container)

    def cpu_seconds():
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def share():
        time.sleep(0.3)
        before, began = cpu_seconds(), time.monotonic()
        time.sleep(2)
        return (cpu_seconds() - before) / (time.monotonic() - began)

    fault = fault_on(engine, FaultKind.SQUEEZE, cpus=0.1)
    _, _, effect, used, healed = broken_and_healed(fault, share)
    assert effect.proved, effect
    assert effect.detail == "its control group has 0.1 CPUs and no memory limit"
    assert used < 0.2
    assert healed.restored, healed
    assert healed.running_ns
    assert share() > 0.25  # of a machine that others use too


@pytest.mark.parametrize(
    "limits",
    [{}, {"mem_limit": 256 << 20, "nano_cpus": 500_000_000}, {"cpu_period": 50_000, "cpu_quota": 25_000}],
    ids=["none", "both", "quota"],
)
def test_a_squeeze_of_memory_and_cpu_puts_the_recorded_limits_back(engine, web, limits):
    container = web(**limits)
    kernels = limits_of(container)
    fault = fault_on(engine, FaultKind.SQUEEZE, cpus=0.2, memory=96 << 20)
    steps, _, effect, squeezed, healed = broken_and_healed(fault, lambda: limits_of(container))
    assert (effect.proved, healed.restored) == (True, True), (effect, healed)
    assert squeezed == (0.2, 96 << 20)
    cpus, memory = limits_of(container)
    assert cpus == kernels[0]
    assert memory == kernels[1] or ("mem_limit" not in limits and memory >= ALL_MEMORY)
    assert steps[0].state["resources"]["NanoCpus"] == limits.get("nano_cpus", 0)


ALL_MEMORY = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
"""An engine takes no memory limit away: one that was not there comes back as all there is."""


def limits_of(container):
    """CPUs (-1: no limit) and bytes that the kernel gives it, by its control group, version 1 or 2."""
    paths = dict(
        line.split(":")[1:] for line in Path(f"/proc/{pid_of(container)}/cgroup").read_text().splitlines()
    )
    root = Path("/sys/fs/cgroup")
    if "memory" in paths:
        cpu, memory = root / "cpu" / paths["cpu"][1:], root / "memory" / paths["memory"][1:]
        quota, period = (int((cpu / f"cpu.cfs_{each}_us").read_text()) for each in ("quota", "period"))
        return max(quota / period, -1) if quota > 0 else -1, int(
            (memory / "memory.limit_in_bytes").read_text()
        )
    folder = root / paths[""][1:]
    quota, period = (folder / "cpu.max").read_text().split()
    memory = (folder / "memory.max").read_text().strip()
    return -1 if quota == "max" else int(quota) / int(period), 2**63 if memory == "max" else int(memory)


def test_a_squeeze_that_would_be_none_is_refused(engine, web):
    web(nano_cpus=500_000_000)
    with pytest.raises(FaultError, match=r"web has 0\.5 CPUs: 1 would be no squeeze"):
        asyncio.run(fault_on(engine, FaultKind.SQUEEZE, cpus=1.0).look())


def test_disconnecting_from_the_hosts_network_is_refused(engine, web):
    container = web()
    with pytest.raises(FaultError, match=r"uses the host's own network .* use `pause`, or a route"):
        asyncio.run(fault_on(engine, FaultKind.DISCONNECT).look())
    assert listens(container.port)


NETWORKS = {"front": {"IPAddress": "192.0.2.2"}, "back": {"IPAddress": "192.0.2.3"}}


def inspection(mode, networks):
    state = {"Running": True, "Pid": 0, "StartedAt": "then"}
    config = {"NetworkMode": mode, "NanoCpus": 0}
    networks = {"Networks": {name: NETWORKS[name] for name in networks}}
    return seen(
        {"Id": "f" * 64, "Name": "/web", "State": state, "HostConfig": config, "NetworkSettings": networks}
    )


@pytest.mark.parametrize(
    ("mode", "networks", "why"),
    [
        ("none", ["front"], "is on no network"),
        ("front", [], "is on no network"),
        ("container:abc", [], "uses the network of another one"),
    ],
)
def test_who_has_no_network_of_its_own_cannot_lose_it(mode, networks, why):
    with pytest.raises(FaultError, match=why):
        Disconnect(None).refuse(inspection(mode, networks))


def test_a_disconnect_is_only_proved_when_it_is_off_all_networks():
    """By inspections as an engine gives them: the engines of these tests have no networks."""
    fault = Disconnect(None)
    before = inspection("front", ["front", "back"])
    effects = [
        asyncio.run(fault.proof(before, inspection("front", left)))
        for left in (["front", "back"], ["back"], [])
    ]
    assert [each.proved for each in effects] == [False, False, True]
    assert effects[1].detail == "it is still on back"
    assert fault.by_hand(before) == ("network connect front web", "network connect back web")


def test_postgres_that_was_killed_keeps_what_it_acknowledged(engine, postgres_container):
    postgres_container.sql("CREATE TABLE kept (id int)")
    postgres_container.sql("INSERT INTO kept VALUES (1)")
    name = postgres_container.name
    _, _, effect, _, healed = broken_and_healed(fault_on(engine, FaultKind.KILL, name))
    assert (effect.proved, healed.restored) == (True, True), (effect, healed)
    assert wait_until(postgres_container.ready)
    assert postgres_container.sql("SELECT count(*) FROM kept") == "1"


def test_health_is_waited_for_and_its_moment_told(engine, web):
    probe = f"{sys.executable} -c \"import pathlib,sys; sys.exit(not pathlib.Path('/tmp/well').exists())\""
    test = ["CMD-SHELL", probe]
    healthcheck = {"test": test, "interval": 300_000_000, "retries": 30, "start_period": 1_000_000_000}
    container = web(healthcheck=healthcheck)
    container.exec_run(["touch", "/tmp/well"])
    wait_until(lambda: health(container) == "healthy")
    fault = fault_on(engine, FaultKind.KILL)
    _, _, effect, _, healed = broken_and_healed(fault)
    assert effect.proved
    assert healed.restored, healed
    assert healed.started_ns < healed.running_ns < healed.healthy_ns


def health(container):
    container.reload()
    return container.attrs["State"]["Health"]["Status"]


def test_healing_twice_or_without_a_fault_is_the_same_as_once(engine, web):
    container = web()
    fault = fault_on(engine, FaultKind.STOP)

    async def story():
        nothing = await fault.heal()
        await fault.look()
        untouched = await fault.heal()
        await fault.inject()
        return nothing, untouched, await fault.heal(), await fault.heal()

    pid = pid_of(container)
    healings = asyncio.run(story())
    assert [each.restored for each in healings] == [True] * 4
    assert healings[0].detail == "nothing was broken"
    assert pid_of(container) != pid
    assert wait_until(lambda: listens(container.port))


def test_a_cancelled_stop_has_ended_before_the_cancellation_is_told(engine, web):
    """Else the engine would stop it after it was healed."""
    container = web(slow=1.0)
    fault = fault_on(engine, FaultKind.STOP)

    async def story():
        await fault.look()
        work = asyncio.create_task(fault.inject())
        await asyncio.sleep(0.3)
        for _ in range(10):
            work.cancel()
            await asyncio.sleep(0.01)
        with pytest.raises(asyncio.CancelledError):
            await work
        container.reload()
        down = container.status
        return down, await fault.heal()

    down, healed = asyncio.run(story())
    assert (down, healed.restored) == ("exited", True)


def test_nothing_else_is_touched(engine, web):
    other = engine.run("other", "sleep", "100")
    before = pid_of(other)
    web()
    for kind in (FaultKind.STOP, FaultKind.KILL, FaultKind.CRASH, FaultKind.PAUSE):
        *_, healed = broken_and_healed(fault_on(engine, kind))
        assert healed.restored, (kind, healed)
    assert pid_of(other) == before
