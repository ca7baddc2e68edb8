"""How streams of HTTP/2 end, against a server that scripts its frames: resets, late frames, what is kept."""

from __future__ import annotations

import asyncio
import contextlib
import time

import pytest
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.events import DataReceived, RequestReceived, StreamEnded
from hyperframe.frame import DataFrame, RstStreamFrame, WindowUpdateFrame

from campaign.load.http2 import Http2Connection
from campaign.load.tally import ErrorKind, Stage
from campaign.target.origin import Origin
from campaign.target.request import Request
from campaign.target.spec import BodySpec, ConnectionSpec, OperationSpec, OptionsSpec

HTTP2 = ConnectionSpec(http=2)


def speak(answer):
    """A server's behaviour: `answer(http2, stream)` queues what it says to each request's head."""

    async def talk(talker):
        http2 = H2Connection(H2Configuration(client_side=False))
        http2.initiate_connection()
        talker.say(http2.data_to_send())
        while data := await talker.reader.read(65536):
            for event in http2.receive_data(data):
                if isinstance(event, RequestReceived):
                    talker.server.requests.append(dict(event.headers)[b":path"])
                    answer(http2, event.stream_id)
                elif isinstance(event, DataReceived | StreamEnded):
                    talker.server.requests.append(type(event).__name__)
            talker.say(http2.data_to_send())

    return talk


def refuse_the_rest(code):
    """RFC 9113 section 8.1: a whole answer, and a reset that asks not to send the rest of the body."""

    def answer(http2, stream):
        http2.send_headers(stream, [(":status", "200")])
        http2.send_data(stream, b"enough", end_stream=True)
        http2.reset_stream(stream, code)

    return answer


@pytest.fixture
def upload():
    body = BodySpec(raw="x" * 500_000)
    return OperationSpec("up", "POST", "/", body=body, options=OptionsSpec(timeout=2.0))


@pytest.mark.parametrize("code", [ErrorCodes.NO_ERROR, ErrorCodes.CANCEL])
def test_a_whole_answer_before_a_reset_counts(code, serve, make_plan, run_here, upload):
    server = serve(speak(refuse_the_rest(code)))
    outcome = run_here(make_plan(server.url, upload, connection=HTTP2))
    assert outcome.errors == ()
    assert outcome.tallies["up", Stage.HOLD].answered >= 2
    assert server.connections == 1
    assert "StreamEnded" not in server.requests  # nobody sends the rest of a body that is not wanted


def test_after_a_whole_answer_no_more_body_is_sent(serve, make_plan, run_here, upload):
    """The answer comes with room for more of the body."""

    def answer(http2, stream):
        http2.send_headers(stream, [(":status", "200")], end_stream=True)
        http2.increment_flow_control_window(400_000, stream)
        http2.increment_flow_control_window(400_000)

    server = serve(speak(answer))
    outcome = run_here(make_plan(server.url, upload, connection=HTTP2))
    assert outcome.errors == ()
    pieces = server.requests.count("DataReceived")
    assert pieces <= 5 * server.requests.count(b"/")  # of 31; 65,535 bytes may go before anybody answers


def test_a_reset_in_the_middle_of_an_answer_is_a_failure(serve, make_plan, run_here, upload):
    def answer(http2, stream):
        http2.send_headers(stream, [(":status", "200")])
        http2.reset_stream(stream, ErrorCodes.NO_ERROR)

    [group] = run_here(make_plan(serve(speak(answer)).url, upload, connection=HTTP2)).errors
    assert (group.kind, group.detail) == (ErrorKind.RESET, "stream reset by the server: NO_ERROR")


def test_a_connection_forgets_old_streams_and_takes_what_comes_late_for_them(serve):
    """Memory must not grow with every request; frames for a forgotten stream hurt nobody."""

    def answer(http2, stream):
        http2.send_headers(stream, [(":status", "200")], end_stream=True)

    late = DataFrame(1, data=b"late"), WindowUpdateFrame(1, window_increment=5), RstStreamFrame(1)
    kept = asyncio.run(_ask(serve(late_frames(answer, late, after=300)), times=400))
    assert kept <= 200


def late_frames(answer, frames, *, after):
    """The behaviour of a server that says `frames` before its answer number `after`."""
    asked = 0

    def answer_and_more(http2, stream):
        nonlocal asked
        asked += 1
        answer(http2, stream)
        if asked == after:
            http2._data_to_send[:0] = b"".join(each.serialize() for each in frames)

    return speak(answer_and_more)


async def _ask(server, *, times):
    """What one connection remembers of its streams after so many requests."""
    loop = asyncio.get_running_loop()
    origin = Origin("http", "127.0.0.1", server.port)
    _, connection = await loop.create_connection(
        lambda: Http2Connection(loop=loop, now_ns=time.monotonic_ns), origin.host, origin.port
    )
    request = Request(origin, "GET", b"GET / HTTP/1.1\r\nHost: x\r\n", b"")
    with contextlib.closing(connection):
        for _ in range(times):
            await asyncio.wait_for(
                connection.send(request, cookie=b"", keep_body=False, max_body=1000), timeout=10
            )
        http2 = connection._http2
        return len(http2.streams) + len(http2._closed_streams)
