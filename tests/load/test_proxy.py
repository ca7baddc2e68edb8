"""Traffic goes through the target's HTTP proxy, if it has one: http in absolute form, https in a tunnel."""

from __future__ import annotations

import asyncio
import ssl
from base64 import b64encode
from urllib.parse import urlsplit

import pytest

from campaign.errors import RefusedError
from campaign.load.tally import ErrorKind, Stage
from campaign.runner.preflight import check_guard
from campaign.target.http import health
from campaign.target.spec import ConnectionSpec, OperationSpec, OptionsSpec, SocketSpec, TargetSpec, TlsSpec

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
PUBLIC = "http://203.0.113.7"


async def relay(reader, writer):
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    writer.close()


class Relay:
    """A small proxy: it looks at first lines alone, knows some names of its own, and passes on the rest."""

    def __init__(self, names=()):
        self.names = dict(names)
        self.heads = []

    async def __call__(self, talker):
        head = await talker.reader.readuntil(b"\r\n\r\n")
        self.heads.append(head)
        method, target, _ = head.split(b" ", 2)
        if method == b"CONNECT":
            reader, writer = await self._connect(f"//{target.decode()}")
            talker.say(b"HTTP/1.1 200 Connection established\r\nVia: relay\r\n\r\n")
        else:
            reader, writer = await self._connect(target.decode())
            path = urlsplit(target).path
            lines = head.split(b"\r\n")[1:]
            own = [line for line in lines if not line.lower().startswith(b"proxy-")]
            writer.write(b"%b %b HTTP/1.1\r\n%b" % (method, path, b"\r\n".join(own)))
        back = asyncio.create_task(relay(reader, talker.writer))
        try:
            while data := await talker.reader.read(65536):
                if method != b"CONNECT":
                    self.heads.append(data)
                    verb, where, rest = data.split(b" ", 2)
                    data = b"%b %b %b" % (verb, urlsplit(where).path, rest)
                writer.write(data)
        finally:
            back.cancel()
            writer.close()

    async def _connect(self, url):
        parts = urlsplit(url)
        if parts.hostname not in {"127.0.0.1", *self.names}:
            raise ConnectionError("a test goes nowhere else, whatever the guard lets through")
        return await asyncio.open_connection(
            "127.0.0.1" if parts.hostname in self.names else parts.hostname,
            self.names.get(parts.hostname, parts.port),
        )


def through(proxy, userinfo=""):
    return ConnectionSpec(proxy=proxy.url.replace("//", f"//{userinfo}"))


def test_http_goes_to_the_proxy_in_absolute_form_over_one_connection(serve, make_plan, run_here, operation):
    target, relaying = serve(OK), Relay()
    proxy = serve(relaying)
    plan = make_plan(target.url, operation("home", "/items"), connection=through(proxy), rounds=6)
    outcome = run_here(plan)
    assert outcome.errors == ()
    assert (proxy.connections, outcome.tallies["home", Stage.HOLD].count) == (1, 6)
    assert relaying.heads[0].startswith(
        f"GET {target.url}/items HTTP/1.1\r\nHost: 127.0.0.1:{target.port}\r\n".encode()
    )
    assert relaying.heads[1].startswith(f"GET {target.url}/items HTTP/1.1\r\n".encode())
    assert b"Proxy-Authorization" not in relaying.heads[0]


def test_credentials_go_to_the_proxy_alone(serve, make_plan, run_here):
    target, relaying = serve(OK), Relay()
    proxy = serve(relaying)
    assert run_here(make_plan(target.url, connection=through(proxy, "me:p%40ss@"))).errors == ()
    wanted = b"Proxy-Authorization: Basic %b\r\n" % b64encode(b"me:p@ss")
    assert wanted in relaying.heads[0]
    assert b"Proxy-Authorization" not in target.requests[0]


def test_https_goes_through_a_tunnel_that_tells_no_secret(serve, make_plan, run_here, certificates):
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificates.server)
    target, relaying = serve(OK, tls=context), Relay()
    proxy = serve(relaying)
    tls = TlsSpec(ca=str(certificates.ca))
    plan = make_plan(target.url, connection=through(proxy, "me:pass@"), tls=tls, rounds=6)
    outcome = run_here(plan)
    assert outcome.errors == ()
    assert (target.connections, outcome.tallies["home", Stage.HOLD].count) == (1, 6)
    name = f"127.0.0.1:{target.port}"
    assert relaying.heads[0].startswith(f"CONNECT {name} HTTP/1.1\r\nHost: {name}\r\nProxy-Auth".encode())
    assert b"Proxy-Authorization" not in target.requests[0]
    [group] = run_here(make_plan(target.url, connection=through(proxy))).errors
    assert (group.kind, group.detail) == (
        ErrorKind.TLS, "certificate: unable to get local issuer certificate"
    )  # fmt: skip


@pytest.mark.parametrize(
    ("answer", "detail"),
    [
        (b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", "the proxy answered 407 to CONNECT"),
        (b"220 mail.example ESMTP\r\n\r\n", "the proxy gave no HTTP answer to CONNECT"),
        (b"", "the proxy gave no answer to CONNECT"),
    ],
)
def test_a_proxy_that_opens_no_tunnel_is_a_connect_error(answer, detail, serve, make_plan, run_here):
    async def refuse(talker):
        await talker.request()
        talker.say(answer)

    plan = make_plan("https://127.0.0.1:9", connection=through(serve(refuse)))
    [group] = run_here(plan).errors
    assert (group.kind, group.detail) == (ErrorKind.CONNECT, detail)


def test_a_tunnel_that_never_opens_is_a_timeout(serve, make_plan, run_here):
    async def wait(talker):
        await talker.reader.read()

    operation = OperationSpec("home", "GET", "/", options=OptionsSpec(timeout=0.2))
    plan = make_plan("https://127.0.0.1:9", operation, connection=through(serve(wait)))
    [group] = run_here(plan).errors
    assert (group.kind, group.detail) == (ErrorKind.TIMEOUT, "no connection in time")


def test_the_guard_checks_the_proxys_own_address(make_plan, run_here, serve):
    plan = make_plan(serve(OK).url, connection=ConnectionSpec(proxy="http://203.0.113.8:3128"))
    [group] = run_here(plan).errors
    assert (group.kind, "203.0.113.8" in group.detail) == (ErrorKind.REFUSED, True)


@pytest.mark.parametrize("url", [PUBLIC, "http://shop.invalid", "http://169.254.169.254"])
def test_the_guard_checks_what_the_proxy_is_asked_for(url, make_plan, run_here, serve):
    relaying = Relay()
    plan = make_plan(url, connection=through(serve(relaying)))
    [group] = run_here(plan).errors
    assert (group.kind, relaying.heads) == (ErrorKind.REFUSED, [])


def test_a_name_that_only_the_proxy_knows_must_be_allowed(serve, make_plan, run_here):
    target = serve(OK)
    proxy = serve(Relay({"shop.invalid": target.port}))
    plan = make_plan(
        "http://shop.invalid", connection=through(proxy), allow_hosts=frozenset({"shop.invalid"}), rounds=6
    )
    assert run_here(plan).errors == ()
    assert len(target.requests) == 6


def test_a_websocket_goes_through_a_tunnel(serve, make_plan, run_here, socket_echo):
    target, relaying = serve(socket_echo), Relay()
    options = OptionsSpec(timeout=1.0, socket=SocketSpec(send="hello", reply="hello", messages=3))
    chat = OperationSpec("chat", "GET", "/ws", options=options)
    outcome = run_here(make_plan(target.url, chat, connection=through(serve(relaying))))
    assert outcome.errors == ()
    assert outcome.measures["chat", "round_trip", Stage.HOLD].count >= 3
    assert {head[:8] for head in relaying.heads} == {b"CONNECT "}


def test_health_is_asked_through_the_proxy(serve):
    target, relaying = serve(OK), Relay()
    spec = TargetSpec(url=target.url, health="GET /health", connection=through(serve(relaying), "me:pass@"))
    asyncio.run(check_guard(spec))
    report = asyncio.run(health(spec))
    assert (report.ok, report.status) == (True, 200)
    assert relaying.heads[0].startswith(f"GET {target.url}/health HTTP/1.1\r\n".encode())
    assert b"basic %b\r\n" % b64encode(b"me:pass").lower() in relaying.heads[0].lower()


@pytest.mark.parametrize(
    ("url", "proxy", "key"),
    [
        (PUBLIC, "http://127.0.0.1:9", "target.url: "),
        ("http://127.0.0.1:9", "http://203.0.113.8:3128", "target.proxy: "),
    ],
)
def test_nothing_is_sent_in_earnest_before_both_are_allowed(url, proxy, key):
    with pytest.raises(RefusedError, match=key):
        asyncio.run(check_guard(TargetSpec(url=url, connection=ConnectionSpec(proxy=proxy))))
