"""Every shape that a good HTTP answer may have is understood, and the connection kept or not as it says."""

from __future__ import annotations

import gzip
import zlib

import pytest

from campaign.load.tally import Stage
from campaign.target.spec import BodySpec, ExpectSpec

BODY = b'{"id": 7}'
WANTED = ExpectSpec(json={"$.id": 7})
LENGTH = b"Content-Length: %d\r\n\r\n" % len(BODY)


def compressed(encoding: bytes, body: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Encoding: %b\r\nContent-Length: %d\r\n\r\n%b" % (
        encoding,
        len(body),
        body,
    )


def bare_deflate(body: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(body) + packer.flush()


GOOD = {
    "with a length": (b"HTTP/1.1 200 OK\r\n" + LENGTH + BODY, True),
    "in chunks": (
        b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n{"id\r\n5;x=y\r\n": 7}\r\n0\r\n\r\n',
        True,
    ),
    "with trailers": (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\n" + BODY + b"\r\n0\r\nX-Sum: 1\r\n\r\n",
        True,
    ),
    "that closes": (b"HTTP/1.1 200 OK\r\nConnection: close\r\n" + LENGTH + BODY, False),
    "of HTTP/1.0": (b"HTTP/1.0 200 OK\r\n" + LENGTH + BODY, False),
    "of HTTP/1.0 that stays": (b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n" + LENGTH + BODY, True),
    "after 100 and 103": (
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\n"
        + LENGTH
        + BODY,
        True,
    ),
    "in gzip": (compressed(b"gzip", gzip.compress(BODY)), True),
    "in deflate": (compressed(b"deflate", zlib.compress(BODY)), True),
    "in bare deflate": (compressed(b"deflate", bare_deflate(BODY)), True),
    "in two encodings": (compressed(b"deflate, gzip", gzip.compress(zlib.compress(BODY))), True),
}


@pytest.mark.parametrize("shape", GOOD)
def test_a_good_answer_is_understood(shape, serve, make_plan, run_here, operation):
    answer, stays = GOOD[shape]
    server = serve(answer)
    outcome = run_here(make_plan(server.url, operation("home", expect=WANTED), rounds=4))
    assert outcome.errors == ()
    assert outcome.tallies["home", Stage.HOLD].count == len(server.requests) == 4
    assert server.connections == (1 if stays else len(server.requests))
    assert outcome.reconnects == server.connections - 1


@pytest.mark.parametrize("shape", GOOD)
def test_an_answer_that_comes_byte_by_byte_is_the_same(shape, serve, make_plan, run_here, operation):
    answer, _ = GOOD[shape]

    async def drip(talker):
        await talker.request()
        for byte in answer:
            talker.say(bytes([byte]))
            await talker.writer.drain()
        await talker.request()

    outcome = run_here(make_plan(serve(drip).url, operation("home", expect=WANTED), wait=9.0))
    assert outcome.errors == ()
    assert outcome.tallies["home", Stage.HOLD].count == 1


def test_a_body_may_end_with_the_connection(serve, make_plan, run_here, operation):
    async def talk(talker):
        await talker.request()
        talker.say(b"HTTP/1.1 200 OK\r\n\r\n" + BODY)

    server = serve(talk)
    outcome = run_here(make_plan(server.url, operation("home", expect=WANTED), rounds=4))
    assert outcome.errors == ()
    assert outcome.tallies["home", Stage.HOLD].count == len(server.requests) == server.connections == 4


@pytest.mark.parametrize("answer", [
    b"HTTP/1.1 204 No Content\r\n\r\n", b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n",
])  # fmt: skip
def test_answers_that_never_have_a_body_keep_the_connection(answer, serve, make_plan, run_here):
    server = serve(answer)
    outcome = run_here(make_plan(server.url, rounds=4))
    assert outcome.errors == ()
    assert (server.connections, len(server.requests)) == (1, 4)


def test_the_answer_to_head_has_no_body_whatever_its_length_says(serve, make_plan, run_here, operation):
    server = serve(b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n")
    outcome = run_here(make_plan(server.url, operation("peek", method="HEAD"), rounds=4))
    assert outcome.errors == ()
    assert (server.connections, len(server.requests)) == (1, 4)


def test_a_body_goes_out_as_it_was_built(serve, make_plan, run_here, operation):
    server = serve(b"HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n")
    make = operation("make", method="POST", body=BodySpec(has_json=True, json={"n": "{{ user.number }}"}))
    outcome = run_here(make_plan(server.url, make))
    assert outcome.errors == ()
    assert server.requests[0].endswith(b'\r\n\r\n{"n":1}')


def test_received_bytes_count_head_and_body(serve, make_plan, run_here):
    answer = b"HTTP/1.1 200 OK\r\n" + LENGTH + BODY
    outcome = run_here(make_plan(serve(answer).url))
    tally = outcome.tallies["home", Stage.HOLD]
    assert tally.received_bytes == tally.count * len(answer)
