"""TLS targets are verified as the campaign file says, and a failed handshake is an error of its own kind."""

from __future__ import annotations

import ssl
import subprocess
from pathlib import Path
from typing import NamedTuple

import pytest

from campaign.load.spec import ErrorKind, Stage
from campaign.target.spec import TlsSpec

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Certificates(NamedTuple):
    """Files of a certificate authority made for this test, a server's and a client's certificate."""

    ca: Path
    server: Path
    client: Path


def openssl(*arguments: str | Path) -> None:
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)


def issue(folder: Path, name: str, extension: str) -> Path:
    """A PEM file with key and certificate, signed by the authority in `folder`."""
    key, request, certificate = (folder / f"{name}.{suffix}" for suffix in ("key", "csr", "crt"))
    (folder / f"{name}.cnf").write_text(f"{extension}\nauthorityKeyIdentifier=keyid\n")
    openssl(
        "req", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={name}", "-keyout", key, "-out", request
    )  # fmt: skip
    openssl(
        "x509", "-req", "-days", "2", "-in", request, "-CA", folder / "ca.pem", "-CAkey", folder / "ca.key",
        "-CAcreateserial", "-extfile", folder / f"{name}.cnf", "-out", certificate,
    )  # fmt: skip
    both = folder / f"{name}.pem"
    both.write_text(key.read_text() + certificate.read_text())
    return both


@pytest.fixture(scope="module")
def certificates(tmp_path_factory) -> Certificates:
    folder = tmp_path_factory.mktemp("certificates")
    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=Test CA",
            "-addext", "keyUsage=critical,keyCertSign,cRLSign",  # Python 3.13 asks for it
            "-keyout", folder / "ca.key", "-out", folder / "ca.pem")  # fmt: skip
    server = issue(folder, "server", "subjectAltName=IP:127.0.0.1")
    return Certificates(folder / "ca.pem", server, issue(folder, "client", "extendedKeyUsage=clientAuth"))


@pytest.fixture
def server_side(certificates) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificates.server)
    return context


def test_a_trusted_target_is_talked_to_over_one_connection(
    serve, make_plan, run_here, certificates, server_side
):
    server = serve(OK, tls=server_side)
    outcome = run_here(make_plan(server.url, tls=TlsSpec(ca=str(certificates.ca))))
    assert outcome.errors == ()
    assert (server.connections, outcome.tallies["home", Stage.HOLD].count > 5) == (1, True)


def test_an_unknown_authority_is_a_tls_error(serve, make_plan, run_here, server_side):
    outcome = run_here(make_plan(serve(OK, tls=server_side).url))
    [group] = outcome.errors
    assert group.kind is ErrorKind.TLS
    assert group.detail == "certificate: unable to get local issuer certificate"


def test_a_certificate_for_another_host_is_a_tls_error(serve, make_plan, run_here, certificates, server_side):
    server = serve(OK, tls=server_side)
    plan = make_plan(server.url.replace("127.0.0.1", "localhost"), tls=TlsSpec(ca=str(certificates.ca)))
    [group] = run_here(plan).errors
    assert group.kind is ErrorKind.TLS
    assert "localhost" in group.detail


def test_verification_can_be_switched_off(serve, make_plan, run_here, server_side):
    outcome = run_here(make_plan(serve(OK, tls=server_side).url, tls=TlsSpec(verify=False)))
    assert outcome.errors == ()


def test_a_client_certificate_is_shown(serve, make_plan, run_here, certificates, server_side):
    server_side.load_verify_locations(certificates.ca)
    server_side.verify_mode = ssl.CERT_REQUIRED
    server = serve(OK, tls=server_side)
    tls = TlsSpec(ca=str(certificates.ca), certificate=str(certificates.client))
    assert run_here(make_plan(server.url, tls=tls)).errors == ()
    assert run_here(make_plan(server.url, tls=TlsSpec(ca=str(certificates.ca)))).errors != ()


def test_a_plain_server_where_tls_was_expected_is_a_tls_error(serve, make_plan, run_here):
    url = serve(b"HTTP/1.1 400 No\r\nContent-Length: 0\r\n\r\n").url.replace("http:", "https:")
    kinds = {each.kind for each in run_here(make_plan(url, hold=1.0)).errors}
    assert kinds <= {ErrorKind.TLS, ErrorKind.TIMEOUT}
    assert kinds


def test_a_handshake_that_is_cut_off_is_a_tls_error(serve, make_plan, run_here):
    async def hang_up(talker):
        await talker.reader.read(100)
        talker.reset()

    [group] = run_here(make_plan(serve(hang_up).url.replace("http:", "https:"))).errors
    assert (group.kind, group.detail) == (ErrorKind.TLS, "connection lost in the handshake")
