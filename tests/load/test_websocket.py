"""WebSocket sessions: connect, round trips, pushes, long stays, and every way in which they go wrong."""

from __future__ import annotations

import asyncio
import gc
import json
import ssl
import threading
import time
import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from campaign.load.tally import ErrorKind, Stage
from campaign.target.spec import BodySpec, ExpectSpec, OperationSpec, OptionsSpec, SocketSpec

MS = 1000  # histograms hold µs


@dataclass
class SocketServer:
    """A real WebSocket server in a thread of its own; `talk` is what it does with each connection."""

    talk: Callable[[ServerConnection], Any]
    check: Callable[[ServerConnection, Any], Any] | None = None
    tls: ssl.SSLContext | None = None
    requests: list[Any] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    goodbyes: list[int | None] = field(default_factory=list)
    most: int = 0
    port: int = 0

    def start(self) -> None:
        started = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, args=(started,), daemon=True)
        self._thread.start()
        assert started.wait(10)

    def ended(self, count: int) -> list[int | None]:
        """How the first `count` connections ended, when they have."""
        deadline = time.monotonic() + 10
        while len(self.goodbyes) < count and time.monotonic() < deadline:
            time.sleep(0.01)
        return self.goodbyes

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._done.set)
        self._thread.join(10)
        assert not self._thread.is_alive()

    @property
    def url(self) -> str:
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}"

    def _run(self, started: threading.Event) -> None:
        self._loop.run_until_complete(self._serve(started))
        self._loop.close()

    async def _serve(self, started: threading.Event) -> None:
        self._done = asyncio.Event()
        self._open = 0
        server = await serve(
            self._accept, "127.0.0.1", 0, process_request=self._look, ssl=self.tls, ping_interval=None,
            close_timeout=1, backlog=2000,
        )  # fmt: skip
        self.port = server.sockets[0].getsockname()[1]
        started.set()
        await self._done.wait()
        server.close()
        await server.wait_closed()

    def _look(self, connection: ServerConnection, request: Any) -> Any:
        self.requests.append(request)
        return self.check(connection, request) if self.check else None

    async def _accept(self, connection: ServerConnection) -> None:
        self._open += 1
        self.most = max(self.most, self._open)
        try:
            await self.talk(connection)
            await connection.wait_closed()
        except ConnectionClosed:
            pass
        finally:
            self._open -= 1
            self.goodbyes.append(connection.close_code)


@pytest.fixture
def listen():
    servers: list[SocketServer] = []

    def start(talk, **more) -> SocketServer:
        server = SocketServer(talk, **more)
        server.start()
        servers.append(server)
        return server

    yield start
    for server in servers:
        server.stop()


async def echo(connection) -> None:
    async for message in connection:
        await connection.send(f"heard {message}")


def talk(name="chat", path="/ws", *, timeout=1.0, auth="", headers=None, expect=None, save=None, **script):
    options = OptionsSpec(timeout=timeout, socket=SocketSpec(**script))
    return OperationSpec(
        name, "GET", path, auth=auth, headers=headers or {}, expect=expect or ExpectSpec(), save=save or {},
        options=options,
    )  # fmt: skip


def times(outcome, name):
    return outcome.measures["chat", name, Stage.HOLD]


def sole(outcome):
    [group] = outcome.errors
    return group.kind, group.detail


def test_connect_and_each_round_trip_are_timed_and_pauses_are_in_nobodys_time(listen, make_plan, run_here):
    async def think(connection):
        async for message in connection:
            await asyncio.sleep(0.05)
            await connection.send(f"heard {message}")

    server = listen(think)
    plan = make_plan(
        server.url, talk(send="hi {{ user.number }}", reply="heard", messages=3, pause=0.2), hold=1.0
    )
    outcome = run_here(plan)
    assert outcome.errors == ()
    tally = outcome.tallies["chat", Stage.HOLD]
    assert tally.count == times(outcome, "connect").count
    assert outcome.counts["chat.messages"] >= 3
    assert times(outcome, "round_trip").count >= 1
    assert times(outcome, "round_trip").mean > 45 * MS
    assert (
        45 * MS < tally.service.minimum <= tally.service.mean < 390 * MS
    )  # with both pauses it would be 550
    assert tally.received_bytes > 3 * len("heard hi 1")
    assert server.ended(tally.count) == [1000] * tally.count


def test_what_matches_is_the_reply_and_everything_else_a_push(listen, make_plan, run_here):
    async def chatter(connection):
        await connection.send('{"ready": true}')
        async for message in connection:
            await connection.send('{"typing": true}')
            await connection.send(json.dumps({"reply": json.loads(message)["text"], "id": 7}))
            await connection.send('{"typing": false}')

    body = {"text": "{{ saved_id }}"}
    operations = (
        talk(has_json=True, json={"text": "hello"}, reply='"reply"', messages=2, stay=0.1,
             save={"saved_id": "$.id"}, expect=ExpectSpec(json={"$.reply": "hello"})),
        talk("again", has_json=True, json=body, reply='"reply": 7', stay=0.1),
    )  # fmt: skip
    outcome = run_here(make_plan(listen(chatter).url, operations[0], operations[1], start=("chat",)))
    assert outcome.errors == ()
    sessions = outcome.tallies["again", Stage.HOLD].count
    assert sessions >= 1
    assert outcome.counts["again.messages"] == sessions
    assert outcome.counts["again.pushes"] == 3 * sessions
    assert outcome.counts["chat.messages"] == 2
    assert outcome.counts["chat.pushes"] == 5


def test_pushes_are_counted_through_a_long_stay_and_a_leaving_user_ends_it(listen, make_plan, run_here):
    async def push(connection):
        while True:
            await connection.send("news")
            await asyncio.sleep(0.05)

    server = listen(push)
    outcome = run_here(make_plan(server.url, talk(stay=60.0), hold=1.0))
    assert outcome.errors == ()
    assert outcome.tallies["chat", Stage.HOLD].count == 1
    assert 5 <= outcome.counts["chat.pushes"] <= 21
    assert outcome.tallies["chat", Stage.HOLD].service.mean < 500 * MS
    assert outcome.longest_stall < 0.5
    assert server.ended(1) == [1000]


def test_a_stop_ends_a_stay_at_once(listen, make_plan, run_here):
    server = listen(echo)
    outcome = run_here(make_plan(server.url, talk(send="a", stay=60.0), hold=60.0), stop_after=0.5)
    assert outcome.errors == ()
    assert times(outcome, "round_trip").count == 1
    assert len(server.ended(1)) == 1


def test_a_message_without_a_reply_is_a_timeout_though_others_come(listen, make_plan, run_here):
    async def push(connection):
        while True:
            await connection.send("news")
            await asyncio.sleep(0.05)

    outcome = run_here(make_plan(listen(push).url, talk(send="hi", reply="heard", timeout=0.3), hold=0.2))
    assert sole(outcome) == (ErrorKind.TIMEOUT, "no reply in time")
    assert outcome.counts["chat.pushes"] >= 1


def test_each_message_has_the_time_out_to_itself(listen, make_plan, run_here):
    async def slow(connection):
        async for _ in connection:
            await asyncio.sleep(0.3)
            await connection.send("yes")

    outcome = run_here(make_plan(listen(slow).url, talk(send="a", messages=4, timeout=0.9), hold=1.5))
    assert outcome.errors == ()
    assert outcome.counts["chat.messages"] >= 4


def test_a_close_by_the_server_is_told_with_code_and_reason(listen, make_plan, run_here):
    async def refuse(connection):
        await connection.recv()
        await connection.close(4404, "no_such_session\u2028")

    outcome = run_here(make_plan(listen(refuse).url, talk(send="hi", messages=5)))
    assert sole(outcome) == (ErrorKind.RESET, "closed by the server with 4404 no_such_session\ufffd")


def test_reasons_that_differ_each_time_are_one_group_and_hide_secrets(listen, make_plan, run_here):
    async def refuse(connection):
        await connection.recv()
        reason = f"session {connection.id} of token=abc{id(connection)} is over" + " é" * 9
        await connection.close(1008, reason)

    outcome = run_here(make_plan(listen(refuse).url, talk(send="hi"), hold=0.5))
    [group] = outcome.errors
    assert group.count >= 3
    assert group.detail == "closed by the server with 1008 session … of … is over" + " é" * 9
    assert all(" is over é" in sample.answer for sample in group.samples)
    assert all("abc" not in sample.answer for sample in group.samples)


def test_a_close_in_the_middle_of_a_stay_ends_it_as_a_failure(listen, make_plan, run_here):
    async def leave(connection):
        await asyncio.sleep(0.1)
        await connection.close(1001)

    outcome = run_here(make_plan(listen(leave).url, talk(stay=30.0), hold=0.5))
    assert sole(outcome) == (ErrorKind.RESET, "closed by the server with 1001")
    assert outcome.tallies["chat", Stage.HOLD].count >= 2


def test_a_refused_upgrade_is_a_status_and_may_be_what_is_expected(listen, make_plan, run_here):
    def check(connection, request):
        return connection.respond(HTTPStatus.UNAUTHORIZED, '{"error": "who?"}')

    server = listen(echo, check=check)
    outcome = run_here(make_plan(server.url, talk(send="hi")))
    assert sole(outcome) == (ErrorKind.STATUS, "status 401")
    assert "who?" in outcome.errors[0].samples[0].answer
    wanted = ExpectSpec(status=(401,), json={"$.error": "who?"})
    assert run_here(make_plan(server.url, talk(send="hi", expect=wanted))).errors == ()


def test_credentials_cookies_and_subprotocols_go_with_the_upgrade(listen, make_plan, run_here):
    def check(connection, request):
        if request.path == "/login":
            response = connection.respond(HTTPStatus.OK, "in")
            response.headers["Set-Cookie"] = "session=42"
            return response
        return None

    server = listen(echo, check=check)
    login = OperationSpec("login", "GET", "/login", options=OptionsSpec(timeout=1.0))
    chat = talk(
        path="/ws/{{ user.number }}?lang=en", auth="secret-token", headers={"X-Toy": "bear"}, send="hi"
    )
    outcome = run_here(make_plan(server.url, login, chat, start=("login",)))
    assert outcome.errors == ()
    request = next(each for each in server.requests if each.path.startswith("/ws"))
    assert request.path == "/ws/1?lang=en"
    sent = {name: request.headers.get(name) for name in ("Authorization", "Cookie", "X-Toy", "Host")}
    assert sent == {
        "Authorization": "Bearer secret-token", "Cookie": "session=42", "X-Toy": "bear",
        "Host": f"127.0.0.1:{server.port}",
    }  # fmt: skip


GARBAGE = {
    "no HTTP": (b"hello\r\n\r\n", ErrorKind.PROTOCOL, "no WebSocket upgrade"),
    "a wrong accept": (
        b"HTTP/1.1 101 Yes\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: no\r\n\r\n",
        ErrorKind.PROTOCOL,
        "no WebSocket upgrade",
    ),
    "a page": (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", ErrorKind.STATUS, "status 200"),
}


@pytest.mark.parametrize("name", GARBAGE)
def test_who_does_not_speak_websocket_is_told_from_a_network_failure(name, serve, make_plan, run_here):
    answer, kind, detail = GARBAGE[name]
    found = sole(run_here(make_plan(serve(answer).url, talk(send="hi"))))
    assert (found[0], found[1][: len(detail)]) == (kind, detail)


def test_a_connection_that_is_cut_is_a_reset(serve, make_plan, run_here):
    async def hang_up(talker):
        await talker.request()
        talker.reset()

    kind, _ = sole(run_here(make_plan(serve(hang_up).url, talk(send="hi"))))
    assert kind is ErrorKind.RESET


def test_a_message_that_is_too_large_is_a_protocol_error(listen, make_plan, run_here):
    async def shout(connection):
        async for _ in connection:
            await connection.send("x" * 5000)

    operation = OperationSpec(
        "chat", "GET", "/ws", options=OptionsSpec(1.0, max_body=1000, socket=SocketSpec(send="hi"))
    )
    outcome = run_here(make_plan(listen(shout).url, operation))
    assert sole(outcome) == (ErrorKind.PROTOCOL, "a message larger than 1000 bytes")


def test_a_plain_server_where_tls_was_expected_is_a_tls_error(listen, make_plan, run_here):
    url = listen(echo).url.replace("http:", "https:")
    kinds = {each.kind for each in run_here(make_plan(url, talk(send="hi"), hold=1.0)).errors}
    assert kinds <= {ErrorKind.TLS, ErrorKind.TIMEOUT}
    assert kinds


def test_a_host_that_the_guard_refuses_gets_no_connection(make_plan, run_here):
    kind, _ = sole(run_here(make_plan("http://169.254.169.254", talk(send="hi"))))
    assert kind is ErrorKind.REFUSED


def test_a_body_makes_no_sense_in_an_upgrade_but_does_no_harm(listen, make_plan, run_here):
    operation = OperationSpec(
        "chat", "GET", "/ws", body=BodySpec(raw="x"), options=OptionsSpec(socket=SocketSpec(send="hi"))
    )
    assert run_here(make_plan(listen(echo).url, operation)).errors == ()


def test_many_idle_sockets_stay_small(listen, make_plan, run_here):
    users = 300
    server = listen(echo)
    grown = []

    async def look(connection):
        await echo(connection)

    server.talk = look
    plan = make_plan(
        server.url, talk(send="hi", reply="heard", stay=60.0, timeout=10.0), users=users, hold=3.0
    )
    tracemalloc.start(1)
    try:
        outcome = run_here(plan)
        grown.append(tracemalloc.get_traced_memory()[1])
    finally:
        tracemalloc.stop()
        gc.collect()
    assert outcome.errors == ()
    assert server.most == users
    assert outcome.counts["chat.messages"] == users
    assert grown[0] / users < 150_000  # both ends live in this process; the server's are the larger ones
