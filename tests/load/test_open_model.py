"""The open model against a real server: arrivals come when they are due, whatever the answers take."""

from __future__ import annotations

import asyncio
from collections import Counter
from itertools import islice

import pytest
import uvloop

from campaign.clock import SECOND, RealClock
from campaign.load.arrivals import WAITED
from campaign.load.engine import run_shard
from campaign.load.merge import Merge
from campaign.load.messages import Shard
from campaign.load.mix import assign_pool, lots_of_arrivals, shares
from campaign.load.pacer import BEGUN
from campaign.load.profile import Segment
from campaign.load.shard import prepare
from campaign.load.spec import Model, ScenarioSpec
from campaign.load.tally import Stage
from campaign.target.journey import Do, Pause, TaskSpec, WaitSpec
from campaign.target.spec import OptionsSpec, SocketSpec, UserSpec
from phases.load.counts import short_of_users

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


def arrivals(*segments, judged=None, most=50, **changes):
    lines = tuple(Segment(*each) for each in segments)
    window = judged or (0.0, sum(each.seconds for each in lines))
    return ScenarioSpec("open", lines, window, Model.OPEN, most=most, **changes)


def count(outcome, stage=Stage.HOLD):
    return sum(tally.count for (_, at), tally in outcome.tallies.items() if at is stage)


def test_a_constant_rate_is_sent_and_reached(serve, make_plan, run_here):
    server = serve(OK)
    outcome = run_here(make_plan(server.url, scenario=arrivals((200, 0), (200, 1.5))))
    assert count(outcome) == len(server.requests) == 300
    assert outcome.load_reached == 1.0
    assert outcome.errors == ()


def test_a_ramping_and_stepped_rate_sends_its_area_and_judges_its_part(serve, make_plan, run_here):
    scenario = arrivals((100, 1), (100, 0.5), (200, 0), (200, 0.5), (0, 0.2), judged=(1.0, 2.0))
    outcome = run_here(make_plan(serve(OK).url, scenario=scenario))
    assert [count(outcome, stage) for stage in Stage] == [50, 150, 20]
    assert outcome.load_reached == 1.0


def test_random_arrivals_are_those_of_the_seed(serve, make_plan, run_here):
    server = serve(OK)
    scenario = arrivals((100, 0), (100, 1), poisson=True)
    sent = [count(run_here(make_plan(server.url, scenario=scenario, seed=3))) for _ in range(2)]
    assert sent[0] == sent[1] == pytest.approx(100, abs=40)


def test_random_arrivals_that_were_all_begun_reach_the_load_whatever_their_number(serve, make_plan, run_here):
    outcome = run_here(make_plan(serve(OK).url, scenario=arrivals((50, 0), (50, 1), poisson=True)))
    assert outcome.load_reached == 1.0


def test_slow_answers_do_not_slow_the_arrivals_the_pool_grows_instead(serve, make_plan, run_here):
    async def talk(talker):
        while True:
            await talker.request()
            await asyncio.sleep(0.4)
            talker.say(OK)

    server = serve(talk)
    outcome = run_here(make_plan(server.url, scenario=arrivals((50, 0), (50, 1), most=100)))
    assert count(outcome) == 50
    assert 20 <= server.connections <= 50
    assert outcome.load_reached == 1.0


@pytest.mark.alone
def test_arrivals_wait_for_a_user_when_all_are_busy_and_their_time_counts_from_due(
    serve, make_plan, run_here
):
    async def talk(talker):
        while True:
            await talker.request()
            await asyncio.sleep(0.1)
            talker.say(OK)

    outcome = run_here(make_plan(serve(talk).url, scenario=arrivals((20, 0), (20, 1), most=1)))
    tally = outcome.tallies["home", Stage.HOLD]
    # One user serves 10/s, so the last of 20 arrivals waits for about a second more than its own 0.1 s.
    assert tally.count == 20
    assert tally.response.maximum / 1e6 == pytest.approx(1.05, abs=0.25)
    assert tally.service.maximum / 1e6 < 0.5
    assert outcome.generator.schedule_lag_p99 < 0.5
    assert outcome.load_reached == 1.0


def test_arrivals_that_nobody_began_are_load_not_reached(serve, make_plan, run_here, operation):
    async def talk(talker):
        await talker.request()
        await asyncio.sleep(60)

    plan = make_plan(
        serve(talk).url,
        operation("home", options=OptionsSpec(timeout=30.0)),
        scenario=arrivals((20, 0), (20, 1), most=5, graceful_stop=0.3),
    )
    outcome = run_here(plan)
    assert outcome.load_reached == pytest.approx(5 / 20)
    assert outcome.counts["cut"] == 5
    assert sum(tally.failed for tally in outcome.tallies.values()) == 0  # what we cut is not known to fail
    assert sum(tally.unfinished for tally in outcome.tallies.values()) == 5
    assert outcome.longest_stall >= 1.0  # but that nothing was answered is seen


def test_a_hanging_answer_is_a_time_out_within_the_grace(serve, make_plan, run_here, operation):
    async def talk(talker):
        await talker.request()
        await asyncio.sleep(60)

    home = operation("home", options=OptionsSpec(timeout=0.3))
    outcome = run_here(make_plan(serve(talk).url, home, scenario=arrivals((20, 0), (20, 0.5), most=50)))
    assert [(each.kind, each.count) for each in outcome.errors] == [("timeout", 10)]
    assert "cut" not in outcome.counts


def test_sockets_and_rests_end_in_good_order_before_the_cut(
    serve, make_plan, run_here, operation, socket_echo
):
    stay = SocketSpec(send="a", stay=60.0)
    chat = operation("chat", options=OptionsSpec(timeout=1.0, socket=stay))
    tasks = {
        "chat": TaskSpec(1.0, (Do("chat"),)),
        "rest": TaskSpec(1.0, (Pause(WaitSpec(60.0, 60.0)), Do("chat"))),
    }
    kinds = {"visitor": UserSpec("visitor", 1, WaitSpec(), (), tasks)}
    server = serve(socket_echo)
    scenario = arrivals((20, 0), (20, 0.5), graceful_stop=2)
    outcome = run_here(make_plan(server.url, chat, kinds=kinds, scenario=scenario))
    assert "cut" not in outcome.counts
    assert outcome.errors == ()
    assert 0 < count(outcome) == len(server.requests) < 10  # who rested begins nothing new
    assert outcome.load_reached == 1.0


def test_arrivals_of_the_time_before_the_end_may_still_be_begun_in_half_of_the_grace(
    serve, make_plan, run_here
):
    async def talk(talker):
        while True:
            await talker.request()
            await asyncio.sleep(0.2)
            talker.say(OK)

    scenario = arrivals((40, 0), (40, 0.5), most=1, graceful_stop=2.6)
    outcome = run_here(make_plan(serve(talk).url, scenario=scenario))
    assert count(outcome) == pytest.approx(9, abs=2)  # of 20, five per second
    assert outcome.counts[BEGUN] == count(outcome)
    assert "cut" not in outcome.counts


def test_ready_users_have_started_before_the_first_arrival(serve, make_plan, run_here, operation):
    server = serve(OK)
    login, work = operation("login", "/login"), operation("work", "/work")
    scenario = arrivals((0, 0.5), (50, 0), (50, 0.5), judged=(0.5, 1.0), ready=10)
    outcome = run_here(make_plan(server.url, login, work, start=("login",), scenario=scenario))
    paths = [request.split(b" ")[1] for request in server.requests]
    assert paths == [b"/login"] * 10 + [b"/work"] * 25
    assert server.connections == 10
    assert outcome.tallies["login", Stage.RAMP].count == 10


def test_idle_users_serve_in_turn_so_that_connections_stay_warm(serve, make_plan, run_here, operation):
    server = serve(OK)
    work = operation("work", "/{{ user.number }}")
    login = operation("login", "/login")
    scenario = arrivals((0, 0.3), (40, 0), (40, 0.5), judged=(0.3, 0.8), ready=4)
    run_here(make_plan(server.url, login, work, start=("login",), scenario=scenario))
    served = [request.split(b" ")[1] for request in server.requests if b"/login" not in request]
    assert len({*served[:4]}) == 4
    assert served[:4] == served[4:8] == served[8:12]


def test_a_new_user_starts_first_and_a_failed_start_is_what_the_arrival_came_to(
    serve, make_plan, run_here, operation
):
    async def talk(talker):
        while True:
            request = await talker.request()
            failing = b"/login" in request and len(talker.server.requests) <= 3
            talker.say(b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n" if failing else OK)

    server = serve(talk)
    login, work = operation("login", "/login"), operation("work", "/work")
    scenario = arrivals((10, 0), (10, 1))
    outcome = run_here(make_plan(server.url, login, work, start=("login",), scenario=scenario))
    assert [(each.operation, each.count) for each in outcome.errors] == [("login", 3)]
    assert outcome.tallies["login", Stage.HOLD].count == 4
    assert outcome.tallies["work", Stage.HOLD].count == 7
    assert outcome.load_reached == 1.0


def test_with_one_iteration_every_arrival_is_somebody_new(serve, make_plan, run_here):
    server = serve(OK)
    outcome = run_here(make_plan(server.url, scenario=arrivals((20, 0), (20, 0.5), most=3, iterations=1)))
    assert count(outcome) == server.connections == 10


@pytest.mark.parametrize(("most", "workers"), [(50, 1), (4, 1), (1, 1), (4, 2)])
def test_the_mix_of_arrivals_is_that_of_the_kinds_however_few_users_serve_them(
    serve, make_plan, operation, most, workers
):
    server = serve(OK)
    operations = [operation(name, f"/{name}") for name in ("often", "seldom")]
    kinds = {
        name: UserSpec(name, weight, WaitSpec(), (), {name: TaskSpec(1.0, (Do(name),))})
        for name, weight in (("often", 90), ("seldom", 10))
    }
    scenario = arrivals((200, 0), (200, 0.5), most=most)
    outcome = uvloop.run(
        run_split(make_plan(server.url, *operations, kinds=kinds, scenario=scenario, workers=workers))
    )
    served = Counter(request.split(b" ")[1] for request in server.requests)
    assert served == {b"/often": pytest.approx(90, abs=1), b"/seldom": pytest.approx(10, abs=1)}
    assert outcome.load_reached == 1.0


@pytest.mark.parametrize(("most", "waits"), [(1, True), (50, False)])
def test_arrivals_that_find_every_user_busy_are_counted(serve, make_plan, run_here, most, waits):
    async def slowly(talker):
        while await talker.request():
            await asyncio.sleep(0.1)
            talker.say(OK)

    outcome = run_here(make_plan(serve(slowly).url, scenario=arrivals((50, 0), (50, 0.5), most=most)))
    assert (outcome.counts.get(WAITED, 0) > 0) is waits
    assert outcome.counts.get(WAITED, 0) < 25


def test_a_pool_that_must_be_larger_than_asked_for_is_said(make_plan):
    kinds = {name: UserSpec(name, 1, WaitSpec(), (), {}) for name in ("often", "seldom")}
    small, enough = (arrivals((1, 0), (1, 1), most=most) for most in (3, 4))
    url = "http://127.0.0.1:9"
    assert "up to 4 users instead of 3" in short_of_users(
        make_plan(url, kinds=kinds, scenario=small, workers=2)
    )
    assert not short_of_users(make_plan(url, kinds=kinds, scenario=enough, workers=2))


def test_regions_of_arrivals_are_mixed_by_weight_too():
    user = UserSpec("a", 1, WaitSpec(), (), {}, regions={"eu": 70, "us": 30, "no": 0})
    lots = shares({"a": 60, "b": 40, "c": 0}, {"a": user, "b": UserSpec("b", 1, WaitSpec(), (), {})}
                  | {"c": user}, regions=True)  # fmt: skip
    assert lots == pytest.approx({("a", "eu"): 42, ("a", "us"): 18, ("b", ""): 40})
    drawn = [list(islice(lots_of_arrivals(lots, first=first, step=3), 100)) for first in range(3)]
    whole = list(islice(lots_of_arrivals(lots, first=0, step=1), 300))
    assert [lot for each in zip(*drawn, strict=True) for lot in each] == whole
    assert Counter(whole) == {lot: pytest.approx(3 * share, abs=2) for lot, share in lots.items()}
    assert set(assign_pool(lots, 1)) == set(assign_pool(lots, 3)) == set(lots)
    assert Counter(assign_pool(lots, 100)) == {("a", "eu"): 42, ("a", "us"): 18, ("b", ""): 40}


async def run_split(plan):
    """Runs all workers of a plan in this process."""
    clock = RealClock()
    start_ns = clock.now_ns() + SECOND // 20
    merge = Merge(plan, start_ns, on_second=lambda second: None)

    async def work(index):
        control = Reporter(merge, index)
        prepared = prepare(Shard(plan, index))
        finished = await run_shard(prepared, start_ns, control=control, clock=clock)
        merge.add(index, finished.last, last=True)

    await asyncio.gather(*(work(index) for index in range(plan.workers)))
    return merge.outcome()


def test_two_workers_send_exactly_the_union_of_the_arrivals(serve, make_plan):
    server = serve(OK)
    scenario = arrivals((150, 0), (150, 1), poisson=True)
    whole = uvloop.run(run_split(make_plan(server.url, scenario=scenario, workers=1)))
    split = uvloop.run(run_split(make_plan(server.url, scenario=scenario, workers=2)))
    assert count(split) == count(whole) == len(server.requests) / 2
    assert split.counts["arrivals.asked"] == whole.counts["arrivals.asked"]
    assert split.load_reached == whole.load_reached == 1.0


class Reporter:
    """A control that merges what one worker reports and never stops it."""

    def __init__(self, merge, index):
        self._merge = merge
        self._index = index

    def report(self, interval):
        self._merge.add(self._index, interval)

    async def stopped(self):
        await asyncio.sleep(3600)


def test_a_defect_of_our_own_reporting_is_not_silent(serve, make_plan):
    class Broken(Reporter):
        def report(self, interval):
            raise RuntimeError("no pipe")

    async def run(plan):
        clock = RealClock()
        await run_shard(prepare(Shard(plan, 0)), clock.now_ns(), control=Broken(None, 0), clock=clock)

    with pytest.raises(RuntimeError, match="no pipe"):
        uvloop.run(run(make_plan(serve(OK).url, scenario=arrivals((10, 0), (10, 1.5)))))


def test_an_early_stop_ends_the_arrivals_and_judges_what_was_asked_until_then(serve, make_plan, run_here):
    server = serve(OK)
    scenario = arrivals((100, 0), (100, 30))
    outcome = run_here(make_plan(server.url, scenario=scenario), stop_after=1.0)
    assert len(server.requests) == pytest.approx(100, abs=25)
    assert outcome.load_reached == pytest.approx(1.0, abs=0.03)
    assert outcome.hold_seconds == pytest.approx(1.0, abs=0.2)


def test_arrivals_are_sent_on_time(serve, make_plan, run_here):
    scenario = arrivals((500, 0), (500, 1.5))
    outcome = run_here(make_plan(serve(OK).url, scenario=scenario))
    assert (
        outcome.generator.schedule_lag_p99 < 0.05
    )  # a busy test machine; the benchmark holds 2 ms at 2,000/s
