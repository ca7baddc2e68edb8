"""Journeys: sequences, rests, conditions, loops and groups do what the campaign file says, to the end."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from campaign.load.spec import ramp_and_hold
from campaign.load.tally import ErrorKind, Stage
from campaign.load.timeline import assign_kinds
from campaign.target.condition import compile_condition
from campaign.target.expression import TemplateError
from campaign.target.journey import Do, Group, If, Pause, Repeat, TaskSpec, WaitSpec
from campaign.target.scope import RenderError, Scope
from campaign.target.spec import UserSpec
from phases.load.counts import short_of_users

INFINITY = float("inf")


def answer(value, status=b"200 OK"):
    body = json.dumps(value).encode()
    return b"HTTP/1.1 %b\r\nContent-Length: %d\r\n\r\n%b" % (status, len(body), body)


def paths(server) -> list[str]:
    return [request.split(b" ")[1].decode() for request in server.requests]


def test_loops_that_come_to_nothing_let_the_others_work_and_end_with_the_visit(
    serve, make_plan, run_here, operation
):
    body = (If("1 > 2", (Do("home"),)),)
    for _ in range(6):
        body = (Repeat(body, times=(1000, 1000)),)
    kinds = {
        "spinner": UserSpec("spinner", 1, WaitSpec(), (), {"spin": TaskSpec(1, body)}),
        "worker": UserSpec("worker", 1, WaitSpec(), (), {"work": TaskSpec.of("home")}),
    }
    server = serve(answer({}))
    scenario = ramp_and_hold(name="test", users=2, ramp=INFINITY, hold=0.5)
    outcome = run_here(make_plan(server.url, operation("home"), kinds=kinds, scenario=scenario))
    assert outcome.tallies["home", Stage.HOLD].count > 5
    assert outcome.counts.get("cut", 0) == 0
    assert outcome.errors == ()


@pytest.fixture
def journey(serve, make_plan, run_here, operation):
    """Runs one task of these steps once with one user; every path answers with what `answers` has for it."""

    def run(*body, answers=None, fails=(), stop_after=None, hold=5.0, **changes):
        told = answers or {}

        async def talk(talker):
            while True:
                request = await talker.request()
                path = request.split(b" ")[1].decode()
                status = b"500 Broken" if path.split("?")[0] in fails else b"200 OK"
                talker.say(answer(told.get(path.split("?")[0], {}), status))

        server = serve(talk)
        operations = (
            operation("ask", "/ask", save={"story": "$.story"} if "/ask" in told else {}),
            operation("tell", "/tell"),
            operation("page", "/page?n={{ page }}"),
        )
        user = UserSpec(
            "kid",
            1,
            WaitSpec(),
            start=(),
            tasks={"only": TaskSpec(1, tuple(body))},
            iterations=changes.pop("iterations", 1),
            **changes,
        )
        plan = make_plan(server.url, *operations, kinds={"kid": user}, hold=hold)
        outcome = run_here(plan, stop_after=stop_after)
        return outcome, paths(server)

    return run


def test_steps_are_done_in_order_and_a_rest_is_in_nobodys_response_time(journey):
    rest = Pause(WaitSpec(0.4, 0.4))
    outcome, seen = journey(Do("ask"), rest, Do("tell"), Do("ask"))
    assert seen == ["/ask", "/tell", "/ask"]
    assert outcome.errors == ()
    tell = outcome.tallies["tell", Stage.HOLD].response
    assert tell.maximum < 300_000  # the rest of 400 ms is not in it


def test_a_failed_operation_ends_the_rest_of_the_task(journey):
    inner = Repeat((Do("ask"), Do("tell")), times=(3, 3))
    outcome, seen = journey(Group("talk", (inner,)), Do("ask"), fails={"/tell"})
    assert seen == ["/ask", "/tell"]
    assert outcome.counts["talk.failed"] == 1
    assert not outcome.measures


@pytest.mark.parametrize(("safe", "path"), [(True, "/tell"), (False, "/ask")])
def test_a_condition_chooses(journey, safe, path):
    branch = If("story.safe == true and not story.sad", (Do("tell"),), (Do("ask"),))
    _, seen = journey(Do("ask"), branch, answers={"/ask": {"story": {"safe": safe, "sad": False}}})
    assert seen == ["/ask", path]


def test_loops_run_so_often_as_they_say(journey):
    story = {"story": {"pages": [3, 4, 5]}}
    body = (
        Do("ask"),
        Repeat((Do("tell"),), times=(2, 2)),
        Repeat((Do("page"),), each="story.pages", name="page"),
        Repeat((Do("tell"),), times=(0, 4), condition="iteration < 2"),
    )
    _, seen = journey(*body, answers={"/ask": story})
    assert seen == ["/ask", "/tell", "/tell", "/page?n=3", "/page?n=4", "/page?n=5", *["/tell"] * 4]


def test_a_while_ends_when_its_condition_does(journey):
    body = (
        Do("ask"),
        Repeat((If("story.done", (Do("tell"),)),), times=(0, 50), condition="not story.done"),
        Do("tell"),
    )
    _, seen = journey(*body, answers={"/ask": {"story": {"done": True}}})
    assert seen == ["/ask", "/tell"]


def test_a_drawn_number_of_rounds_stays_in_its_range(journey):
    body = (Do("ask"), Repeat((Do("tell"),), times=(1, 3)))
    _, seen = journey(*body, iterations=40)
    rounds = Counter(len(part.split("/tell")) - 1 for part in "".join(seen).split("/ask")[1:])
    assert set(rounds) == {1, 2, 3}


def test_a_group_is_timed_from_its_first_step_to_its_last_without_its_rests(journey):
    body = (Group("reading", (Do("ask"), Pause(WaitSpec(0.5, 0.5)), Do("tell"))), Pause(WaitSpec(0.1, 0.1)))
    outcome, _ = journey(*body, iterations=2)
    (key,) = outcome.measures
    assert key == ("reading", "group", Stage.HOLD)
    group = outcome.measures[key]
    asked = outcome.tallies["ask", Stage.HOLD].response.maximum
    told = outcome.tallies["tell", Stage.HOLD].response.maximum
    assert group.count == 2
    assert group.maximum <= (asked + told) * 1.01 + 10


def test_a_group_that_the_end_cuts_is_neither_timed_nor_failed(journey):
    body = Group("reading", (Do("ask"), Pause(WaitSpec(30, 30)), Do("tell")))
    outcome, seen = journey(body, hold=0.4)
    assert seen == ["/ask"]
    assert not outcome.measures
    assert not outcome.counts


def test_stop_ends_a_rest_in_the_middle_and_the_stop_steps_are_done(journey):
    rest = Pause(WaitSpec(60, 60))
    _, seen = journey(Do("ask"), rest, Do("ask"), stop=(Do("tell"),), stop_after=0.3, hold=30)
    assert seen == ["/ask", "/tell"]


def test_a_condition_on_a_missing_value_is_our_failure_and_named(journey):
    outcome, seen = journey(Do("ask"), If("story.safe", (Do("tell"),)), Do("tell"))
    assert seen == ["/ask"]
    (group,) = outcome.errors
    assert (group.operation, group.kind) == ("if: story.safe", ErrorKind.RENDER)
    assert "story" in group.detail
    assert {name for name, _ in outcome.tallies} == {"ask"}


def test_a_list_that_is_none_is_our_failure(journey):
    body = Repeat((Do("page"),), each="story", name="page")
    outcome, seen = journey(Do("ask"), body, answers={"/ask": {"story": 7}})
    assert seen == ["/ask"]
    assert "no list" in outcome.errors[0].detail


@pytest.mark.alone
def test_a_task_that_comes_to_nothing_does_not_spin(journey):
    outcome, seen = journey(If("iteration < 0", (Do("ask"),)), iterations=0, hold=0.3)
    assert seen == []
    assert outcome.generator.loop_lag_p99 < 0.25


CONDITIONS = [
    ("pages > 3", True),
    ("pages >= 5 and pages < 5.5", True),
    ("1 < pages < 4", False),
    ("mood in ['sad', 'angry']", True),
    ("mood not in ['sad']", False),
    ("'a' in mood or pages == 0", True),
    ("not pages", False),
    ("pages > -1", True),
    ("mood != 'sad'", False),
    ("defined(pages) and not defined(story.safe) and not defined(nobody)", True),
    ("done == false", True),
    ("nothing == null", True),
    ("rows[0].id == 1", True),
    ("user.number == 7", True),
]


@pytest.mark.parametrize(("source", "holds"), CONDITIONS)
def test_conditions(source, holds):
    scope = Scope(7)
    scope.values.update(pages=5, mood="sad", done=False, nothing=None, rows=[{"id": 1}], story={})
    assert compile_condition(source)(scope) is holds


@pytest.mark.parametrize(
    "source",
    [
        "pages.__class__()", "__import__('os')", "pages is 3", "[x for x in pages]", "lambda: 1", "pages +",
        "pages if mood else 1", "f'{pages}'", "defined()", "pages := 3", "(yield)", "x" * 501,
        "pages, mood = 1",
    ],
)  # fmt: skip
def test_a_condition_can_do_nothing_but_compare(source):
    with pytest.raises(TemplateError):
        compile_condition(source)


@pytest.mark.parametrize("source", ["mood > 3", "mood.__class__", "nobody", "mood.upper", "3 in pages"])
def test_what_cannot_be_compared_or_found_is_an_error(source):
    scope = Scope(1)
    scope.values.update(pages=5, mood="sad")
    with pytest.raises(RenderError):
        compile_condition(source)(scope)


def test_counted_kinds_come_first_and_the_rest_by_weight():
    kinds = assign_kinds({"many": 3, "few": 1}, 10, counts={"admin": 2})
    assert Counter(kinds) == {"admin": 2, "many": 6, "few": 2}
    assert kinds[:2] == ["admin", "admin"]
    assert assign_kinds({}, 2, counts={"admin": 3}) == ["admin", "admin"]


def test_counts_above_the_users_of_a_scenario_are_told(make_plan):
    one = UserSpec("one", 1, WaitSpec(), (), {"home": TaskSpec.of("home")}, count=3)
    two = UserSpec("two", 1, WaitSpec(), (), {"home": TaskSpec.of("home")}, count=2)
    kinds = {"one": one, "two": two}
    url = "http://127.0.0.1:1"
    assert not short_of_users(make_plan(url, kinds=kinds, users=5))
    assert "4 users, fewer" in (told := short_of_users(make_plan(url, kinds=kinds, users=4)))
    assert "1 of 2 two" in told


def test_every_kind_does_its_own_in_the_number_that_is_asked_for(serve, make_plan, run_here, operation):
    server = serve(answer({}))
    operations = operation("ask", "/ask"), operation("tell", "/tell")
    kinds = {
        "asker": UserSpec("asker", 1, WaitSpec(), (Do("ask"),), {"ask": TaskSpec.of("ask")}, iterations=1),
        "teller": UserSpec("teller", 1, WaitSpec(), (), {"tell": TaskSpec.of("tell")}, count=3, iterations=1),
    }
    scenario = ramp_and_hold("test", 5, INFINITY, 3.0)
    run_here(make_plan(server.url, *operations, kinds=kinds, scenario=scenario))
    assert Counter(paths(server)) == {"/ask": 4, "/tell": 3}
