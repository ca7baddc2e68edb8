"""Engines behind TLS and behind ssh are healed on and guarded from like a local one: the same requests go
through a relay to a real engine.
"""

import contextlib
import os
import shutil
import socket
import ssl
import subprocess
import sys
import threading
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from servers import need, wait_until

from campaign.faults.attached import attach
from campaign.faults.healing.container import put_back
from campaign.faults.healing.engine import Engine, EngineError


@pytest.fixture
def stopped(engine):
    """A container that was stopped."""
    container = engine.run("sleeper", "sleep", "1000")
    container.kill()
    wait_until(lambda: not running(container))
    return container


def running(container):
    return container.client.api.inspect_container(container.id)["State"]["Running"]


def where(address, container, tls=None):
    return {"engine": address, "tls": tls, "id": container.id, "name": container.name}


@pytest.fixture
def certificates(tmp_path):
    """An authority of our own, and what it has signed for 127.0.0.1 (server) and for us (client)."""
    openssl = need(shutil.which("openssl"), "openssl")

    def do(*words):
        subprocess.run([openssl, *words], cwd=tmp_path, check=True, capture_output=True)

    do("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "ca-key.pem", "-out", "ca.pem",
       "-subj", "/CN=test authority", "-days", "2",
       "-addext", "keyUsage=critical,keyCertSign,cRLSign")  # fmt: skip
    for name, more in (("server", "subjectAltName=IP:127.0.0.1\n"), ("client", "")):
        usage = f"extendedKeyUsage={name}Auth\nauthorityKeyIdentifier=keyid\n"
        (tmp_path / "ext").write_text(f"{more}{usage}")
        do("req", "-newkey", "rsa:2048", "-nodes", "-keyout", f"{name}-key.pem", "-out", f"{name}.csr",
           "-subj", f"/CN={name}")  # fmt: skip
        do("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca-key.pem", "-out",
           f"{name}.pem", "-days", "2", "-extfile", "ext", "-CAcreateserial")  # fmt: skip
    return tmp_path


@pytest.fixture
def secured(engine, certificates):
    """The engine behind TLS that wants a client's certificate; its address and the files to use."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates / "server.pem", certificates / "server-key.pem")
    context.load_verify_locations(certificates / "ca.pem")
    context.verify_mode = ssl.CERT_REQUIRED
    listener = socket.create_server(("127.0.0.1", 0))
    path = urlsplit(engine.url).path

    def relay(plain):
        with contextlib.suppress(OSError), context.wrap_socket(plain, server_side=True) as client:
            client.settimeout(0.05)
            with socket.socket(socket.AF_UNIX) as behind:
                behind.connect(path)
                behind.settimeout(0.05)
                while all(moved(*pair) for pair in ((client, behind), (behind, client))):
                    pass

    def serve():
        with contextlib.suppress(OSError):
            while True:
                plain, _ = listener.accept()
                threading.Thread(target=relay, args=(plain,), daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    tls = {"ca": "ca.pem", "cert": "client.pem", "key": "client-key.pem"}
    yield (
        f"tcp://127.0.0.1:{listener.getsockname()[1]}",
        {name: str(certificates / file) for name, file in tls.items()},
    )
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()


def moved(source, sink):
    """Whether the source is still there, after what it had was handed on."""
    try:
        piece = source.recv(65536)
    except TimeoutError:
        return True
    if piece:
        sink.sendall(piece)
    return bool(piece)


def test_behind_tls_it_heals(secured, stopped):
    address, tls = secured
    assert put_back(where(address, stopped, tls), {"running": True}).restored
    assert running(stopped)


def test_without_the_right_certificates_it_says_why(secured, stopped):
    address, tls = secured
    with pytest.raises(EngineError, match=address):
        Engine(address, {**tls, "cert": "", "key": ""}).ask("GET", "/info")
    with pytest.raises(EngineError, match="certificate"):
        Engine(address, {"ca": ""}).ask("GET", "/info")
    assert not put_back(where(address, stopped), {"running": True}).restored


@pytest.fixture
def ssh(engine, tmp_path, monkeypatch):
    """A program `ssh` that leads to the engine, whatever its arguments, which it writes down."""
    program = tmp_path / "bin" / "ssh"
    program.parent.mkdir()
    program.write_text(
        f"#!{sys.executable}\n"
        "import os, socket, sys, threading\n"
        f"open({str(tmp_path / 'said')!r}, 'w').write(' '.join(sys.argv[1:]))\n"
        f"s = socket.socket(socket.AF_UNIX); s.connect({urlsplit(engine.url).path!r})\n"
        "def up():\n"
        "    while piece := os.read(0, 65536): s.sendall(piece)\n"
        "    s.shutdown(socket.SHUT_WR)\n"
        "threading.Thread(target=up, daemon=True).start()\n"
        "while piece := s.recv(65536): os.write(1, piece)\n"
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    return tmp_path / "said"


def test_through_ssh_it_heals(ssh, stopped):
    assert put_back(where("ssh://deploy@staging:2222", stopped), {"running": True}).restored
    assert running(stopped)
    said = Path(ssh).read_text()
    assert said.endswith("-l deploy -p 2222 -- staging docker system dial-stdio")
    assert "BatchMode=yes" in said


def test_ssh_that_cannot_connect_says_why(tmp_path, monkeypatch, stopped):
    program = tmp_path / "ssh"
    program.write_text("#!/bin/sh\necho 'Permission denied (publickey).' >&2\nexit 255\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    answer = put_back(where("ssh://deploy@staging", stopped), {"running": True})
    assert "Permission denied (publickey)." in answer.missing
    assert not answer.final


@pytest.fixture(params=["unix", "tls", "ssh"])
def far(request, engine):
    """The engine, three ways."""
    if request.param == "unix":
        return Engine(engine.url)
    if request.param == "tls":
        return Engine(*request.getfixturevalue("secured"))
    request.getfixturevalue("ssh")
    return Engine("ssh://staging")


def test_the_streams_of_a_container_come_through(engine, far):
    script = "echo complaint >&2; while read line; do echo got $line; done; echo over"
    binds = engine.run("other", "true").attrs["HostConfig"]["Binds"]
    made = far.ask("POST", "/containers/create?name=talker", body={
        "Image": "campaign-test", "Cmd": ["sh", "-c", script], "OpenStdin": True, "StdinOnce": True,
        "AttachStdin": True, "AttachStdout": True, "AttachStderr": True,
        "HostConfig": {"Binds": binds, "NetworkMode": "host", "AutoRemove": True},
    })  # fmt: skip
    assert made.status == 201, made.said
    attached = attach(far, made.data["Id"], seconds=10)
    assert far.ask("POST", f"/containers/{made.data['Id']}/start").fine
    received = b""
    for word in (b"one", b"two"):
        attached.send(word + b"\n")
        while word not in received:
            received += attached.receive()
    assert received == b"got one\ngot two\n"
    assert attached.complaints == b"complaint\n"
    attached.close()  # its standard input ends, and so does it
    wait_until(lambda: "talker" not in engine.names(), seconds=20)
