"""`target.connections` bounds how many connections are open; users take turns, and their wait is counted."""

from __future__ import annotations

import asyncio

import pytest

from campaign.errors import GeneratorError
from campaign.load.pool import share_of
from campaign.load.tally import ErrorKind, Stage
from campaign.target.spec import ConnectionSpec, OptionsSpec

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Slow:
    """Answers each request after a while, and knows how many connections were open at once."""

    def __init__(self, seconds, answer=OK):
        self.seconds = seconds
        self.answer = answer
        self.open = self.most = 0

    async def __call__(self, talker):
        self.open += 1
        self.most = max(self.most, self.open)
        try:
            while True:
                await talker.request()
                await asyncio.sleep(self.seconds)
                talker.say(self.answer)
                if b"Connection: close" in self.answer:
                    return
        finally:
            self.open -= 1


def limited(most):
    return ConnectionSpec(most=most)


def test_never_more_connections_than_allowed_and_the_wait_is_response_time(serve, make_plan, run_here):
    slow = Slow(0.05)
    server = serve(slow)
    plan = make_plan(
        server.url, users=8, wait=0.0, hold=0.8, connection=limited(2), views=frozenset({"queue"})
    )
    outcome = run_here(plan)
    assert outcome.errors == ()
    assert (slow.most, server.connections) == (2, 2)
    tally = outcome.tallies["home", Stage.HOLD]
    # Eight users over two connections: each waits for three others, 50 ms each, before its own turn.
    assert tally.response.percentile(0.5) > 2.5 * tally.service.percentile(0.5)
    queue = outcome.measures["home", "queue", Stage.HOLD]
    assert queue.count == tally.count
    assert queue.percentile(0.5) > 100_000


def test_without_a_limit_each_user_has_its_own(serve, make_plan, run_here):
    slow = Slow(0.05)
    run_here(make_plan(serve(slow).url, users=8, wait=0.0))
    assert slow.most == 8


def test_users_share_connections_that_are_kept(serve, make_plan, run_here):
    server = serve(OK)
    outcome = run_here(make_plan(server.url, users=20, wait=0.05, connection=limited(3)))
    assert outcome.errors == ()
    assert server.connections <= 3
    assert len(server.requests) > 40


def test_a_connection_that_the_server_closes_makes_room_for_another(serve, make_plan, run_here):
    slow = Slow(0.001, OK.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
    server = serve(slow)
    outcome = run_here(make_plan(server.url, users=5, wait=0.0, connection=limited(2)))
    assert outcome.errors == ()
    assert server.connections > 10
    assert outcome.reconnects > 5


def test_who_waits_too_long_for_a_connection_has_timed_out(serve, make_plan, run_here, operation):
    async def never(talker):
        await talker.reader.read()

    plan = make_plan(
        serve(never).url,
        operation("home", options=OptionsSpec(timeout=0.3)),
        users=3,
        hold=0.5,
        connection=limited(1),
    )
    groups = {group.detail: group for group in run_here(plan).errors}
    assert {group.kind for group in groups.values()} == {ErrorKind.TIMEOUT}
    assert set(groups) == {"no answer in time", "no connection in time"}


def test_a_limit_without_a_target_gives_its_places_back(make_plan, run_here):
    outcome = run_here(make_plan("http://127.0.0.1:9", users=4, connection=limited(1)))
    assert {group.kind for group in outcome.errors} == {ErrorKind.CONNECT}
    assert sum(group.count for group in outcome.errors) >= 4


def test_a_redirect_to_another_host_borrows_there(serve, make_plan, run_here):
    there = serve(OK)
    here = serve(f"HTTP/1.1 302 Found\r\nLocation: {there.url}\r\nContent-Length: 0\r\n\r\n".encode())
    outcome = run_here(make_plan(here.url, users=4, connection=limited(1)))
    assert outcome.errors == ()
    assert (here.connections, there.connections) == (1, 1)


@pytest.mark.parametrize(("most", "workers"), [(10, 1), (10, 3), (3, 3)])
def test_workers_share_the_limit(most, workers):
    assert sum(share_of(most, index=index, workers=workers) for index in range(workers)) == most


def test_more_workers_than_connections_cannot_be():
    with pytest.raises(GeneratorError):
        share_of(2, index=2, workers=3)
