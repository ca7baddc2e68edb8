"""HTTP/2 against a real server: the same samples, errors and rules as over HTTP/1.1."""

from __future__ import annotations

import asyncio
import json
import subprocess
import threading
from pathlib import Path
from typing import Any

import hypercorn.asyncio
import hypercorn.config
import pytest

from campaign.load.tally import ErrorKind, Stage
from campaign.target.spec import (
    BodySpec,
    ConnectionSpec,
    ExpectSpec,
    OperationSpec,
    OptionsSpec,
    StreamSpec,
    TlsSpec,
)

HTTP2 = ConnectionSpec(http=2)


class App:
    """A small ASGI application that remembers what it was asked."""

    def __init__(self) -> None:
        self.seen: list[dict[str, Any]] = []

    async def __call__(self, scope, receive, send) -> None:
        if scope["type"] != "http":
            return
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        self.seen.append({**scope, "headers": headers, "body": body})
        await getattr(self, scope["path"].strip("/") or "home")(body, headers, send)

    async def home(self, body, headers, send) -> None:
        await answer(send, json.dumps({"id": 7, "size": len(body)}).encode())

    async def login(self, body, headers, send) -> None:
        await answer(send, b"in", headers=[(b"set-cookie", b"session=42")])

    async def away(self, body, headers, send) -> None:
        await answer(send, b"", 303, headers=[(b"location", b"/home")])

    async def refuse(self, body, headers, send) -> None:
        await answer(send, b"busy", 503)

    async def large(self, body, headers, send) -> None:
        await answer(send, b"x" * 300_000)

    async def slow(self, body, headers, send) -> None:
        await asyncio.sleep(5)

    async def story(self, body, headers, send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for number in range(200):
            data = b"data: %d\n\n" % number
            await send({"type": "http.response.body", "body": data, "more_body": True})
            await asyncio.sleep(0.02)


async def answer(send, body: bytes, status: int = 200, headers: Any = ()) -> None:
    headers = [(b"content-length", b"%d" % len(body)), *headers]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


class Http2Server:
    """hypercorn in a thread of its own on a free loopback port."""

    def __init__(self, certificate: Path | None, alpn: list[str]) -> None:
        self.app = App()
        self.config = hypercorn.config.Config()
        self.config.bind = ["127.0.0.1:0"]
        self.config.alpn_protocols = alpn
        self.config.errorlog = None
        self.config.graceful_timeout = 0.1
        if certificate:
            self.config.certfile = self.config.keyfile = str(certificate)
        sockets = self.config.create_sockets()
        self.config.create_sockets = lambda: sockets  # those whose port we know
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._loop = asyncio.new_event_loop()
        self._done = asyncio.Event()
        bound = (sockets.secure_sockets or sockets.insecure_sockets)[0]
        scheme = "https" if certificate else "http"
        self.url = f"{scheme}://127.0.0.1:{bound.getsockname()[1]}"

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._done.set)
        self._thread.join(10)
        assert not self._thread.is_alive()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        serving = hypercorn.asyncio.serve(self.app, self.config, shutdown_trigger=self._done.wait)
        self._loop.run_until_complete(serving)
        self._loop.close()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("certificate")
    both = folder / "server.pem"
    command = [
        "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=server",
        "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", folder / "key", "-out", folder / "crt",
    ]  # fmt: skip
    subprocess.run([str(each) for each in command], check=True, capture_output=True)
    both.write_text((folder / "key").read_text() + (folder / "crt").read_text())
    return both


@pytest.fixture
def host(certificate):
    servers: list[Http2Server] = []

    def start(*, tls: bool = True, alpn: tuple[str, ...] = ("h2",)) -> Http2Server:
        server = Http2Server(certificate if tls else None, list(alpn))
        server.start()
        servers.append(server)
        return server

    yield start
    for server in servers:
        server.stop()


def ask(name, path="/", method="GET", timeout=2.0, **changes):
    options = changes.pop("options", OptionsSpec(timeout=timeout))
    return OperationSpec(name, method, path, options=options, **changes)


@pytest.fixture
def plan_for(make_plan, certificate):
    def make(url, *operations, **changes):
        return make_plan(url, *operations, connection=HTTP2, tls=TlsSpec(ca=str(certificate)), **changes)

    return make


def sole(outcome):
    [group] = outcome.errors
    return group.kind, group.detail


@pytest.mark.parametrize("tls", [True, False], ids=["over TLS", "in the clear"])
def test_requests_are_spoken_in_http2_over_one_connection(tls, host, plan_for, run_here):
    server = host(tls=tls)
    body = BodySpec(has_json=True, json={"text": "hello"})
    story = ask(
        "tell", "/home", "POST", body=body, auth="secret-token", expect=ExpectSpec(json={"$.size": 16})
    )
    outcome = run_here(plan_for(server.url, story))
    assert outcome.errors == ()
    assert {each["http_version"] for each in server.app.seen} == {"2"}
    assert len({each["client"] for each in server.app.seen}) == 1
    seen = server.app.seen[0]
    assert (seen["method"], seen["body"]) == ("POST", b'{"text":"hello"}')
    assert seen["headers"]["authorization"] == "Bearer secret-token"
    assert seen["headers"]["content-type"] == "application/json"
    tally = outcome.tallies["tell", Stage.HOLD]
    assert tally.count == len(server.app.seen) > 2
    assert 0 < tally.service.mean <= tally.response.mean
    assert tally.received_bytes > 10 * tally.count


def test_redirects_cookies_and_saved_values_work_as_ever(host, plan_for, run_here):
    server = host()
    away = ask("away", "/away", save={"number": "$.id"})
    home = ask("home", "/home", query={"n": "{{ number }}"})
    outcome = run_here(plan_for(server.url, ask("login", "/login"), away, home, start=("login", "away")))
    assert outcome.errors == ()
    seen = server.app.seen
    assert [each["path"] for each in seen[:3]] == ["/login", "/away", "/home"]
    assert seen[-1]["query_string"] == b"n=7"
    assert {each["headers"].get("cookie") for each in seen[1:]} == {"session=42"}


def test_bodies_larger_than_any_window_go_both_ways(host, plan_for, run_here, monkeypatch):
    monkeypatch.setattr("campaign.load.http2.WINDOW", 100_000)
    server = host()
    body = BodySpec(raw="x" * 400_000)
    up = ask("up", "/home", "POST", body=body, expect=ExpectSpec(json={"$.size": 400_000}), timeout=10.0)
    down = ask("down", "/large", expect=ExpectSpec(contains=("x" * 300,), max_size=300_000), timeout=10.0)
    outcome = run_here(plan_for(server.url, up, down, hold=1.0, wait=0.2))
    assert outcome.errors == ()
    assert outcome.tallies["down", Stage.HOLD].count + outcome.tallies["up", Stage.HOLD].count >= 2


def test_a_wrong_status_and_a_large_body_are_errors_of_their_kinds(host, plan_for, run_here):
    server = host()
    refused = run_here(plan_for(server.url, ask("a", "/refuse")))
    assert sole(refused) == (ErrorKind.STATUS, "status 503")
    assert refused.errors[0].samples[0].answer == "503 busy"
    large = ask("a", "/large", options=OptionsSpec(timeout=2.0, max_body=1000))
    assert sole(run_here(plan_for(server.url, large))) == (ErrorKind.PROTOCOL, "body larger than 1000 bytes")


def test_what_is_too_slow_is_a_timeout(host, plan_for, run_here):
    outcome = run_here(plan_for(host().url, ask("a", "/slow", timeout=0.3), hold=0.2))
    assert sole(outcome) == (ErrorKind.TIMEOUT, "no answer in time")


def test_a_streamed_answer_is_timed_and_left_without_losing_the_connection(host, plan_for, run_here):
    server = host()
    options = OptionsSpec(timeout=2.0, stream=StreamSpec("events", events=5))
    outcome = run_here(plan_for(server.url, ask("tell", "/story", options=options), hold=0.6))
    assert outcome.errors == ()
    count = outcome.tallies["tell", Stage.HOLD].count
    assert outcome.counts["tell.events"] == 5 * count
    assert count >= 2
    assert outcome.measures["tell", "event_gap", Stage.HOLD].mean > 10_000
    assert len({each["client"] for each in server.app.seen}) == 1


def test_a_server_that_knows_only_http_1_is_told_over_tls(host, plan_for, run_here):
    outcome = run_here(plan_for(host(alpn=("http/1.1",)).url, ask("a")))
    assert sole(outcome) == (ErrorKind.PROTOCOL, "the server chose http/1.1 instead of h2")


def test_a_server_that_knows_only_http_1_is_told_in_the_clear(serve, plan_for, run_here):
    outcome = run_here(plan_for(serve(b"HTTP/1.1 400 What\r\nContent-Length: 0\r\n\r\n").url, ask("a")))
    assert sole(outcome) == (ErrorKind.PROTOCOL, "the server answered in HTTP/1.1")


def test_a_server_that_hangs_up_is_a_reset(serve, plan_for, run_here):
    async def hang_up(talker):
        await talker.reader.read(100)
        talker.reset()

    kind, _ = sole(run_here(plan_for(serve(hang_up).url, ask("a"))))
    assert kind is ErrorKind.RESET


def test_an_unknown_authority_and_a_refused_host_stay_what_they_are(host, make_plan, run_here):
    url = host().url
    assert sole(run_here(make_plan(url, ask("a"), connection=HTTP2)))[0] is ErrorKind.TLS
    outcome = run_here(make_plan("http://169.254.169.254", ask("a"), connection=HTTP2))
    assert sole(outcome)[0] is ErrorKind.REFUSED
