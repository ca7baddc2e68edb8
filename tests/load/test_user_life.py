"""A user starts once, works by weight, keeps one connection and its session, and leaves when it is time."""

from __future__ import annotations

import asyncio
import time
from collections import Counter

import pytest

from campaign.load.tally import ErrorKind, Stage
from campaign.target.journey import TaskSpec, WaitSpec
from campaign.target.spec import BodySpec, ExpectSpec, FeedSpec, OptionsSpec, ServiceSpec, UserSpec

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


def paths(server) -> list[str]:
    return [request.split(b" ")[1].decode() for request in server.requests]


def test_start_operations_come_once_and_saved_values_are_the_users_own(serve, make_plan, run_here, operation):
    async def talk(talker):
        while True:
            request = await talker.request()
            token = b'{"token": "t%d"}' % talker.number if b"/login" in request else b"{}"
            talker.say(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(token), token))

    server = serve(talk)
    login = operation("login", "/login", save={"token": "$.token"})
    work = operation("work", "/work?t={{ token }}", auth="{{ token }}")
    outcome = run_here(make_plan(server.url, login, work, start=("login",), users=3, hold=1.0))
    assert outcome.errors == ()
    counts = Counter(paths(server))
    assert counts["/login"] == server.connections == 3
    assert {path for path in counts if path != "/login"} == {"/work?t=t1", "/work?t=t2", "/work?t=t3"}
    assert outcome.load_reached == pytest.approx(1.0, abs=0.1)


def test_a_user_that_cannot_start_tries_again_and_is_not_at_work_meanwhile(
    serve, make_plan, run_here, operation
):
    async def talk(talker):
        while True:
            request = await talker.request()
            failing = b"/second" in request and len(paths(talker.server)) < 4
            talker.say(b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n" if failing else OK)

    server = serve(talk)
    operations = operation("first", "/first"), operation("second", "/second"), operation("work", "/work")
    outcome = run_here(make_plan(server.url, *operations, start=("first", "second"), hold=2.0))
    assert paths(server)[:5] == ["/first", "/second", "/first", "/second", "/work"]
    assert outcome.load_reached == pytest.approx(0.5, abs=0.1)
    assert [(each.operation, each.count) for each in outcome.errors] == [("second", 1)]


def test_tasks_come_by_weight(serve, make_plan, run_here, operation):
    server = serve(OK)
    often, seldom = operation("often", "/often"), operation("seldom", "/seldom")
    user = UserSpec(
        "visitor", 1, WaitSpec(), (), {"often": TaskSpec.of("often", 80), "seldom": TaskSpec.of("seldom", 20)}
    )
    run_here(make_plan(server.url, often, seldom, kinds={"visitor": user}, users=5))
    counts = Counter(paths(server))
    assert counts["/often"] / counts.total() == pytest.approx(0.8, abs=0.1)


def test_users_think_between_two_tasks(serve, make_plan, run_here):
    server = serve(OK)
    outcome = run_here(make_plan(server.url, wait=0.1, hold=0.95))
    assert len(server.requests) == outcome.tallies["home", Stage.HOLD].count
    assert 7 <= len(server.requests) <= 10


def test_a_failed_task_does_not_stop_its_user(serve, make_plan, run_here):
    outcome = run_here(make_plan(serve(b"HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n").url, rounds=6))
    assert outcome.tallies["home", Stage.HOLD].failed == outcome.tallies["home", Stage.HOLD].count == 6
    assert outcome.load_reached == pytest.approx(1.0, abs=0.2)


def test_each_user_has_one_connection_to_each_origin(serve, make_plan, run_here, operation):
    here, there = serve(OK), serve(OK)
    services = {"other": ServiceSpec(url=there.url)}
    operations = operation("home", "/"), operation("away", "/", service="other")
    outcome = run_here(make_plan(here.url, *operations, services=services, users=4, hold=0.5))
    assert outcome.errors == ()
    assert (here.connections, there.connections, outcome.reconnects) == (4, 4, 0)


def test_cookies_are_kept_and_sent_back_by_the_user_that_got_them(serve, make_plan, run_here):
    async def talk(talker):
        while True:
            request = await talker.request()
            known = b"Cookie: id=" in request
            cookie = b"" if known else b"Set-Cookie: id=%d; Path=/\r\nSet-Cookie: b=2\r\n" % talker.number
            talker.say(b"HTTP/1.1 200 OK\r\n%bContent-Length: 0\r\n\r\n" % cookie)

    server = serve(talk)
    run_here(make_plan(server.url, users=2))
    sent = Counter(
        line for each in server.requests for line in each.split(b"\r\n") if line.startswith(b"Cookie")
    )
    assert set(sent) == {b"Cookie: id=1; b=2", b"Cookie: id=2; b=2"}
    assert sent.total() == len(server.requests) - 2


def test_an_exhausted_feed_ends_its_user_and_no_other(serve, make_plan, run_here, operation):
    server = serve(OK)
    feeds = {"account": FeedSpec("account", ("a", "b", "c", "d", "e"), "once")}
    use = operation("use", "/{{ account }}")
    outcome = run_here(make_plan(server.url, use, feeds=feeds, users=2, wait=0.02))
    assert sorted(paths(server)) == ["/a", "/b", "/c", "/d", "/e"]
    (error,) = outcome.errors
    assert (error.kind, error.count) == ("render", 2)
    assert "'account' has no item left" in error.detail
    assert outcome.load_reached < 0.7


def test_a_request_that_cannot_be_made_is_ours_and_no_sample(serve, make_plan, run_here, operation):
    server = serve(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
    login = operation("login", "/login", save={"token": "$.token"})
    outcome = run_here(make_plan(server.url, login, operation("work", "/{{ token }}"), wait=0.01))
    kinds = {(each.operation, each.kind) for each in outcome.errors}
    assert kinds == {("login", ErrorKind.EXPECTATION), ("work", ErrorKind.RENDER)}
    assert set(paths(server)) == {"/login"}


def test_a_connection_idle_for_too_long_is_replaced_before_it_is_used(serve, make_plan, run_here):
    server = serve(b"HTTP/1.1 200 OK\r\nKeep-Alive: timeout=1\r\nContent-Length: 0\r\n\r\n")
    outcome = run_here(make_plan(server.url))
    assert outcome.errors == ()
    assert server.connections == len(server.requests) == outcome.reconnects + 1


def close_when_asked_again(status: bytes):
    """Answers the first request of a connection, and closes it when a second comes: the keep-alive race."""

    async def talk(talker):
        await talker.request()
        talker.say(b"HTTP/1.1 %b\r\nContent-Length: 0\r\n\r\n" % status)
        await talker.reader.readuntil(b"\r\n\r\n")

    return talk


def test_an_idle_connection_that_turns_out_closed_is_replaced_without_an_error(serve, make_plan, run_here):
    server = serve(close_when_asked_again(b"200 OK"))
    outcome = run_here(make_plan(server.url, wait=0.55, hold=2.0))
    tally = outcome.tallies["home", Stage.HOLD]
    assert (outcome.errors, tally.count >= 3) == ((), True)
    assert outcome.reconnects >= tally.count - 1


def test_a_connection_closed_in_the_middle_of_work_is_a_failure(serve, make_plan, run_here):
    server = serve(close_when_asked_again(b"200 OK"))
    outcome = run_here(make_plan(server.url, wait=0.02))
    assert {each.kind for each in outcome.errors} == {"reset"}


def test_what_must_not_be_sent_twice_is_not(serve, make_plan, run_here, operation):
    server = serve(close_when_asked_again(b"201 Created"))
    make = operation("make", method="POST", body=BodySpec(raw="x"))
    outcome = run_here(make_plan(server.url, make))
    [group] = outcome.errors
    assert (group.kind, group.detail) == (ErrorKind.RESET, "connection closed before the answer")
    assert 0 < group.count < outcome.tallies["make", Stage.HOLD].count


def test_redirects_are_followed_as_browsers_do(serve, make_plan, run_here, operation):
    async def talk(talker):
        while True:
            request = await talker.request()
            if request.startswith(b"POST /form "):
                talker.say(b"HTTP/1.1 303 See\r\nLocation: done?x=1\r\n")
                talker.say(b"Set-Cookie: s=1; Path=/\r\nContent-Length: 0\r\n\r\n")
            else:
                talker.say(OK)

    server = serve(talk)
    form = operation("form", "/form", method="POST", body=BodySpec(raw="secret"))
    outcome = run_here(make_plan(server.url, form, wait=9.0))
    assert outcome.errors == ()
    assert outcome.tallies["form", Stage.HOLD].count == 1
    assert server.requests[1].startswith(b"GET /done?x=1 HTTP/1.1\r\n")
    assert b"Cookie: s=1\r\n" in server.requests[1]
    assert b"secret" not in server.requests[1]


def test_a_redirect_elsewhere_takes_no_credentials_along(serve, make_plan, run_here, operation):
    there = serve(OK)
    # Cookies do not tell ports apart (RFC 6265 section 8.5), so the other origin gets another name.
    elsewhere = there.url.replace("127.0.0.1", "localhost")
    home = operation("home", auth="secret-token", headers={"X-Trace": "yes"})
    here = serve(
        b"HTTP/1.1 307 Go\r\nLocation: %b/x\r\nSet-Cookie: s=1; Path=/\r\nContent-Length: 0\r\n\r\n"
        % elsewhere.encode()
    )
    outcome = run_here(make_plan(here.url, home))
    assert outcome.errors == ()
    assert b"secret-token" in here.requests[-1]
    assert there.requests
    for request in there.requests:
        assert b"X-Trace: yes" in request
        assert b"secret-token" not in request
        assert b"Cookie" not in request


def test_a_redirect_that_is_expected_is_the_answer(serve, make_plan, run_here, operation):
    server = serve(b"HTTP/1.1 302 Found\r\nLocation: /next\r\nContent-Length: 0\r\n\r\n")
    outcome = run_here(make_plan(server.url, operation("home", expect=ExpectSpec(status=(302,)))))
    assert outcome.errors == ()
    assert set(paths(server)) == {"/"}


def test_the_guard_checks_every_address_and_no_traffic_goes_to_others(make_plan, run_here):
    outcome = run_here(make_plan("http://203.0.113.7:9", wait=0.0))
    [group] = outcome.errors
    assert group.kind is ErrorKind.REFUSED
    assert "203.0.113.7" in group.detail


def test_the_guard_checks_every_redirect(serve, make_plan, run_here):
    server = serve(b"HTTP/1.1 302 Go\r\nLocation: http://169.254.169.254/meta\r\nContent-Length: 0\r\n\r\n")
    outcome = run_here(make_plan(server.url))
    [group] = outcome.errors
    assert group.kind is ErrorKind.REFUSED
    assert "cloud metadata" in group.detail


def test_stages_go_by_the_due_moment_and_what_is_under_way_at_the_end_is_waited_for(
    serve, make_plan, run_here
):
    async def slow(talker):
        while True:
            await talker.request()
            await asyncio.sleep(0.5)
            talker.say(OK)

    server = serve(slow)
    outcome = run_here(make_plan(server.url, users=4, ramp=20.0, hold=0.2, ramp_down=0.6, wait=0.0))
    # Users come at 0, 50, 100 and 150 ms; the hold lasts from 200 to 400 ms; they leave at 850, 700, 550 and
    # 400 ms.
    assert outcome.tallies["home", Stage.RAMP].count == 4
    assert ("home", Stage.HOLD) not in outcome.tallies
    assert outcome.tallies["home", Stage.DOWN].count == 2
    assert outcome.errors == ()
    assert outcome.load_reached == pytest.approx(1.0, abs=0.02)


def test_a_stall_shows_in_the_response_times_and_as_the_longest_stall(serve, make_plan, run_here, operation):
    async def stalling(talker):
        while True:
            await talker.request()
            if 0.5 < time.monotonic() - began < 1.5:
                await asyncio.sleep(began + 1.5 - time.monotonic())
            talker.say(OK)

    server = serve(stalling)
    home = operation("home", options=OptionsSpec(timeout=5.0))
    began = time.monotonic()
    outcome = run_here(make_plan(server.url, home, users=5, hold=2.0))
    tally = outcome.tallies["home", Stage.HOLD]
    assert outcome.longest_stall == pytest.approx(1.0, abs=0.1)
    assert tally.response.count_above(900_000) == 5
    assert tally.response.maximum / 1e6 == pytest.approx(1.0, abs=0.1)


def test_a_run_that_is_stopped_early_keeps_what_it_has_and_blames_nobody(
    serve, make_plan, run_here, operation
):
    async def talk(talker):
        for _ in range(5):
            await talker.request()
            talker.say(OK)
        await talker.request()
        await asyncio.sleep(30)

    home = operation("home", options=OptionsSpec(timeout=20.0))
    began = time.monotonic()
    outcome = run_here(make_plan(serve(talk).url, home, users=3, hold=60.0), stop_after=0.5)
    assert time.monotonic() - began < 2.0
    assert outcome.errors == ()
    assert outcome.tallies["home", Stage.HOLD].count == 15
    assert outcome.hold_seconds == pytest.approx(0.5, abs=0.1)
    assert outcome.longest_stall == pytest.approx(0.4, abs=0.15)


def test_users_that_rest_do_not_delay_a_stop(serve, make_plan, run_here):
    began = time.monotonic()
    outcome = run_here(make_plan(serve(OK).url, users=20, ramp=1.0, hold=60.0, wait=30.0), stop_after=0.3)
    assert time.monotonic() - began < 1.0
    assert outcome.tallies["home", Stage.RAMP].count == 1
    assert (outcome.load_reached, outcome.longest_stall, outcome.hold_seconds) == (None, None, 0.0)
