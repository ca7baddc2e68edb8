"""An operation is tried again where the file says so: each attempt is a sample, and the last one counts."""

from __future__ import annotations

import socket

import pytest

from campaign.load.tally import ErrorKind, Stage
from campaign.target.journey import WaitSpec
from campaign.target.spec import BodySpec, OptionsSpec, RetrySpec, UserSpec

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
BUSY = b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n"
GONE = b"HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n"


def options(attempts=2, **retry):
    return OptionsSpec(timeout=1.0, retry=RetrySpec(attempts, retry.pop("pause", 0.01), **retry))


def answers(*wanted):
    """A server's talk that gives these answers in turn, over all its connections; None resets."""
    left = list(wanted)

    async def talk(talker):
        while True:
            await talker.request()
            answer = left.pop(0) if left else OK
            if answer is None:
                talker.reset()
                return
            talker.say(answer)

    return talk


def test_a_listed_status_is_tried_again_with_the_same_request(serve, make_plan, run_here, operation):
    server = serve(answers(BUSY, BUSY))
    again = operation(
        "order", method="POST", body=BodySpec(raw="{{ fake.uuid }}"), options=options(statuses=(503,))
    )
    plan = make_plan(server.url, again, operation("home"), start=("order",), rounds=6)
    outcome = run_here(plan)
    orders = [each for each in server.requests if each.startswith(b"POST")]
    assert (len(orders), len(set(orders))) == (3, 1)
    tallies = [tally for (name, _), tally in outcome.tallies.items() if name == "order"]
    assert sum(tally.count for tally in tallies) == 3
    assert sum(tally.failed for tally in tallies) == 2
    assert outcome.counts["retries"] == 2
    assert outcome.tallies["home", Stage.HOLD].count == 6  # the user went on


def test_the_last_attempt_is_what_the_user_goes_on_with(serve, make_plan, run_here, operation):
    server = serve(answers(BUSY, BUSY, BUSY))
    again = operation("order", options=options(attempts=2, statuses=(503,), pause=0.05))
    plan = make_plan(server.url, again, operation("home"), start=("order",), hold=0.5)
    outcome = run_here(plan)
    assert len(server.requests) == 3
    assert outcome.counts["retries"] == 2
    assert ("home", Stage.HOLD) not in outcome.tallies  # its start failed; it is tried anew after a second


def test_the_pause_doubles(serve, make_plan, run_here, operation):
    server = serve(answers(BUSY, BUSY))
    again = operation("order", options=options(statuses=("5xx",), pause=0.1))
    outcome = run_here(make_plan(server.url, again, operation("home"), start=("order",), hold=0.6))
    assert outcome.counts["retries"] == 2
    assert outcome.tallies["home", Stage.HOLD].count < 0.31 / 0.02  # 300 ms of 600 went into pauses


@pytest.mark.parametrize("answer", [GONE, None])
def test_what_is_not_listed_is_not_tried_again(answer, serve, make_plan, run_here, operation):
    server = serve(answers(*[answer] * 100))
    plan = make_plan(server.url, operation("order", options=options(statuses=(503,), kinds=frozenset())))
    outcome = run_here(plan)
    assert outcome.errors != ()
    assert "retries" not in outcome.counts


def test_a_reset_is_tried_again(serve, make_plan, run_here, operation):
    server = serve(answers(None))
    again = operation("order", options=options(kinds=frozenset({"reset"})))
    outcome = run_here(make_plan(server.url, again))
    [group] = outcome.errors
    assert (group.kind, group.count, outcome.counts["retries"]) == (ErrorKind.RESET, 1, 1)


def test_a_timeout_is_tried_again(serve, make_plan, run_here, operation):
    async def late(talker):
        await talker.request()
        if talker.number == 1:
            await talker.reader.read()
        talker.say(OK)

    again = operation(
        "order", options=OptionsSpec(timeout=0.2, retry=RetrySpec(1, 0.01, kinds=frozenset({"timeout"})))
    )
    outcome = run_here(make_plan(serve(late).url, again, hold=0.5))
    [group] = [group for group in outcome.errors if group.kind is ErrorKind.TIMEOUT]
    assert (group.count, outcome.counts["retries"]) == (1, 1)


def test_a_refused_connection_is_tried_again_so_often_and_no_more(make_plan, run_here, operation):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    again = operation("order", options=options(attempts=3, kinds=frozenset({"connect"}), pause=0.001))
    outcome = run_here(
        make_plan(f"http://127.0.0.1:{port}", again, operation("home"), start=("order",), hold=0.5)
    )
    [group] = outcome.errors
    assert (group.kind, group.count, outcome.counts["retries"]) == (ErrorKind.CONNECT, 4, 3)


def test_a_user_that_leaves_begins_no_further_attempt(serve, make_plan, run_here, operation):
    server = serve(answers(*[BUSY] * 50))
    again = operation("order", options=options(attempts=1, statuses=(503,), pause=5.0))
    outcome = run_here(make_plan(server.url, again, hold=0.4))
    assert (len(server.requests), outcome.counts.get("retries", 0)) == (1, 0)


def test_a_python_users_request_is_tried_again_as_well(serve, make_plan, run_here, operation, tmp_path):
    (tmp_path / "buyers.py").write_text(
        "from campaign import User, task\n\n\nclass Buyer(User):\n    @task\n    async def buy(self):\n"
        "        answer = await self.send('order')\n"
        "        self.check(answer.status == 200, f'{answer.status}')\n"
    )
    buyer = UserSpec("buyer", 1, WaitSpec(0.02, 0.02), (), {}, python="buyers.Buyer", folder=str(tmp_path))
    server = serve(answers(BUSY))
    again = operation("order", options=options(statuses=(503,)))
    outcome = run_here(make_plan(server.url, again, kinds={"buyer": buyer}))
    [group] = outcome.errors
    assert (group.kind, group.count, outcome.counts["retries"]) == (ErrorKind.STATUS, 1, 1)
    assert len(server.requests) > 3
