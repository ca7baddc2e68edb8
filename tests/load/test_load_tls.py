"""TLS targets are verified as the campaign file says, and a failed handshake is an error of its own kind."""

from __future__ import annotations

import ssl
import subprocess

import pytest

from campaign.errors import ConfigurationError
from campaign.load.tally import ErrorKind, Stage
from campaign.target.spec import TlsSpec
from campaign.target.tls import tls_context

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def openssl(*arguments) -> None:
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)


@pytest.fixture
def server_side(certificates) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificates.server)
    return context


def test_a_trusted_target_is_talked_to_over_one_connection(
    serve, make_plan, run_here, certificates, server_side
):
    server = serve(OK, tls=server_side)
    outcome = run_here(make_plan(server.url, tls=TlsSpec(ca=str(certificates.ca)), rounds=6))
    assert outcome.errors == ()
    assert (server.connections, outcome.tallies["home", Stage.HOLD].count) == (1, 6)


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


def test_a_client_certificate_may_have_its_key_in_a_file_of_its_own(
    serve, make_plan, run_here, certificates, server_side
):
    server_side.load_verify_locations(certificates.ca)
    server_side.verify_mode = ssl.CERT_REQUIRED
    folder = certificates.client.parent
    tls = TlsSpec(
        ca=str(certificates.ca), certificate=str(folder / "client.crt"), key=str(folder / "client.key")
    )
    assert run_here(make_plan(serve(OK, tls=server_side).url, tls=tls)).errors == ()


def test_a_client_certificate_of_a_stranger_is_no_connection(  # noqa: PLR0917 - fixtures
    serve, make_plan, run_here, certificates, server_side, tmp_path
):
    server_side.load_verify_locations(certificates.ca)
    server_side.verify_mode = ssl.CERT_REQUIRED
    own, key = tmp_path / "own.pem", tmp_path / "own.key"
    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=x", "-keyout", key, "-out", own)
    server = serve(OK, tls=server_side)
    tls = TlsSpec(ca=str(certificates.ca), certificate=str(own), key=str(key))
    outcome = run_here(make_plan(server.url, tls=tls))
    assert outcome.errors != ()
    assert server.requests == []


def test_nobody_is_asked_for_the_passphrase_of_a_key(certificates, tmp_path):
    locked = tmp_path / "locked.key"
    openssl("rsa", "-aes256", "-passout", "pass:secret", "-in", certificates.client, "-out", locked)
    crt = certificates.client.parent / "client.crt"
    with pytest.raises(ConfigurationError, match="encrypted"):
        tls_context(TlsSpec(certificate=str(crt), key=str(locked)))


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
