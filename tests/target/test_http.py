"""The control client against real sockets: a good service, and every way of being a bad one."""

import asyncio
import contextlib
import gzip
import re
import socket
import threading

import pytest

from campaign.errors import RefusedError, TargetUnreachableError
from campaign.target.guard import Guard
from campaign.target.http import ControlClient, health
from campaign.target.operation import compile_operation
from campaign.target.scope import Scope
from campaign.target.spec import BodySpec, OperationSpec, OptionsSpec, TargetSpec

BOMB = gzip.compress(gzip.compress(b"\0" * 2**28))


@contextlib.contextmanager
def served(reply):
    """The URL of a server that calls `reply(request bytes, connection)` once per connection."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        received = []

        def accept():
            with contextlib.suppress(OSError):
                while True:
                    connection, _ = listener.accept()
                    threading.Thread(target=talk, args=(connection,), daemon=True).start()

        def talk(connection):
            with connection, contextlib.suppress(OSError):
                request = read_request(connection)
                received.append(request)
                reply(request, connection)

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}", received
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join(5)


def read_request(connection):
    request = b""
    while b"\r\n\r\n" not in request:
        request += connection.recv(65536)
    head, _, body = request.partition(b"\r\n\r\n")
    length = int(re.search(rb"(?i)content-length: (\d+)|$", head)[1] or 0)
    while len(body) < length:
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body


def answering(body=b"{}", status="200 OK", headers=""):
    head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n{headers}\r\n".encode()
    return lambda _, connection: connection.sendall(head + body)


def asked(url, path="/", *, method="GET", **options):
    async def ask():
        target = TargetSpec(url=url)
        async with ControlClient(target, Guard(), options=OptionsSpec(**options)) as client:
            return await client.request(method, path)

    return asyncio.run(ask())


def test_an_answer_comes_with_status_headers_and_body():
    with served(answering(b'{"a": 1}', headers="X-Mark: yes\r\n")) as (url, _):
        answer = asked(url, "/a?b=c")
    assert (answer.status, answer.headers["x-mark"], answer.body, answer.problem) == (
        200,
        "yes",
        b'{"a": 1}',
        "",
    )


def test_an_operation_is_sent_as_it_was_built():
    spec = OperationSpec(
        "say", "POST", "/say", auth="{{ token }}", body=BodySpec(has_json=True, json={"n": 1})
    )
    with served(answering()) as (url, received):
        target = TargetSpec(url=url, headers={"X-Tenant": "t1"})
        scope = Scope(1)
        scope.values["token"] = "abc"

        async def send():
            async with ControlClient(target, Guard()) as client:
                return await client.send(compile_operation(spec, target).build(scope))

        assert asyncio.run(send()).status == 200
    head, body = received[0].split(b"\r\n\r\n")
    lines = head.lower().split(b"\r\n")
    assert lines[0] == b"post /say http/1.1"
    assert {b"authorization: bearer abc", b"x-tenant: t1", b"content-type: application/json"} < set(lines)
    assert body == b'{"n":1}'


def test_a_compressed_answer_is_unpacked():
    with served(answering(gzip.compress(b"hello"), headers="Content-Encoding: gzip\r\n")) as (url, _):
        assert asked(url).body == b"hello"


@pytest.mark.parametrize(
    ("body", "encoding", "problem"),
    [
        (BOMB, "gzip, gzip", "body larger than 1048576 bytes"),
        (b"x" * (2**20 + 1), "identity", "body larger than 1048576 bytes"),
        (b"not gzip", "gzip", "the body is not gzip"),
        (gzip.compress(b"hello", mtime=0)[:-9], "gzip", "the gzip body ends too early"),
        (b"x", "br", "content-encoding 'br' cannot be read"),
    ],
)
def test_a_body_that_cannot_be_had_is_a_problem_of_the_answer(body, encoding, problem):
    with served(answering(body, headers=f"Content-Encoding: {encoding}\r\n")) as (url, _):
        answer = asked(url, max_body=2**20)
    assert (answer.status, answer.body, answer.problem) == (200, b"", problem)


def endless(_, connection):
    connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        connection.sendall(b"x" * 65536)


def dripping(_, connection):
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    while True:
        connection.sendall(b"x")
        threading.Event().wait(0.05)


def test_an_endless_body_ends_at_the_limit():
    with served(endless) as (url, _):
        assert asked(url, max_body=2**20).problem == "body larger than 1048576 bytes"


def test_an_endless_body_on_a_redirect_is_not_read():
    def redirecting(request, connection):
        if request.startswith(b"GET /start"):
            connection.sendall(b"HTTP/1.1 302 Found\r\nLocation: /end\r\nContent-Length: 99999999999\r\n\r\n")
            connection.sendall(b"x" * 65536)
        else:
            answering(b"arrived")(request, connection)

    with served(redirecting) as (url, _):
        assert asked(url, "/start").body == b"arrived"


def looping(_, connection):
    connection.sendall(
        b"HTTP/1.1 302 Found\r\nLocation: /again\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    )


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (lambda _, connection: connection.sendall(b"garbage\r\n\r\n"), "illegal status line"),
        (lambda _, connection: connection.close(), "disconnected without sending a response"),
        (looping, "redirected more than 3 times"),
        (dripping, "no whole answer within 500 ms"),
        (lambda _, connection: connection.recv(1), "no whole answer within 500 ms"),
        (answering(status="302 Found", headers="Location: ftp://127.0.0.1/x\r\n"), "ftp://127.0.0.1/x"),
        (answering(status="302 Found", headers="Location: http://[:/\r\n"), ""),
    ],
)
def test_no_whole_answer_is_one_error_with_its_reason(reply, reason):
    with served(reply) as (url, _), pytest.raises(TargetUnreachableError) as caught:
        asked(url, timeout=0.5, redirects=3)
    assert reason in str(caught.value)


def test_a_redirect_to_cloud_metadata_is_refused():
    reply = answering(status="302 Found", headers="Location: http://169.254.169.254/latest\r\n")
    with (
        served(reply) as (url, _),
        pytest.raises(RefusedError, match=r"169\.254\.169\.254 is cloud metadata"),
    ):
        asked(url)


def test_without_redirects_the_redirect_is_the_answer():
    with served(looping) as (url, _):
        assert asked(url, redirects=0).status == 302


def test_a_proxy_in_the_environment_is_ignored(monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    with served(answering(b"direct")) as (url, _):
        assert asked(url).body == b"direct"


def test_the_health_of_a_good_target_names_its_server():
    with served(answering(headers="Server: toy/1\r\n")) as (url, received):
        report = asyncio.run(health(TargetSpec(url=f"{url}/base", health="GET /health")))
    assert (report.ok, report.detail, report.status, report.server) == (
        True,
        "GET /health answered 200",
        200,
        "toy/1",
    )
    assert received[0].startswith(b"GET /base/health HTTP/1.1")


@pytest.mark.parametrize(
    ("status", "request_line", "well"),
    [
        ("503 No", "GET /health", False),
        ("404 No", "GET /health", False),
        ("404 No", "", True),
        ("500 No", "", False),
    ],
)
def test_health_without_a_request_of_its_own_only_asks_for_life(status, request_line, well):
    with served(answering(status=status)) as (url, _):
        report = asyncio.run(health(TargetSpec(url=url, health=request_line)))
    assert report.ok is well


def test_a_target_that_is_down_is_a_report_not_an_exception():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    report = asyncio.run(health(TargetSpec(url=f"http://127.0.0.1:{port}", health="GET /health")))
    assert (report.ok, report.detail) == (False, "GET /health: connection refused")
