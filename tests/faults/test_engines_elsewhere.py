"""An engine behind TLS, behind ssh, and as Podman says things."""

import asyncio
import os
import subprocess
import sys

import pytest
from engine import Engine
from servers import free_port

from campaign.clock import RealClock
from campaign.faults.catalogue import make_fault
from campaign.faults.containers.seen import seen
from campaign.faults.fault import FaultError
from campaign.faults.means import EngineChoice, FaultKind, Means

FORWARD = f"""#!{sys.executable}
# In place of ssh: the same way from one socket to another, as `-L` asks for, without a second machine.
import asyncio, sys
words = sys.argv[1:]
open({{log!r}}, "w").write(" ".join(words))
if words[words.index("--") + 1] != "staging":
    sys.exit("ssh: Could not resolve hostname " + words[-1])
here, there = words[words.index("-L") + 1].split(":")
async def pipe(reader, writer):
    while data := await reader.read(65536):
        writer.write(data)
    writer.close()
async def serve(reader, writer):
    far = await asyncio.open_unix_connection(there)
    await asyncio.gather(pipe(reader, far[1]), pipe(far[0], writer))
async def main():
    await (await asyncio.start_unix_server(serve, here)).serve_forever()
asyncio.run(main())
"""


def stop(url, kind=FaultKind.PAUSE):
    means = Means(container="db", engine=EngineChoice(url))
    return make_fault(kind, role="database", means=means, clock=RealClock(), answer=5.0)


@pytest.fixture
def ssh(tmp_path, monkeypatch):
    """A program `ssh` that knows the host `staging`; gives the file with what it was asked."""
    program, log = tmp_path / "ssh", tmp_path / "asked"
    program.write_text(FORWARD.format(log=str(log)))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    return log


def test_an_engine_behind_ssh_is_asked_through_a_tunnel_that_ends_with_it(engine, ssh):
    container = engine.run("db", "sleep", "600")
    fault = stop(f"ssh://me@staging:2222{engine.folder}/docker.sock")

    async def story():
        (step,) = await fault.look()
        await fault.inject()
        container.reload()
        return step, await fault.took_effect(), container.status

    step, effect, status = asyncio.run(story())
    container.unpause()
    tunnel = fault.aim.engine._tunnel
    fault.aim.engine.close()
    assert tunnel._process.poll() is not None
    assert not tunnel._folder.exists()
    assert (effect.proved, status) == (True, "paused")
    assert effect.detail == "the engine says that it is paused"  # its processes are not looked for here
    assert step.where["engine"] == f"ssh://me@staging:2222{engine.folder}/docker.sock"
    asked = ssh.read_text()
    assert "-p 2222 -l me -- staging" in asked
    assert "BatchMode=yes" in asked


def test_a_host_that_ssh_does_not_reach_is_told_in_its_words(ssh):
    with pytest.raises(
        FaultError, match="ssh://nowhere cannot be reached: ssh: Could not resolve hostname nowhere"
    ):
        asyncio.run(stop("ssh://nowhere").look())


def test_a_crash_from_the_host_is_refused_for_an_engine_elsewhere(engine, ssh):
    engine.run("db", "sleep", "600")
    fault = stop(f"ssh://staging{engine.folder}/docker.sock", FaultKind.CRASH)
    try:
        with pytest.raises(FaultError, match="is not to be seen on this machine, so it cannot be crashed"):
            asyncio.run(fault.look())
    finally:
        fault.aim.engine.close()


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    """A folder as DOCKER_CERT_PATH wants it, with the server's own certificate beside."""
    folder = tmp_path_factory.mktemp("tls")
    make = "openssl req -newkey rsa:2048 -nodes -batch -days 2"
    sign = "openssl x509 -req -CA ca.pem -CAkey ca-key.pem -CAcreateserial -days 2"
    steps = [f"{make} -x509 -subj /CN=ours -keyout ca-key.pem -out ca.pem"]
    for name in ("server", "client"):
        steps += [
            f"{make} -subj /CN={name} -keyout {name}-key.pem -out {name}.csr 2>/dev/null",
            f"printf 'subjectAltName=IP:127.0.0.1\\nextendedKeyUsage={name}Auth' > {name}.ext",
            f"{sign} -in {name}.csr -extfile {name}.ext -out {name}.pem",
        ]
    steps.append("mv client.pem cert.pem && mv client-key.pem key.pem")
    subprocess.run(["sh", "-ec", "\n".join(steps)], cwd=folder, check=True, capture_output=True)
    return folder


class TlsEngine(Engine):
    """One that listens with TLS too."""

    def __init__(self, folder):
        self.port, self.certificates = free_port(), folder
        super().__init__()

    def command(self):
        files = (("ca", "ca"), ("cert", "server"), ("key", "server-key"))
        options = [f"--tls{option}cert" if option == "ca" else f"--tls{option}" for option, _ in files]
        tls = [each for option, (_, name) in zip(options, files, strict=True)
               for each in (option, f"{self.certificates}/{name}.pem")]  # fmt: skip
        return [*super().command(), "-H", f"tcp://127.0.0.1:{self.port}", "--tlsverify", *tls]


def test_an_engine_with_tls_is_asked_with_the_certificates_of_docker_cert_path(certificates, monkeypatch):
    server = TlsEngine(certificates)
    try:
        server.run("db", "sleep", "600")
        monkeypatch.setenv("DOCKER_HOST", f"tcp://127.0.0.1:{server.port}")
        monkeypatch.delenv("DOCKER_CERT_PATH", raising=False)
        with pytest.raises(FaultError, match="cannot be asked"):
            asyncio.run(stop("").look())
        monkeypatch.setenv("DOCKER_CERT_PATH", str(certificates))
        monkeypatch.setenv("DOCKER_TLS_VERIFY", "1")
        fault = stop("", FaultKind.KILL)

        async def story():
            (step,) = await fault.look()
            await fault.inject()
            return step, await fault.took_effect(), await fault.heal()

        step, effect, healed = asyncio.run(story())
        assert (effect.proved, healed.restored) == (True, True), (effect, healed)
        assert step.where["tls"] == {name: f"{certificates}/{name}.pem" for name in ("ca", "cert", "key")}
        assert "--tlsverify --tlscacert" in step.by_hand[0]
    finally:
        server.end()


def test_what_podman_says_of_a_container_is_understood():
    """Its inspection at the compatible socket: a `Healthcheck`, a policy "", nothing for networks."""
    podman = {
        "Id": "ab" * 32,
        "Name": "/db",
        "State": {"Status": "running", "Running": True, "Paused": False, "Restarting": False, "Pid": 4711,
                  "ExitCode": 0, "Error": "", "StartedAt": "2026-12-01T00:00:00.123456789+01:00",
                  "Healthcheck": {"Status": "healthy", "FailingStreak": 0, "Log": None}},
        "HostConfig": {"AutoRemove": False, "NetworkMode": "slirp4netns", "Memory": 0, "NanoCpus": 0,
                       "RestartPolicy": {"Name": "", "MaximumRetryCount": 0}, "CpusetCpus": ""},
        "Config": {"StopSignal": "15"},
        "NetworkSettings": {"Networks": None},
    }  # fmt: skip
    found = seen(podman)
    assert (found.name, found.is_up, found.health, found.policy, found.networks) == (
        "db",
        True,
        "healthy",
        "",
        {},
    )
    assert found.resources["MemorySwap"] == 0
