"""Certificates are checked against the name in the URL, though we connect to the address that was guarded."""

import asyncio
import contextlib
import os
import shutil
import socket
import ssl
import subprocess
import threading

import pytest

from campaign.errors import ConfigurationError, TargetUnreachableError
from campaign.target.guard import Guard
from campaign.target.http import ControlClient
from campaign.target.spec import TargetSpec, TlsSpec
from campaign.target.tls import tls_context

OPENSSL = shutil.which("openssl")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """The paths of a certificate for the name localhost (not for 127.0.0.1), and of its key."""
    if OPENSSL is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)("openssl is not installed")
    folder = tmp_path_factory.mktemp("tls")
    made, key = str(folder / "made.pem"), str(folder / "key.pem")
    subprocess.run(
        [
            *(
                OPENSSL,
                "req",
                "-x509",
                "-newkey",
                "ec",
                "-pkeyopt",
                "ec_paramgen_curve:P-256",
                "-nodes",
                "-days",
                "2",
            ),
            *(
                "-subj",
                "/CN=localhost",
                "-addext",
                "subjectAltName=DNS:localhost",
                "-out",
                made,
                "-keyout",
                key,
            ),
        ],
        check=True,
        capture_output=True,
    )
    return made, key


@pytest.fixture
def port(certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve():
            with contextlib.suppress(OSError):
                while True:
                    connection, _ = listener.accept()
                    with (
                        contextlib.suppress(OSError),
                        context.wrap_socket(connection, server_side=True) as secured,
                    ):
                        secured.recv(65536)
                        secured.sendall(
                            b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"
                        )

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(5)


def asked(url, tls):
    async def ask():
        async with ControlClient(TargetSpec(url=url, tls=tls), Guard()) as client:
            return (await client.request("GET", "/")).body

    return asyncio.run(ask())


def test_a_certificate_of_the_given_authority_is_accepted_for_its_name(port, certificate):
    assert asked(f"https://localhost:{port}", TlsSpec(ca=certificate[0])) == b"ok"


def test_an_unknown_certificate_is_not_accepted(port):
    with pytest.raises(TargetUnreachableError, match="certificate is not accepted: self-signed"):
        asked(f"https://localhost:{port}", TlsSpec())


def test_a_certificate_for_another_name_is_not_accepted(port, certificate):
    with pytest.raises(TargetUnreachableError, match=r"certificate is not accepted: .*127\.0\.0\.1"):
        asked(f"https://127.0.0.1:{port}", TlsSpec(ca=certificate[0]))


def test_without_verification_any_certificate_will_do(port):
    assert asked(f"https://127.0.0.1:{port}", TlsSpec(verify=False)) == b"ok"


def test_a_file_that_cannot_be_read_is_a_mistake_of_the_campaign_file():
    with pytest.raises(ConfigurationError, match="the TLS files cannot be read"):
        tls_context(TlsSpec(ca="/nowhere/ca.pem"))
