"""Whatever a target does, every operation ends in one counted sample of the right kind; nothing crashes or
hangs.
"""

from __future__ import annotations

import asyncio
import gzip
import socket
import time
import tracemalloc

import pytest

from campaign.load.tally import ErrorKind, Stage
from campaign.target.spec import ExpectSpec, OptionsSpec

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
BOMB = gzip.compress(bytes(50 * 2**20), compresslevel=9)
NEEDS_BODY = ExpectSpec(contains=("ok",))


async def endless(talker, start: bytes, piece: bytes) -> None:
    await talker.request()
    talker.say(start)
    while True:
        talker.say(piece)
        await talker.writer.drain()


def saying(data: bytes, *, then_wait: bool = False):
    async def talk(talker):
        await talker.request()
        talker.say(data)
        if then_wait:
            await talker.request()

    return talk


async def never_answer(talker):
    await talker.request()
    await asyncio.sleep(30)


async def reset_at_once(talker):
    await talker.request()
    talker.reset()


async def reset_in_the_middle(talker):
    await talker.request()
    talker.say(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
    await talker.writer.drain()
    await asyncio.sleep(0.05)
    talker.reset()


async def drip(talker):
    await talker.request()
    for byte in b"HTTP/1.1 200 OK\r\n" * 100:
        talker.say(bytes([byte]))
        await asyncio.sleep(0.02)


HOSTILE = {
    "garbage": (saying(b"\x00\x01\x02 not http \xff\xfe\r\n\r\n"), "protocol", "not HTTP"),
    "another protocol": (saying(b"220 mail.example ESMTP\r\n"), "protocol", "not HTTP"),
    "a TLS alert": (saying(b"\x15\x03\x01\x00\x02\x02\x46"), "protocol", "not HTTP"),
    "a broken status": (saying(b"HTTP/1.1 9x9 What\r\n\r\n"), "protocol", "not HTTP"),
    "NUL in a header": (saying(b"HTTP/1.1 200 OK\r\nX: a\x00b\r\n\r\n"), "protocol", "not HTTP"),
    "endless headers": (
        lambda t: endless(t, b"HTTP/1.1 200 OK\r\n", b"X-Pad: 1\r\n" * 500),
        "protocol",
        "headers larger",
    ),
    "one endless header": (
        lambda t: endless(t, b"HTTP/1.1 200 OK\r\nX: ", b"a" * 9999),
        "protocol",
        "headers larger",
    ),
    "an endless status line": (
        lambda t: endless(t, b"HTTP/1.1 200 ", b"O" * 9999),
        "protocol",
        "headers larger",
    ),
    "endless informational answers": (
        lambda t: endless(t, b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 50),
        "protocol",
        "headers larger",
    ),
    "a 10 MB header": (
        saying(b"HTTP/1.1 200 OK\r\nX: " + b"a" * 10**7 + b"\r\nContent-Length: 0\r\n\r\n"),
        "protocol",
        "headers larger",
    ),
    "an endless body": (
        lambda t: endless(t, b"HTTP/1.1 200 OK\r\n\r\n", b"x" * 65536),
        "protocol",
        "body larger",
    ),
    "endless chunks": (
        lambda t: endless(
            t, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"4\r\nbody\r\n" * 999
        ),
        "protocol",
        "body larger",
    ),
    "endless trailers": (
        lambda t: endless(
            t, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", b"X-Pad: 1\r\n" * 999
        ),
        "protocol",
        "an answer much larger",
    ),
    "a broken chunk": (
        saying(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n"),
        "protocol",
        "not HTTP",
    ),
    "a huge chunk size": (
        saying(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n"),
        "protocol",
        "not HTTP",
    ),
    "a negative length": (saying(b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n"), "protocol", "not HTTP"),
    "two lengths": (
        saying(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok"),
        "protocol",
        "not HTTP",
    ),
    "a length and chunks": (
        saying(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
        "protocol",
        "not HTTP",
    ),
    "more bytes than its length": (
        saying(OK + b"more", then_wait=True),
        "protocol",
        "bytes after the answer",
    ),
    "two answers": (saying(OK + OK, then_wait=True), "protocol", "bytes after the answer"),
    "half a second answer": (saying(OK + b"HTT", then_wait=True), "protocol", "bytes after the answer"),
    "a protocol switch": (
        saying(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"),
        "protocol",
        "the server switched protocols unasked",
    ),
    "fewer bytes than its length": (
        saying(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok"),
        "reset",
        "connection closed in the middle of the answer",
    ),
    "a head without its end": (
        saying(b"HTTP/1.1 200 OK\r\nX: "),
        "reset",
        "connection closed in the middle of the answer",
    ),
    "chunks without their end": (
        saying(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n"),
        "reset",
        "connection closed in the middle of the answer",
    ),
    "nothing and closes": (saying(b""), "reset", "connection closed before the answer"),
    "a reset": (reset_at_once, "reset", "connection reset before the answer"),
    "a reset in the middle": (reset_in_the_middle, "reset", "connection reset in the middle of the answer"),
    "no answer": (never_answer, "timeout", "no answer in time"),
    "half an answer": (
        saying(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok", then_wait=True),
        "timeout",
        "no whole answer in time",
    ),
    "a drop at a time": (drip, "timeout", "no whole answer in time"),
    "a gzip bomb": (
        saying(
            b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n%b" % (len(BOMB), BOMB)
        ),
        "protocol",
        "body larger than 1000000 bytes",
    ),
    "broken gzip": (
        saying(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nnope"),
        "protocol",
        "the body is not gzip",
    ),
    "half of gzip": (
        saying(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 20\r\n\r\n%b" % BOMB[:20]),
        "protocol",
        "the gzip body ends too early",
    ),
    "an unknown encoding": (
        saying(b"HTTP/1.1 200 OK\r\nContent-Encoding: br\r\nContent-Length: 2\r\n\r\nok"),
        "protocol",
        "content-encoding 'br' cannot be read",
    ),
    "a redirect to nowhere": (
        saying(b"HTTP/1.1 302 Found\r\nLocation: javascript:alert(1)\r\nContent-Length: 0\r\n\r\n"),
        "protocol",
        "a redirect that leads nowhere",
    ),
    "a wrong status": (saying(b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n"), "status", "status 503"),
    "markup": (
        saying(b"HTTP/1.1 200 <script>\r\nX: <script>\r\nContent-Length: 8\r\n\r\n<script>"),
        "expectation",
        "the answer does not contain 'ok'",
    ),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_a_hostile_target_is_a_counted_error(case, serve, make_plan, run_here, operation):
    talk, kind, detail = HOSTILE[case]
    patience = 0.3 if kind == "timeout" else 20.0  # a busy machine is no hostile target
    options = OptionsSpec(timeout=patience, max_body=1_000_000)
    home = operation("home", expect=NEEDS_BODY, options=options)
    outcome = run_here(make_plan(serve(talk).url, home, hold=0.2))
    tally = outcome.tallies["home", Stage.HOLD]
    assert tally.errors == {ErrorKind(kind): tally.count}
    assert tally.count == tally.response.count == tally.service.count >= 1
    [group] = outcome.errors
    assert (group.operation, group.kind, group.count) == ("home", ErrorKind(kind), tally.count)
    assert group.detail.startswith(detail)


def test_an_answer_that_nobody_asked_for_is_never_taken_for_the_next_one(
    serve, make_plan, run_here, operation
):
    async def talk(talker):
        await talker.request()
        talker.say(OK)
        await talker.writer.drain()
        await asyncio.sleep(0.02)
        talker.say(b"HTTP/1.1 500 Late\r\nContent-Length: 0\r\n\r\n")
        await talker.request()

    server = serve(talk)
    outcome = run_here(make_plan(server.url, operation("home", expect=NEEDS_BODY), wait=0.1))
    assert outcome.errors == ()
    assert server.connections == outcome.tallies["home", Stage.HOLD].count == outcome.reconnects + 1


def test_an_answer_before_the_request_ends_in_a_sample_like_any_other(serve, make_plan, run_here):
    async def talk(talker):
        talker.say(OK)
        await talker.writer.drain()
        await asyncio.sleep(0.02)

    outcome = run_here(make_plan(serve(talk).url))
    assert outcome.tallies["home", Stage.HOLD].count >= 3
    # Whether the bytes or our request are first on the wire is a race that nobody can see.
    assert {each.kind for each in outcome.errors} <= {ErrorKind.PROTOCOL, ErrorKind.RESET}


def test_a_redirect_loop_ends_after_the_allowed_number(serve, make_plan, run_here, operation):
    server = serve(b"HTTP/1.1 302 Found\r\nLocation: /again\r\nContent-Length: 0\r\n\r\n")
    home = operation("home", options=OptionsSpec(timeout=1.0, redirects=3))
    outcome = run_here(make_plan(server.url, home, wait=9.0))
    assert [(each.kind, each.detail) for each in outcome.errors] == [("protocol", "more than 3 redirects")]
    assert len(server.requests) == 4


def test_nobody_listening_is_a_connect_error_and_users_do_not_spin(make_plan, run_here):
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{bound.getsockname()[1]}"
        outcome = run_here(make_plan(url, wait=0.0, hold=1.0))
    assert [(each.kind, each.detail) for each in outcome.errors] == [("connect", "connection refused")]
    # Pauses of 50, 100, 200, 400 ms and so on fit about five times into a second.
    tally = outcome.tallies["home", Stage.HOLD]
    assert 3 <= tally.asked == tally.failed <= 6
    assert (tally.count, tally.answered) == (0, 0)  # a refused connection is no fast answer


def test_a_full_backlog_is_a_timeout_of_the_connection(make_plan, run_here, operation):
    with socket.socket() as full, socket.socket() as first, socket.socket() as second:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for each in (first, second):
            each.setblocking(False)
            each.connect_ex(full.getsockname())
        home = operation("home", options=OptionsSpec(timeout=0.2))
        outcome = run_here(make_plan(f"http://127.0.0.1:{full.getsockname()[1]}", home))
    assert [(each.kind, each.detail) for each in outcome.errors] == [("timeout", "no connection in time")]


def test_a_host_without_an_address_is_a_connect_error(make_plan, run_here):
    outcome = run_here(make_plan("http://nowhere.invalid", wait=9.0))
    [group] = outcome.errors
    assert group.kind is ErrorKind.CONNECT
    assert "nowhere.invalid cannot be resolved" in group.detail


def test_a_timeout_counts_at_its_full_time(serve, make_plan, run_here, operation):
    home = operation("home", options=OptionsSpec(timeout=0.25))
    outcome = run_here(make_plan(serve(never_answer).url, home))
    tally = outcome.tallies["home", Stage.HOLD]
    assert 249_000 <= tally.response.minimum <= tally.response.maximum <= 400_000
    # The time of connecting is part of the limit, but not of the service time.
    assert tally.service.minimum > 150_000


def test_a_body_that_nobody_reads_is_not_kept(serve, make_plan, run_here, operation):
    size = 200 * 2**20

    async def talk(talker):
        await talker.request()
        talker.say(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size)
        for _ in range(size // 2**20):
            talker.say(bytes(2**20))
            await talker.writer.drain()

    home = operation("home", options=OptionsSpec(timeout=30.0, max_body=size))
    plan = make_plan(serve(talk).url, home, wait=9.0)
    tracemalloc.start()
    outcome = run_here(plan)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert outcome.errors == ()
    assert outcome.tallies["home", Stage.HOLD].received_bytes > size
    assert peak < 30 * 2**20


def test_a_hundred_different_errors_stay_bounded(serve, make_plan, run_here, operation):
    async def talk(talker):
        while True:
            await talker.request()
            number = 400 + len(talker.server.requests) % 200
            talker.say(b"HTTP/1.1 %d X\r\nContent-Length: 100000\r\n\r\n%b" % (number, b"<b>" * 33333 + b"!"))

    outcome = run_here(make_plan(serve(talk).url, wait=0.0, hold=2.0))
    tally = outcome.tallies["home", Stage.HOLD]
    assert tally.count > 300
    assert len(outcome.errors) <= 101
    assert sum(each.count for each in outcome.errors) == tally.count
    assert all(len(each.samples) <= 3 for each in outcome.errors)
    assert all(len(sample.answer) <= 401 for each in outcome.errors for sample in each.samples)


def test_secrets_are_masked_in_the_samples(serve, make_plan, run_here, operation):
    server = serve(b'HTTP/1.1 500 X\r\nContent-Length: 42\r\n\r\n{"echo": "hunter2-is-it", "token": "abcd"} ')
    home = operation("home", path="/?api_key=verysecret", auth="hunter2-is-it")
    outcome = run_here(make_plan(server.url, home, secrets=frozenset({"hunter2-is-it"})))
    texts = str(outcome.errors)
    assert "api_key=***" in texts
    for secret in ("hunter2", "verysecret", "abcd"):
        assert secret not in texts


def test_every_group_says_when_it_was_first_and_last_seen(serve, make_plan, run_here):
    began = time.monotonic()
    outcome = run_here(make_plan(serve(b"HTTP/1.1 500 X\r\nContent-Length: 0\r\n\r\n").url))
    [group] = outcome.errors
    assert 0 <= group.first < group.last < time.monotonic() - began
    assert [sample.at for sample in group.samples] == sorted(sample.at for sample in group.samples)
    assert group.samples[0].at == group.first
