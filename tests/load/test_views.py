"""Further statistics on request: of kinds and regions, of single users, and of the time in the queue."""

from __future__ import annotations

import asyncio

from campaign.load.tally import ErrorKind, Stage
from campaign.load.views import MOST_PEOPLE, labels
from campaign.target.journey import TaskSpec, WaitSpec
from campaign.target.spec import ExpectSpec, UserSpec

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
NO = b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n"


def kinds():
    return {
        name: UserSpec(name, 1, WaitSpec(0.02, 0.02), (), {path: TaskSpec.of(path)})
        for name, path in (("good", "well"), ("bad", "ill"))
    }


def two_kinds(serve, make_plan, operation, **changes):
    async def talk(talker):
        while True:
            request = await talker.request()
            talker.say(NO if b"/ill" in request else OK)

    server = serve(talk)
    plan = make_plan(
        server.url, operation("well", "/well"), operation("ill", "/ill"), kinds=kinds(), users=4, **changes
    )
    return server, plan


def test_nothing_is_kept_unless_it_is_asked_for(serve, make_plan, run_here, operation):
    outcome = run_here(two_kinds(serve, make_plan, operation)[1])
    assert (outcome.views, outcome.measures, outcome.people) == ({}, {}, {})


def test_kinds_have_their_own_figures(serve, make_plan, run_here, operation):
    outcome = run_here(two_kinds(serve, make_plan, operation, views=frozenset({"kinds"}))[1])
    good, bad = (outcome.views[label, Stage.HOLD] for label in ("kind good", "kind bad"))
    assert (good.count, good.failed) == (outcome.tallies["well", Stage.HOLD].count, 0)
    assert (bad.count, bad.failed) == (outcome.tallies["ill", Stage.HOLD].count, bad.count)
    assert bad.errors == {ErrorKind.STATUS: bad.count}


def test_single_users_add_up_to_all(serve, make_plan, run_here, operation):
    server, plan = two_kinds(serve, make_plan, operation, views=frozenset({"users"}))
    outcome = run_here(plan)
    assert sorted(outcome.people) == [1, 2, 3, 4]
    assert sum(person.count for person in outcome.people.values()) == len(server.requests)
    assert sorted(person.failed == person.count for person in outcome.people.values()) == [
        False, False, True, True
    ]  # fmt: skip
    for person in outcome.people.values():
        assert person.count > 3
        assert 0 < person.mean <= person.longest_us / 1e6
    assert outcome.views == {}


def test_who_was_never_connected_failed_and_has_no_time(make_plan, run_here):
    outcome = run_here(make_plan("http://127.0.0.1:9", users=1, views=frozenset({"users"})))
    [person] = outcome.people.values()
    assert (person.count, person.mean, person.failed > 0) == (0, None, True)


def test_figures_of_single_users_are_bounded():
    views = {"kinds", "regions", "users"}
    assert labels(views, kind="a", region="eu", user=MOST_PEOPLE) == (
        "kind a", "region eu", f"user {MOST_PEOPLE}"
    )  # fmt: skip
    assert labels(views, kind="a", region="", user=MOST_PEOPLE + 1) == ("kind a",)


def test_the_queue_is_the_time_from_due_to_sent(serve, make_plan, run_here, operation):
    async def slow_to_accept(talker):
        await talker.request()
        await asyncio.sleep(0.01)
        talker.say(OK)

    plan = make_plan(
        serve(slow_to_accept).url,
        operation("home", expect=ExpectSpec(status=(200,))),
        views=frozenset({"queue"}),
    )
    outcome = run_here(plan)
    for (name, stage), tally in outcome.tallies.items():
        queue = outcome.measures[name, "queue", stage]
        assert queue.count == tally.count
        # Response time is queue time and service time; each is kept in whole µs.
        gap = tally.response.total - tally.service.total - queue.total
        assert abs(gap) <= 2 * tally.count


def test_a_check_that_fails_afterwards_is_that_users_failure(serve, make_plan, run_here, operation, tmp_path):
    (tmp_path / "buyers.py").write_text(
        "from campaign import User, task\n\n\nclass Buyer(User):\n    @task\n    async def buy(self):\n"
        "        self.check((await self.send('order')).json is None, 'never')\n"
    )
    buyer = UserSpec("buyer", 1, WaitSpec(0.02, 0.02), (), {}, python="buyers.Buyer", folder=str(tmp_path))
    outcome = run_here(
        make_plan(
            serve(OK.replace(b"ok", b"{}")).url,
            operation("order"),
            kinds={"buyer": buyer},
            views=frozenset({"kinds", "users"}),
        )
    )
    [person] = outcome.people.values()
    assert person.failed == person.count > 3
    assert {label for label, _ in outcome.views} == {"kind buyer"}
