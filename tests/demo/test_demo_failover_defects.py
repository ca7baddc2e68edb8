"""Each failover defect does what its row says when something breaks, and the healthy service does not."""

import contextlib
import json
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from servers import Postgres, Redis, wait_until
from supervised import SMALL, Family, supervised

FAST_S = 1.9
"""A request is refused sooner than this, or it hangs."""


def healthy_and(defect):
    return pytest.mark.parametrize(("options", "broken"), [((), False), ((f"--defect={defect}",), True)])


@pytest.fixture(scope="module")
def postgres():
    """A server of this module's own, which its tests break."""
    server = Postgres()
    yield server
    server.end()


@pytest.fixture
def on_postgres(start, postgres, fresh_name):
    """Starts a small service on an empty database of that server."""
    url = postgres.database(fresh_name).replace("postgresql:", "postgresql+psycopg:")
    return lambda *options: start(*SMALL, f"--database-url={url}", *options)


def timed(ask):
    """The status (0: none came) and the seconds that it took."""
    began = time.monotonic()
    try:
        status = ask().status_code
    except httpx.HTTPError:
        status = 0
    return status, time.monotonic() - began


def refused_fast(ask):
    """Whether it was answered in time that it cannot be done now, and when to come back."""
    began = time.monotonic()
    try:
        answer = ask()
    except httpx.HTTPError:
        return False
    refused = answer.status_code == 503 and int(answer.headers["Retry-After"]) >= 1
    return refused and time.monotonic() - began < FAST_S


def recovers(ask, *, seconds=5):
    """Whether it is answered well within so many seconds."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if timed(ask)[0] == 200:
            return True
        time.sleep(0.1)
    return False


@pytest.mark.postgres
@healthy_and("no-reconnect")
def test_the_service_is_back_when_the_database_is(on_postgres, postgres, options, broken):
    with on_postgres(*options) as demo:
        family = Family(demo.url)
        postgres.stop()
        try:
            assert [refused_fast(family.me) for _ in range(5)] == [True] * 5
        finally:
            postgres.start()
        assert recovers(family.me) != broken
        assert (family.http.get("/health").status_code == 503) == broken


@healthy_and("no-reconnect")
def test_stories_are_back_when_the_companion_is(options, broken):
    with supervised(*options) as demo:
        family = Family(demo.url)
        assert family.story().status_code == 200
        demo.signal("companion", signal.SIGKILL)
        assert [refused_fast(family.story) for _ in range(5)] == [True] * 5
        assert family.me().status_code == family.say().status_code == 200
        demo.start_companion()
        assert recovers(family.story) != broken


@pytest.mark.postgres
@healthy_and("hang-on-outage")
def test_no_request_hangs_while_the_database_is_frozen(on_postgres, postgres, options, broken):
    with on_postgres(*options) as demo:
        family = Family(demo.url, timeout=3)
        assert family.say().status_code == 200
        with postgres.frozen(), ThreadPoolExecutor(12) as crowd:
            asked = [crowd.submit(refused_fast, ask) for ask in (family.me, family.say) * 6]
            assert {each.result() for each in asked} == {not broken}
        assert recovers(family.me)


@healthy_and("hang-on-outage")
def test_no_story_hangs_while_the_companion_is_frozen(options, broken):
    with supervised(*options) as demo:
        family = Family(demo.url, timeout=3)
        assert family.story().status_code == 200
        with demo.frozen("companion"), ThreadPoolExecutor(8) as crowd:
            asked = [crowd.submit(refused_fast, family.story) for _ in range(8)]
            assert timed(family.me)[1] < 0.5
            assert {each.result() for each in asked} == {not broken}
        assert recovers(family.story)


@pytest.mark.redis
@healthy_and("hang-on-outage")
def test_a_frozen_redis_costs_speed_only(start, options, broken):
    redis = Redis()
    try:
        with start(*SMALL, f"--redis-url={redis.url}", *options) as demo:
            family = Family(demo.url, timeout=3)
            with redis.frozen():
                answers = [timed(family.me) for _ in range(3)]
            assert all(status == 200 and seconds < FAST_S for status, seconds in answers) != broken
            assert recovers(family.me)
    finally:
        redis.end()


@healthy_and("ack-before-commit")
def test_what_was_answered_is_still_there_after_a_kill(options, broken):
    with supervised(*options) as demo:
        family = Family(demo.url)
        before = family.lines()
        assert {family.say().status_code for _ in range(20)} == {200}
        old = demo.pid("service")
        demo.signal("service", signal.SIGKILL)
        demo.renewed(old)
        assert (family.lines() < before + 40) == broken


@healthy_and("drops-in-flight")
def test_a_request_under_way_is_answered_before_the_service_ends(options, broken):
    with supervised(*options) as demo:
        family = Family(demo.url)
        old = demo.pid("service")
        heard, ended = "", True
        with (
            contextlib.suppress(httpx.HTTPError),
            family.http.stream("POST", "/api/conversation/stream", json=family.said) as answer,
        ):
            ended = False
            for piece in answer.iter_text():
                if not heard:
                    demo.signal("service", signal.SIGTERM)
                heard += piece
            ended = "event: turn" in heard
        assert (not ended) == broken
        demo.renewed(old)


@healthy_and("session-loss")
def test_who_was_signed_in_still_is_after_a_restart(options, broken):
    with supervised(*options) as demo:
        family = Family(demo.url)
        old = demo.pid("service")
        demo.signal("service", signal.SIGTERM)
        demo.renewed(old)
        assert family.me().status_code == (401 if broken else 200)


def slowest_story_after_a_freeze(demo, *, seconds):
    """The longest that a story took that was asked for later than a second after the companion was back."""
    family, answers, threads = Family(demo.url), [], []
    assert family.story().status_code == 200

    def ask(due):
        answers.append((due, *timed(family.story)))

    began = time.monotonic()
    with contextlib.ExitStack() as broken:
        broken.enter_context(demo.frozen("companion"))
        for n in range(int((seconds + 5) * 10)):
            time.sleep(max(0, began + n / 10 - time.monotonic()))
            if n / 10 >= seconds:
                broken.close()
            threads.append(threading.Thread(target=ask, args=(n / 10,)))
            threads[-1].start()
    for each in threads:
        each.join()
    assert {status for _, status, _ in answers} == {200, 503}
    return max(took for due, _, took in answers if due > seconds + 1)


@healthy_and("retry-storm")
@pytest.mark.slow
def test_a_companion_that_is_back_works_off_no_stale_questions(options, broken):
    with supervised(*options) as demo:
        assert (slowest_story_after_a_freeze(demo, seconds=4) > 0.6) == broken


@healthy_and("slow-start")
def test_a_killed_service_is_back_within_seconds(options, broken):
    with supervised("--lease-s=8", *options) as demo:
        began = time.monotonic()
        demo.signal("service", signal.SIGKILL)
        wait_until(lambda: not demo.answers())
        wait_until(demo.answers)
        assert (time.monotonic() - began > 6) == broken


@healthy_and("duplicate-on-retry")
def test_a_request_that_is_sent_again_is_stored_once(start, options, broken):
    with start(*SMALL, *options) as demo:
        family = Family(demo.url)
        before = family.lines()
        first, second, other = (family.say(key=key) for key in ("one", "one", "other"))
        assert (first.json() == second.json()) != broken
        assert first.json()["id"] != other.json()["id"]
        assert family.lines() == before + (6 if broken else 4)


@pytest.mark.postgres
def test_the_same_request_at_the_same_moment_is_one_turn(on_postgres):
    with on_postgres() as demo, ThreadPoolExecutor(8) as crowd:
        family = Family(demo.url)
        before = family.lines()
        said = list(crowd.map(lambda n: family.say(key=f"key {n % 5}"), range(40)))
        assert {each.status_code for each in said} == {200}
        assert len({json.dumps(each.json()) for each in said}) == 5
        assert family.lines() == before + 10


def test_anothers_key_is_not_ones_own(start):
    with start(*SMALL) as demo:
        first, second = Family(demo.url, 1), Family(demo.url, 2)
        assert first.say(key="one").json()["session_id"] != second.say(key="one").json()["session_id"]
        assert first.say(key="x" * 101).status_code == 422
