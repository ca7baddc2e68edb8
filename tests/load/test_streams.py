"""Answers that come little by little: first byte, first event, gaps, the whole, however the bytes are cut."""

from __future__ import annotations

import asyncio
import gzip
import zlib

import pytest

from campaign.load.events import EventParser
from campaign.load.tally import ErrorKind, Stage
from campaign.target.spec import ExpectSpec, OptionsSpec, StreamSpec

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
MS = 1000  # histograms hold µs


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


LAST = chunk(b"")


def listen(operation, kind="events", timeout=1.0, expect=None, save=None, **spec):
    options = OptionsSpec(timeout=timeout, stream=StreamSpec(kind, **spec))
    return operation("story", options=options, expect=expect or ExpectSpec(), save=save or {})


def times(outcome, name):
    return outcome.measures["story", name, Stage.HOLD]


EVENTS = {
    "LF": (b"data: a\n\ndata: b\n\n", [b"a", b"b"]),
    "CRLF": (b"data: a\r\n\r\ndata: b\r\n\r\n", [b"a", b"b"]),
    "CR": (b"data: a\r\rdata: b\r\r", [b"a", b"b"]),
    "comments": (b": keep-alive\n\n:\n\ndata: a\n: no\n\n", [b"a"]),
    "fields": (b"event: token\nid: 7\nretry: 10\ndata: a\n\nevent: nothing\n\n", [b"a"]),
    "several lines": (b"data: a\ndata:b\ndata\n\n", [b"a\nb\n"]),
    "empty data": (b"data:\n\n\n\n", [b""]),
    "one space goes": (b"data:  a\n\n", [b" a"]),
    "a mark at the beginning": (b"\xef\xbb\xbfdata: a\n\n", [b"a"]),
    "an unfinished one": (b"data: a\n\ndata: b\n", [b"a"]),
    "another field": (b"database: x\n\n", []),
}


@pytest.mark.parametrize("name", EVENTS)
@pytest.mark.parametrize("size", [1, 2, 3, 1000])
def test_events_are_the_same_wherever_the_body_is_cut(name, size):
    body, expected = EVENTS[name]
    parser = EventParser()
    pieces = [body[start : start + size] for start in range(0, len(body), size)]
    assert [event for piece in pieces for event in parser.feed(piece)] == expected


def test_first_byte_first_event_gaps_and_the_whole_are_timed(serve, make_plan, run_here, operation):
    async def tell(talker):
        while True:
            await talker.request()
            talker.say(HEAD + chunk(b": one moment\n\n"))
            await asyncio.sleep(0.1)
            for event in (b"data: once\n\n", b"data: upon\n\n", b"data: a time\n\n"):
                talker.say(chunk(event))
                await asyncio.sleep(0.05)
            talker.say(LAST)

    plan = make_plan(serve(tell).url, listen(operation), hold=0.6)
    outcome = run_here(plan)
    assert outcome.errors == ()
    count = outcome.tallies["story", Stage.HOLD].count
    assert count >= 1
    assert outcome.counts["story.events"] == 3 * count
    assert times(outcome, "first_byte").count == times(outcome, "first_event").count == count
    assert times(outcome, "event_gap").count == 2 * count
    first_byte, first_event = times(outcome, "first_byte").mean, times(outcome, "first_event").mean
    assert first_event - first_byte > 90 * MS
    assert times(outcome, "event_gap").mean > 40 * MS
    assert times(outcome, "stream").mean > first_event + 130 * MS
    assert times(outcome, "events").percentile(0.5) == 3  # and not what was kept from a stream that was cut
    assert outcome.tallies["story", Stage.HOLD].service.mean == pytest.approx(
        times(outcome, "stream").mean, rel=0.01
    )


def test_a_kept_connection_serves_streams_and_plain_answers_in_turn(serve, make_plan, run_here, operation):
    async def tell(talker):
        while True:
            request = await talker.request()
            if request.startswith(b"GET /plain"):
                talker.say(b'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{"id": 7}')
            else:
                talker.say(HEAD + chunk(b'data: {"id"') + chunk(b": 8}\n\n") + LAST)

    server = serve(tell)
    plain = operation("plain", "/plain", expect=ExpectSpec(json={"$.id": 7}))
    outcome = run_here(make_plan(server.url, plain, listen(operation, expect=ExpectSpec(contains=("8",)))))
    assert outcome.errors == ()
    assert server.connections == 1
    streams = sum(request.startswith(b"GET / ") for request in server.requests)
    assert outcome.counts["story.events"] == streams > 0
    assert len(server.requests) > streams
    assert {subject for subject, _, _ in outcome.measures} == {"story"}


def test_chunks_of_tokens_are_timed_and_the_body_can_be_judged_and_saved(
    serve, make_plan, run_here, operation
):
    async def tell(talker):
        while True:
            await talker.request()
            talker.say(HEAD)
            for piece in (b'{"text": ', b'"Once ', b'upon"}'):
                await asyncio.sleep(0.02)
                talker.say(chunk(piece))
            talker.say(LAST)

    story = listen(
        operation, "chunks", expect=ExpectSpec(json={"$.text": "Once upon"}), save={"text": "$.text"}
    )
    outcome = run_here(make_plan(serve(tell).url, story))
    assert outcome.errors == ()
    count = times(outcome, "first_event").count
    assert outcome.counts["story.events"] >= 3 * count > 0
    assert times(outcome, "first_byte").mean == times(outcome, "first_event").mean


@pytest.mark.parametrize(
    ("kind", "ending"),
    [
        ("events", {"until": "[DONE]"}),
        ("events", {"events": 5}),
        ("events", {"at_most": 0.3}),
        ("chunks", {"until": "[DONE]"}),
        ("chunks", {"at_most": 0.3}),
    ],
)
def test_a_stream_that_never_ends_can_be_left(  # noqa: PLR0917 - fixtures
    kind, ending, serve, make_plan, run_here, operation
):
    async def tell(talker):
        await talker.request()
        talker.say(HEAD)
        for piece in (
            b"data: 1\n\n",
            b"data: 2\n\n",
            b"data: 3\n\n",
            b"data: [DO",
            b"NE]\n\n",
            b"data: 5\n\n",
        ):
            talker.say(chunk(piece))
            await asyncio.sleep(0.01)
        assert await talker.reader.read() == b""  # we are the one who hangs up

    server = serve(tell)
    outcome = run_here(make_plan(server.url, listen(operation, kind, timeout=5.0, **ending), hold=0.5))
    assert outcome.errors == ()
    assert outcome.tallies["story", Stage.HOLD].count >= 1
    assert times(outcome, "stream").count == times(outcome, "first_event").count >= 1
    if "at_most" in ending:
        assert 290 * MS <= times(outcome, "stream").mean < 1000 * MS


def test_what_stalls_in_the_middle_shows_in_the_gaps_and_is_a_timeout_when_cut(
    serve, make_plan, run_here, operation
):
    async def stall(talker):
        await talker.request()
        talker.say(HEAD + chunk(b"data: 1\n\n"))
        await asyncio.sleep(0.02)
        talker.say(chunk(b"data: 2\n\n"))
        await asyncio.sleep(30)

    outcome = run_here(make_plan(serve(stall).url, listen(operation, timeout=0.5), hold=0.2))
    [group] = outcome.errors
    assert (group.kind, group.detail) == (ErrorKind.TIMEOUT, "no whole answer in time")
    assert times(outcome, "event_gap").maximum > 400 * MS
    assert ("story", "stream", Stage.HOLD) not in outcome.measures


def test_events_are_seen_through_compression(serve, make_plan, run_here, operation):
    packer = zlib.compressobj(wbits=31)
    pieces = [packer.compress(b"data: %d\n\n" % n) + packer.flush(zlib.Z_SYNC_FLUSH) for n in range(3)]
    body = b"".join([*pieces, packer.flush()])
    assert gzip.decompress(body).count(b"data") == 3
    head = HEAD.replace(b"Transfer", b"Content-Encoding: gzip\r\nTransfer")
    server = serve(head + b"".join(chunk(body[n : n + 7]) for n in range(0, len(body), 7)) + LAST)
    outcome = run_here(make_plan(server.url, listen(operation, expect=ExpectSpec(contains=("data: 2",)))))
    assert outcome.errors == ()
    assert outcome.counts["story.events"] == 3 * len(server.requests)


@pytest.mark.parametrize("ending", [{"until": "2"}, {"events": 3}, {"at_most": 0.3}], ids=str)
def test_what_came_of_a_compressed_stream_is_judged_where_we_leave_it(
    ending, serve, make_plan, run_here, operation
):
    packer = zlib.compressobj(wbits=31)
    pieces = [packer.compress(b"data: %d\n\n" % n) + packer.flush(zlib.Z_SYNC_FLUSH) for n in range(3)]

    async def tell(talker):
        await talker.request()
        talker.say(HEAD.replace(b"Transfer", b"Content-Encoding: gzip\r\nTransfer"))
        for piece in pieces:
            talker.say(chunk(piece))
        await talker.reader.read()

    expect = ExpectSpec(contains=("data: 0", "data: 2"))
    outcome = run_here(make_plan(serve(tell).url, listen(operation, timeout=5.0, expect=expect, **ending)))
    assert outcome.errors == ()
    wrong = ExpectSpec(contains=("data: 3",))
    [group] = run_here(make_plan(serve(tell).url, listen(operation, expect=wrong, **ending))).errors
    assert group.kind is ErrorKind.EXPECTATION


def test_a_compressed_stream_that_the_server_cuts_is_a_failure(serve, make_plan, run_here, operation):
    body = gzip.compress(b"data: 1\n\n" * 9)[:-4]
    head = HEAD.replace(b"Transfer", b"Content-Encoding: gzip\r\nTransfer")
    expect = ExpectSpec(contains=("data: 1",))
    story = listen(operation, expect=expect, until="2")
    [group] = run_here(make_plan(serve(head + chunk(body) + LAST).url, story)).errors
    assert (group.kind, group.detail) == (ErrorKind.PROTOCOL, "the gzip body ends too early")


def test_a_refusal_is_no_stream(serve, make_plan, run_here, operation):
    server = serve(b"HTTP/1.1 503 Busy\r\nContent-Length: 9\r\n\r\ndata: a\n\n")
    outcome = run_here(make_plan(server.url, listen(operation)))
    [group] = outcome.errors
    assert (group.kind, group.detail) == (ErrorKind.STATUS, "status 503")
    assert (dict(outcome.measures), dict(outcome.counts)) == ({}, {})


def test_a_long_stream_with_news_is_no_stall_of_the_target(serve, make_plan, run_here, operation):
    async def tell(talker):
        await talker.request()
        talker.say(HEAD)
        for _ in range(20):
            talker.say(chunk(b"data: word\n\n"))
            await asyncio.sleep(0.05)
        talker.say(LAST)

    outcome = run_here(make_plan(serve(tell).url, listen(operation, timeout=5.0), hold=0.9))
    assert outcome.errors == ()
    assert outcome.longest_stall is not None
    assert outcome.longest_stall < 0.5


@pytest.mark.parametrize(("kind", "body", "said"), [
    ("events", b"", "a stream without any event"),
    ("events", b"<html>Sign in first</html>", "a stream without any event"),
    ("events", b": keep-alive\n\n", "a stream without any event"),
    ("chunks", b"", "a stream without any piece"),
], ids=["nothing", "a page", "comments", "no piece"])  # fmt: skip
def test_a_stream_that_tells_nothing_is_no_good_answer(  # noqa: PLR0917 - fixtures and a case
    kind, body, said, serve, make_plan, run_here, operation
):
    async def tell(talker):
        while True:
            await talker.request()
            talker.say(HEAD + (chunk(body) if body else b"") + LAST)

    outcome = run_here(make_plan(serve(tell).url, listen(operation, kind)))
    [group] = outcome.errors
    assert (group.kind, group.detail) == (ErrorKind.EXPECTATION, said)
    assert group.count == outcome.tallies["story", Stage.HOLD].failed > 0
