"""The closed model against a real server: ramps, steps, spikes and bursts, think time, pace, and the end."""

from __future__ import annotations

import asyncio
import gc
import statistics
import time
import weakref
from collections import Counter

import pytest

from campaign.clock import SECOND
from campaign.load import crowd, engine
from campaign.load.luck import Luck
from campaign.load.profile import Segment
from campaign.load.rhythm import pausing, rhythm
from campaign.load.spec import ScenarioSpec
from campaign.load.tally import Stage
from campaign.load.user import User
from campaign.target.journey import Do, TaskSpec, WaitShape, WaitSpec
from campaign.target.spec import OptionsSpec, UserSpec

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


def users(*segments, judged=None, **changes):
    lines = tuple(Segment(*each) for each in segments)
    return ScenarioSpec("x", lines, judged or (0.0, sum(each.seconds for each in lines)), **changes)


@pytest.fixture
def presence(serve):
    """A server that knows who was there when: /number of the user, and the second since the first request."""

    class Presence:
        def __init__(self):
            self.seen = []
            self.server = serve(self.talk)

        async def talk(self, talker):
            while True:
                request = await talker.request()
                self.seen.append((time.monotonic(), request.split(b" ")[1]))
                talker.say(OK)

        def between(self, begins, ends):
            first = self.seen[0][0]
            return {user for at, user in self.seen if begins <= at - first < ends}

    return Presence()


@pytest.mark.parametrize(("scenario", "counts"), [
    (users((6, 0), (6, 0.8)), {(0.1, 0.7): 6}),
    (users((8, 0.8), (8, 0.6), (0, 0.4), judged=(0.8, 1.4)), {(0, 0.3): 4, (0.9, 1.3): 8}),
    (users((2, 0), (2, 0.5), (4, 0), (4, 0.5), (8, 0), (8, 0.5)),
     {(0.1, 0.4): 2, (0.6, 0.9): 4, (1.1, 1.4): 8}),
    (users((2, 0), (2, 0.5), (9, 0), (9, 0.5), (2, 0), (2, 0.6)),
     {(0.1, 0.4): 2, (0.6, 0.9): 9, (1.2, 1.5): 2}),
    (users(*[(5, 0), (5, 0.4), (0, 0), (0, 0.6)] * 2),
     {(0.1, 0.3): 5, (0.55, 0.75): 0, (1.1, 1.3): 5, (1.55, 1.75): 0}),
], ids=["fixed", "ramp", "steps", "spike", "bursts"])  # fmt: skip
def test_users_are_there_when_the_form_says(  # noqa: PLR0917 - fixtures and a case
    presence, make_plan, run_here, operation, scenario, counts
):
    home = operation("home", "/{{ user.number }}")
    outcome = run_here(make_plan(presence.server.url, home, wait=0.02, scenario=scenario))
    assert outcome.errors == ()
    found = {window: len(presence.between(*window)) for window in counts}
    # On a ramp, one user more or less: the first request is not exactly the beginning.
    assert all(abs(found[window] - count) <= (window == (0, 0.3)) for window, count in counts.items()), found
    assert outcome.load_reached == pytest.approx(1.0, abs=0.1)


def test_users_of_a_later_burst_are_new_people(serve, make_plan, run_here, operation):
    server = serve(OK)
    scenario = users(*[(3, 0), (3, 0.2), (0, 0), (0, 0.2)] * 2)
    login = operation("login", "/{{ fake.email }}")
    run_here(make_plan(server.url, login, operation("home"), start=("login",), scenario=scenario))
    people = [request.split(b" ")[1] for request in server.requests if b"example" in request.split(b" ")[1]]
    assert len(people) == len(set(people)) == 6
    assert server.connections == 6


def test_a_user_costs_nothing_before_it_comes_and_after_it_left(serve, make_plan, run_here, monkeypatch):
    monkeypatch.setattr(crowd, "LEAD", SECOND // 20)
    alive, most, made = weakref.WeakSet(), [], []

    class Traced(User):
        __slots__ = ("__weakref__",)

        def __init__(self, *given, **named):
            super().__init__(*given, **named)
            alive.add(self)
            made.append(time.monotonic())
            most.append(len(alive))

    monkeypatch.setattr(engine, "User", Traced)
    scenario = users(*[(3, 0), (3, 0.2), (0, 0), (0, 0.3)] * 3)
    outcome = run_here(make_plan(serve(OK).url, scenario=scenario))
    gc.collect()
    assert (len(made), max(most), len(alive)) == (9, 3, 0)
    assert made[-1] - made[0] > 0.8
    assert outcome.load_reached == pytest.approx(1.0, abs=0.1)


def drawn(wait, count=4000):
    luck, pause = Luck("seed", 1), pausing(wait)
    return [pause(luck) / SECOND for _ in range(count)]


def test_think_time_has_its_shape():
    assert set(drawn(WaitSpec(2, 2))) == {2.0}
    uniform = drawn(WaitSpec(1, 3))
    assert (min(uniform), max(uniform)) == (pytest.approx(1, abs=0.01), pytest.approx(3, abs=0.01))
    assert statistics.mean(uniform) == pytest.approx(2, abs=0.05)
    normal = drawn(WaitSpec(shape=WaitShape.NORMAL, mean=5, deviation=1))
    assert statistics.mean(normal) == pytest.approx(5, abs=0.1)
    assert statistics.stdev(normal) == pytest.approx(1, abs=0.1)
    exponential = drawn(WaitSpec(shape=WaitShape.EXPONENTIAL, mean=2))
    assert statistics.mean(exponential) == pytest.approx(2, abs=0.15)
    assert sum(each > 6 for each in exponential) / 4000 == pytest.approx(0.0498, abs=0.015)


def test_a_normal_think_time_is_never_below_nothing():
    cut = drawn(WaitSpec(shape=WaitShape.NORMAL, mean=0.1, deviation=1))
    assert min(cut) == 0.0
    assert set(drawn(WaitSpec(shape=WaitShape.NORMAL, mean=1, deviation=0))) == {1.0}


def test_think_time_begins_when_the_task_is_done_and_a_pace_when_it_was_due():
    thinking, paced = rhythm(WaitSpec(1, 1)), rhythm(WaitSpec(shape=WaitShape.PACE, mean=1))
    luck = Luck("seed", 1)
    assert thinking(luck, 5 * SECOND, 7 * SECOND) == 8 * SECOND
    assert paced(luck, 5 * SECOND, 7 * SECOND) == 6 * SECOND


@pytest.mark.parametrize(("wait", "requests"), [
    (WaitSpec(0.1, 0.1), (8, 12)),
    (WaitSpec(0.05, 0.15), (7, 14)),
    (WaitSpec(shape=WaitShape.NORMAL, mean=0.1, deviation=0.02), (8, 13)),
    (WaitSpec(shape=WaitShape.EXPONENTIAL, mean=0.1), (4, 22)),
    (WaitSpec(shape=WaitShape.PACE, mean=0.1), (10, 10)),
], ids=["constant", "uniform", "normal", "exponential", "pace"])  # fmt: skip
def test_users_think_in_every_shape(serve, make_plan, run_here, wait, requests):
    server = serve(OK)
    kinds = {"visitor": UserSpec("visitor", 1, wait, (), {"home": TaskSpec(1.0, (Do("home"),))})}
    run_here(make_plan(server.url, kinds=kinds, scenario=users((4, 0), (4, 1.0))))
    assert 4 * requests[0] <= len(server.requests) <= 4 * requests[1]


BUSY = b"HTTP/1.1 500 Busy\r\nContent-Length: 0\r\n\r\n"


@pytest.mark.parametrize(("stall", "answer", "late", "near"), [
    (0.55, OK, [0.15, 0.25, 0.35, 0.45, 0.55], 0.08),
    (0.55, BUSY, [0.15, 0.25, 0.35, 0.45, 0.55], 0.08),
    (60, OK, [0.15, 0.25, 0.35, 0.45, 0.5], 0.12),
], ids=["answered late", "failed late", "timed out"])  # fmt: skip
@pytest.mark.alone
def test_a_paced_user_that_was_held_up_counts_from_its_grid_and_catches_up(  # noqa: PLR0917 - a case
    serve, make_plan, run_here, operation, stall, answer, late, near
):
    async def talk(talker):
        while True:
            await talker.request()
            held_up = len(talker.server.requests) == 3
            await asyncio.sleep(stall * held_up)
            talker.say(answer if held_up else OK)

    server = serve(talk)
    pace = WaitSpec(shape=WaitShape.PACE, mean=0.1)
    kinds = {"visitor": UserSpec("visitor", 1, pace, (), {"home": TaskSpec(1.0, (Do("home"),))})}
    home = operation("home", options=OptionsSpec(timeout=1.0 if stall < 1 else 0.5))
    outcome = run_here(make_plan(server.url, home, kinds=kinds, scenario=users((1, 0), (1, 1.5))))
    tally = outcome.tallies["home", Stage.HOLD]
    waited = [tally.response.percentile(share) / 1e6 for share in (11 / 15, 12 / 15, 13 / 15, 14 / 15, 1.0)]
    assert tally.count == 15
    # Those due in the stall, 0.1 s apart, waited for what was left of it; only one took long by itself.
    assert waited == pytest.approx(late, abs=near)
    assert tally.service.percentile(14 / 15) / 1e6 < 0.1
    # The target held it up, not we: that must not excuse the target.
    assert outcome.generator.schedule_lag_p99 < 0.1
    assert sum(tally.errors.values()) == (stall > 1 or answer is BUSY)


def test_users_who_leave_in_the_judged_part_were_not_asked_to_be_there_afterwards(serve, make_plan, run_here):
    scenario = users((2, 0), (1, 2), judged=(0.0, 2.0))
    assert scenario.asked == 2.0  # the second user is to leave at once, as 1.5 users are one
    outcome = run_here(make_plan(serve(OK).url, scenario=scenario))
    assert outcome.load_reached == pytest.approx(1.0, abs=0.05)


def test_paced_users_neither_spin_nor_stay_where_the_target_is_gone(make_plan, run_here):
    pace = WaitSpec(shape=WaitShape.PACE, mean=0.01)
    kinds = {"visitor": UserSpec("visitor", 1, pace, (), {"home": TaskSpec(1.0, (Do("home"),))})}
    scenario = users((2, 0), (2, 0.5), graceful_stop=30)
    began = time.monotonic()
    outcome = run_here(make_plan("http://127.0.0.1:9", kinds=kinds, scenario=scenario))
    assert time.monotonic() - began < 15
    assert [(each.kind, 6 <= each.count <= 20) for each in outcome.errors] == [("connect", True)]
    assert "cut" not in outcome.counts


def test_iterations_end_a_user_and_the_load_counts_as_reached(serve, make_plan, run_here):
    server = serve(OK)
    scenario = users((4, 0), (4, 30), iterations=5)
    began = time.monotonic()
    outcome = run_here(make_plan(server.url, scenario=scenario))
    assert len(server.requests) == 20
    assert time.monotonic() - began < 10
    assert outcome.load_reached == pytest.approx(1.0, abs=0.02)
    assert outcome.hold_seconds < 10  # so that a rate is that of the time in which there was something to do


def test_what_is_in_flight_at_the_end_may_be_answered_and_nothing_new_is_sent(serve, make_plan, run_here):
    async def talk(talker):
        while True:
            await talker.request()
            await asyncio.sleep(0.4)
            talker.say(OK)

    server = serve(talk)
    outcome = run_here(make_plan(server.url, wait=0.0, scenario=users((3, 0), (3, 0.6), graceful_stop=5)))
    assert len(server.requests) == 6
    assert outcome.tallies["home", Stage.HOLD].count == 6
    assert outcome.counts.get("cut", 0) == 0
    assert outcome.errors == ()


def test_what_takes_longer_than_the_grace_is_cut_and_is_neither_good_nor_bad(
    serve, make_plan, run_here, operation
):
    async def talk(talker):
        await talker.request()
        await asyncio.sleep(60)

    home = operation("home", options=OptionsSpec(timeout=30.0))
    scenario = users((3, 0), (3, 0.5), graceful_stop=0.3)
    outcome = run_here(make_plan(serve(talk).url, home, scenario=scenario))
    assert Counter(outcome.counts)["cut"] == 3
    [group] = outcome.errors
    assert (group.operation, group.kind, group.count) == ("home", "cut", 3)
    tally = outcome.tallies["home", Stage.HOLD]
    assert (tally.unfinished, tally.asked, tally.failed, tally.answered) == (3, 0, 0, 0)
    assert tally.response.percentile(0.5) / 1e6 == pytest.approx(0.8, abs=0.25)  # so far, and it goes on
    assert outcome.longest_stall == pytest.approx(0.8, abs=0.25)


def test_warm_up_is_counted_but_not_judged(serve, make_plan, run_here):
    scenario = users((5, 0), (5, 1.0), judged=(0.5, 1.0), warm_up=0.5)
    outcome = run_here(make_plan(serve(OK).url, wait=0.05, scenario=scenario))
    counts = [outcome.tallies["home", stage].count for stage in (Stage.RAMP, Stage.HOLD)]
    assert counts == pytest.approx([50, 50], abs=12)
    assert (outcome.hold_seconds, outcome.scenario.warm_up) == (0.5, 0.5)
