"""Users written in Python: what they send, check and time is counted, and no mistake of theirs ends a run."""

from __future__ import annotations

import asyncio
import textwrap
import time

import pytest

from campaign.clock import RealClock
from campaign.load.fleet import run_load
from campaign.load.profile import Segment
from campaign.load.spec import Model, ScenarioSpec
from campaign.load.tally import ErrorKind, Stage
from campaign.target.journey import WaitSpec
from campaign.target.spec import FeedSpec, OptionsSpec, UserSpec

HEAD = "import asyncio, campaign\nfrom campaign import Failed, User, between, constant, task\n"


def answer(body: bytes, status: str = "200 OK") -> bytes:
    return b"HTTP/1.1 %b\r\nContent-Length: %d\r\n\r\n%b" % (status.encode(), len(body), body)


OK = answer(b'{"safe": true}')


@pytest.fixture
def kind(tmp_path):
    """Writes a class `Traveler` with this text as its body, and gives the kind of user that it is."""

    def write(body: str, wait: float = 0.02, **changes) -> dict[str, UserSpec]:
        text = f"{HEAD}\nclass Traveler(User):\n{textwrap.indent(textwrap.dedent(body), '    ')}"
        (tmp_path / "travelers.py").write_text(text)
        user = UserSpec("traveler", 1, WaitSpec(wait, wait), (), {}, python="travelers.Traveler",
                        folder=str(tmp_path), **changes)  # fmt: skip
        return {"traveler": user}

    return write


def only(errors):
    (group,) = errors
    return group.operation, group.kind, group.detail


PLAN = """
    @task(50)
    async def plan(self) -> None:
        answer = await self.send("plan_journey", destination=self.data.city)
        self.check(answer.json["safe"], "unsafe plan")
"""


def test_values_reach_the_templates_for_one_request_and_feeds_are_read(
    serve, make_plan, run_here, operation, kind
):
    server = serve(OK)
    plan_journey = operation("plan_journey", "/plan/{{ destination }}")
    feeds = {"city": FeedSpec("city", ("Lima", "Oslo"))}
    outcome = run_here(make_plan(server.url, plan_journey, kinds=kind(PLAN), feeds=feeds, rounds=6))
    assert [request.split()[1] for request in server.requests[:3]] == [
        b"/plan/Lima",
        b"/plan/Oslo",
        b"/plan/Lima",
    ]
    assert outcome.errors == ()
    assert outcome.tallies["plan_journey", Stage.HOLD].count == len(server.requests) == 6


def test_a_check_that_fails_makes_a_failed_sample_of_its_request(serve, make_plan, run_here, operation, kind):
    server = serve(answer(b'{"safe": false}'))
    feeds = {"city": FeedSpec("city", ("Lima",))}
    twice = PLAN + '        self.check(False, "counted once")\n'
    outcome = run_here(
        make_plan(server.url, operation("plan_journey"), kinds=kind(twice), feeds=feeds, rounds=6)
    )
    tally = outcome.tallies["plan_journey", Stage.HOLD]
    assert tally.failed == tally.count == len(server.requests) == 6
    assert only(outcome.errors) == ("plan_journey", ErrorKind.EXPECTATION, "unsafe plan")
    assert '"safe": false' in outcome.errors[0].samples[0].answer


def test_a_failed_request_ends_the_task_and_the_user_goes_on(serve, make_plan, run_here, operation, kind):
    body = """
        @task
        async def visit(self):
            answer = await self.send("home")
            await self.send("after", x=answer.json["never"])
    """
    server = serve(answer(b"busy", "503 Busy"))
    outcome = run_here(
        make_plan(server.url, operation("home"), operation("after"), kinds=kind(body), rounds=6)
    )
    assert len(server.requests) == 6
    assert only(outcome.errors) == ("home", ErrorKind.STATUS, "status 503")


def test_what_is_tried_gives_a_failed_answer_too(serve, make_plan, run_here, operation, kind):
    body = """
        @task
        async def visit(self):
            answer = await self.try_send("home")
            assert (answer.ok, answer.status, answer.text) == (False, 503, "busy") and 0 < answer.seconds < 60
            assert answer.headers["content-length"] == "4"
            try:
                await self.send("home")
            except Failed as failed:
                assert failed.answer.status == 503
                await self.try_send("after")
    """
    server = serve(answer(b"busy", "503 Busy"))
    outcome = run_here(make_plan(server.url, operation("home"), operation("after"), kinds=kind(body)))
    assert {group.operation for group in outcome.errors} == {"home", "after"}


def test_saved_values_are_shared_with_the_templates(serve, make_plan, run_here, operation, kind):
    body = """
        async def on_start(self):
            await self.send("login")
            self.values["shelf"] = self.data.token + "-" + str(self.number)

        @task
        async def read(self):
            await self.send("read")
    """

    async def talk(talker):
        while True:
            await talker.request()
            talker.say(answer(b'{"token": "t1"}'))

    server = serve(talk)
    login = operation("login", "/login", save={"token": "$.token"})
    outcome = run_here(
        make_plan(server.url, login, operation("read", "/shelves/{{ shelf }}"), kinds=kind(body))
    )
    assert outcome.errors == ()
    assert {request.split()[1] for request in server.requests} == {b"/login", b"/shelves/t1-1"}


def test_requests_without_an_operation_are_counted_by_name(serve, make_plan, run_here, operation, kind):
    body = """
        @task
        async def browse(self):
            await self.request("GET", f"/items/{self.number}?page={self.random.randrange(9)}", name="item")
            await self.request("GET", "/list?page=2", query={"q": "a b"}, headers={"X-Trace": "7"})
            await self.request("POST", "/items", json={"text": "{{ no template }}"}, expect=(200, 201))
    """
    server = serve(OK)
    plan = make_plan(server.url, operation("home"), kinds=kind(body), headers={"X-Team": "blue"})
    outcome = run_here(plan)
    assert outcome.errors == ()
    assert {name for name, _ in outcome.tallies} == {"item", "GET /list", "POST /items"}
    item, listing, made = server.requests[:3]
    assert item.startswith(b"GET /items/1?page=")
    assert listing.startswith(b"GET /list?page=2&q=a+b HTTP/1.1\r\n")
    assert b"X-Trace: 7\r\n" in listing
    assert all(b"X-Team: blue\r\n" in each for each in (item, listing, made))
    assert b"Content-Type: application/json\r\n" in made
    assert made.endswith(b'{"text":"{{ no template }}"}')


def test_an_object_in_the_process_is_measured_and_its_exceptions_are_failures(
    serve, make_plan, run_here, kind
):
    body = """
        calls = 0

        @task
        async def query(self):
            Traveler.calls += 1
            async with self.measure("query"):
                await asyncio.sleep(0.03)
                if Traveler.calls % 2 == 0:
                    raise LookupError("no such row")
            async with self.measure("after"):
                pass
    """
    outcome = run_here(make_plan("http://127.0.0.1:9", kinds=kind(body), hold=0.6))
    tally = outcome.tallies["query", Stage.HOLD]
    assert tally.count > 4
    assert tally.failed == pytest.approx(tally.count / 2, abs=1)
    # The last one may be after the hold.
    assert outcome.tallies["after", Stage.HOLD].count == pytest.approx(tally.count - tally.failed, abs=1)
    assert tally.service.percentile(0.01) >= 29_000
    operation, error, detail = only(outcome.errors)
    assert (operation, error) == ("query", ErrorKind.EXPECTATION)
    assert detail.startswith("LookupError: no such row (travelers.py:")


def test_sleep_is_in_no_response_time(serve, make_plan, run_here, operation, kind):
    body = """
        @task
        async def visit(self):
            await self.sleep(0.1)
            await self.send("first")
            await self.sleep(0.1)
            await self.send("second")
            async with self.measure("piece"):
                await self.sleep(0.2)
    """
    server = serve(OK)
    outcome = run_here(
        make_plan(server.url, operation("first"), operation("second"), kinds=kind(body), hold=1.5)
    )
    assert outcome.errors == ()
    for name in ("first", "second", "piece"):
        assert outcome.tallies[name, Stage.HOLD].response.percentile(0.5) < 80_000, name


def test_the_first_request_of_a_task_was_due_when_the_task_was(serve, make_plan, run_here, operation, kind):
    body = """
        @task
        async def visit(self):
            await asyncio.sleep(0.1)
            await self.send("first")
            await asyncio.sleep(0.1)
            await self.send("second")
    """
    server = serve(OK)
    outcome = run_here(
        make_plan(server.url, operation("first"), operation("second"), kinds=kind(body), hold=1.0)
    )
    assert outcome.tallies["first", Stage.HOLD].response.percentile(0.01) >= 99_000
    assert outcome.tallies["first", Stage.HOLD].service.percentile(0.5) < 80_000
    assert outcome.tallies["second", Stage.HOLD].response.percentile(0.5) < 80_000


def test_a_mistake_in_a_task_is_ours_and_the_user_goes_on(serve, make_plan, run_here, operation, kind):
    body = """
        @task
        async def visit(self):
            await self.send("home")
            self.nothing.at_all
    """
    server = serve(OK)
    outcome = run_here(make_plan(server.url, operation("home"), kinds=kind(body)))
    assert len(server.requests) >= 2
    name, error, detail = only(outcome.errors)
    assert (name, error) == ("Traveler.visit", ErrorKind.RENDER)
    assert detail == "AttributeError: 'Traveler' object has no attribute 'nothing' (travelers.py:9)"
    assert outcome.tallies["home", Stage.HOLD].failed == 0


@pytest.mark.parametrize(
    ("code", "detail"),
    [
        (
            'await self.send("hom")',
            "LookupError: the campaign file has no operation 'hom'; did you mean home? (",
        ),
        ("raise SystemExit(3)", "SystemExit: 3"),
        ("raise KeyboardInterrupt", "KeyboardInterrupt ("),
        ("raise GeneratorExit", "GeneratorExit ("),
        ("raise type('Mine', (BaseException,), {})('away')", "Mine: away ("),
        ("raise type('Mute', (Exception,), {'__str__': None})", "Mute"),
        ("raise type('Own', (Failed,), {'__init__': lambda self: None})", "Own ("),
        ("asyncio.current_task().cancel(); await asyncio.sleep(9)", "CancelledError"),
        ("asyncio.current_task().cancel()", "CancelledError: the class cancelled the task of its own user"),
        ("asyncio.current_task().cancel(); await self.sleep(9)", "CancelledError"),
        ("await self.sleep('soon')", "ValueError: seconds='soon': seconds are a number from 0"),
        ("await self.sleep([])", "TypeError: seconds=[]: seconds are a number from 0"),
        ("await self.sleep(-1)", "ValueError: seconds=-1: seconds are a number from 0"),
        ("await self.sleep(float('nan'))", "ValueError: seconds=nan"),
        ("await self.request('GET', '/', timeout=-5)", "ValueError: timeout=-5"),
        ("await self.request('GET', '/', timeout=0)", "ValueError: timeout=0"),
        ("await self.try_request('GET', '/', timeout='5 s')", "ValueError: timeout='5 s'"),
        (
            "await asyncio.gather(self.send('home'), self.send('home'))",
            "RuntimeError: a user does one request",
        ),
        ("self.check(False, 'nothing yet')", "RuntimeError: check() speaks of the last request"),
        ("await self.request('GET', 'no slash')", "ValueError: the path 'no slash'"),
        ("async with self.measure('all'): pass", "ValueError: 'all' is no name"),
        ("self.data.town", "AttributeError: no value 'town'"),
    ],
)
def test_every_kind_of_mistake_is_told_and_contained(
    *, serve, make_plan, run_here, operation, kind, code, detail
):
    body = f"@task\nasync def visit(self):\n    {code}\n"
    outcome = run_here(make_plan(serve(OK).url, operation("home"), kinds=kind(body), rounds=3))
    errors = [group for group in outcome.errors if group.operation == "Traveler.visit"]
    assert [(each.kind, each.detail[: len(detail)]) for each in errors] == [(ErrorKind.RENDER, detail)]
    assert errors[0].count == 3
    assert len(outcome.errors) == 1 or "gather" in code


def test_seconds_may_be_the_texts_of_a_feed(serve, make_plan, run_here, operation, kind):
    body = """
        @task
        async def visit(self):
            await self.request("GET", "/", timeout="1.5", name="page")
            await self.sleep("0.01")
    """
    server = serve(OK)
    outcome = run_here(make_plan(server.url, operation("home"), kinds=kind(body), rounds=6))
    assert outcome.errors == ()
    assert len(server.requests) == 6


def test_a_user_that_cancels_itself_is_there_to_the_end_and_leaves_as_others_do(
    serve, make_plan, run_here, operation, kind
):
    body = """
        @task
        async def visit(self):
            asyncio.current_task().cancel()
            await self.send("home")

        async def on_stop(self):
            await self.send("logout")
    """
    server = serve(OK)
    plan = make_plan(server.url, operation("home"), operation("logout", "/logout"), kinds=kind(body), hold=1)
    outcome = run_here(plan)
    assert server.requests[-1].split()[1] == b"/logout"
    assert outcome.load_reached > 0.9


@pytest.mark.parametrize(
    "code",
    [
        "pass",
        "async with self.measure('nothing'): pass",
        "while True:\n    try: await self.send('hom')\n    except Exception: pass",
    ],
)
def test_a_task_that_waits_for_nothing_does_not_hold_up_the_others(
    *, serve, make_plan, run_here, operation, kind, code
):
    body = '@task\nasync def visit(self):\n    if self.number > 1:\n        return await self.send("home")\n'
    body += textwrap.indent(code, "    ")
    server = serve(OK)
    began = time.monotonic()
    outcome = run_here(make_plan(server.url, operation("home"), kinds=kind(body, wait=0), users=2, hold=0.5))
    assert time.monotonic() - began < 20
    assert outcome.tallies["home", Stage.HOLD].count > 5


def test_an_answer_that_is_no_json_is_the_targets_failure(serve, make_plan, run_here, operation, kind):
    body = '@task\nasync def visit(self):\n    (await self.send("home")).json["safe"]\n'
    outcome = run_here(make_plan(serve(answer(b"<html>")).url, operation("home"), kinds=kind(body)))
    assert only(outcome.errors) == ("home", ErrorKind.EXPECTATION, "the answer is not JSON")


def test_a_start_that_fails_is_tried_again_with_a_new_object(serve, make_plan, run_here, operation, kind):
    body = """
        async def on_start(self):
            assert not hasattr(self, "been_here")
            self.been_here = True
            await self.send("login")

        @task
        async def visit(self):
            await self.send("home")

        async def on_stop(self):
            await self.send("logout")
    """

    async def talk(talker):
        while True:
            await talker.request()
            talker.say(OK if len(talker.server.requests) > 1 else answer(b"", "503 Busy"))

    server = serve(talk)
    operations = [operation(name, f"/{name}") for name in ("login", "home", "logout")]
    outcome = run_here(make_plan(server.url, *operations, kinds=kind(body), hold=1.5))
    paths = [request.split()[1] for request in server.requests]
    assert paths[:3] == [b"/login", b"/login", b"/home"]
    assert paths[-1] == b"/logout"
    assert only(outcome.errors) == ("login", ErrorKind.STATUS, "status 503")


def test_a_task_without_end_ends_with_the_scenario_in_spite_of_except_exception(
    serve, make_plan, run_here, operation, kind
):
    body = """
        @task
        async def forever(self):
            while True:
                try:
                    await self.send("home")
                except Exception:
                    pass
    """
    server = serve(OK)
    began = time.monotonic()
    outcome = run_here(make_plan(server.url, operation("home"), kinds=kind(body), hold=0.4))
    assert time.monotonic() - began < 10
    assert outcome.errors == ()
    assert len(server.requests) > 10


def test_a_stop_in_the_middle_of_a_task_ends_it(serve, make_plan, run_here, operation, kind):
    body = """
        @task
        async def visit(self):
            for _ in range(1000):
                try:
                    await self.send("home")
                    await self.sleep(30)
                except Exception:
                    pass
    """
    server = serve(OK)
    began = time.monotonic()
    outcome = run_here(make_plan(server.url, operation("home"), kinds=kind(body), hold=60), stop_after=0.4)
    assert time.monotonic() - began < 10
    assert outcome.errors == ()
    assert len(server.requests) == 1


def test_a_request_that_the_class_itself_gives_up_is_still_a_sample(
    serve, make_plan, run_here, operation, kind
):
    body = """
        @task
        async def visit(self):
            try:
                async with asyncio.timeout(0.1):
                    await self.send("slow")
            except TimeoutError:
                pass
    """

    async def never(talker):
        await talker.request()
        await asyncio.sleep(60)

    outcome = run_here(make_plan(serve(never).url, operation("slow"), kinds=kind(body), hold=0.5))
    tally = outcome.tallies["slow", Stage.HOLD]
    assert tally.count == tally.failed >= 2
    assert tally.response.percentile(0.01) >= 99_000
    assert outcome.errors[0].kind is ErrorKind.TIMEOUT


def test_names_without_end_are_bounded(serve, make_plan, run_here, operation, kind):
    body = """
        @task
        async def visit(self):
            for number in range(500):
                async with self.measure(f"piece {number}"):
                    pass
            raise SystemExit
    """
    outcome = run_here(make_plan("http://127.0.0.1:9", kinds=kind(body), hold=0.3))
    names = {name for name, _ in outcome.tallies}
    assert "other" in names
    assert len(names) <= 202


def test_two_workers_import_the_class_and_what_it_prints_harms_nothing(
    serve, make_plan, operation, kind, tmp_path
):
    kinds = kind(PLAN)
    module = tmp_path / "travelers.py"
    module.write_text("import beside\n" + module.read_text() + "\nprint('x' * 100, flush=True)\n")
    (tmp_path / "beside.py").write_text("print('imported')\n")
    server = serve(OK)
    feeds = {"city": FeedSpec("city", ("Lima", "Oslo"))}
    plan = make_plan(
        server.url,
        operation("plan_journey", "/{{ destination }}"),
        kinds=kinds,
        feeds=feeds,
        users=4,
        workers=2,
        rounds=3,
    )
    outcome = asyncio.run(
        run_load(plan, clock=RealClock(), stop=asyncio.Event(), on_second=lambda second: None)
    )
    assert outcome.errors == ()
    assert outcome.generator.workers_lost == 0
    assert sum(tally.count for tally in outcome.tallies.values()) == len(server.requests) == 12
    assert {request.split()[1] for request in server.requests} == {b"/Lima", b"/Oslo"}


def test_what_a_python_user_made_is_deleted_with_the_values_of_its_request(
    serve, make_plan, run_here, operation, kind
):
    body = """
        @task
        async def register(self):
            await self.send("register", mail=f"u{self.number}", id="not this one")
    """
    server = serve(answer(b'{"id": 7}'))
    register = operation(
        "register", "/new/{{ mail }}", save={"id": "$.id"}, options=OptionsSpec(timeout=1.0, undo="delete")
    )
    delete = operation("delete", "/gone/{{ mail }}/{{ id }}")
    outcome = run_here(make_plan(server.url, register, delete, kinds=kind(body, wait=0.1), rounds=3))
    paths = [request.split()[1] for request in server.requests]
    assert paths.count(b"/gone/u1/7") == paths.count(b"/new/u1") == 3
    assert outcome.counts["accounts.made"] == outcome.counts["accounts.deleted"] == paths.count(b"/new/u1")
    assert outcome.errors == ()


def test_what_a_request_of_a_python_user_made_without_an_answer_is_counted(
    serve, make_plan, run_here, operation, kind
):
    async def silent(talker):
        await talker.request()
        await asyncio.sleep(30)

    body = """
        @task
        async def register(self):
            await self.try_send("register")
    """
    register = operation("register", "/new", options=OptionsSpec(timeout=0.1, undo="delete"))
    server = serve(silent)
    outcome = run_here(make_plan(server.url, register, operation("delete", "/gone"), kinds=kind(body)))
    assert outcome.counts["accounts.unknown"] == len(server.requests) > 0
    assert "accounts.made" not in outcome.counts


def test_arrivals_of_the_open_model_do_python_tasks(serve, make_plan, run_here, operation, kind):
    body = """
        async def on_start(self):
            await self.send("login")

        @task
        async def visit(self):
            await self.send("home")
            async with self.measure("piece"):
                pass
    """
    server = serve(OK)
    scenario = ScenarioSpec(
        "open", (Segment(40, 0.0), Segment(40, 1.0)), (0.0, 1.0), model=Model.OPEN, ready=2, most=10
    )
    operations = operation("login", "/login"), operation("home", "/home")
    outcome = run_here(make_plan(server.url, *operations, kinds=kind(body), scenario=scenario))
    assert outcome.errors == ()
    assert outcome.tallies["home", Stage.HOLD].count == pytest.approx(40, abs=2)
    assert outcome.tallies["piece", Stage.HOLD].count == outcome.tallies["home", Stage.HOLD].count


def test_a_piece_that_freezes_is_a_stall_and_a_rest_in_it_is_none(make_plan, run_here, kind):
    body = """
        rounds = 0

        @task
        async def visit(self):
            Traveler.rounds += 1
            async with self.measure("piece"):
                await {}(1.0 if Traveler.rounds == 5 else 0.05)
    """
    frozen = run_here(make_plan("http://127.0.0.1:9", kinds=kind(body.format("asyncio.sleep")), hold=2.0))
    rested = run_here(make_plan("http://127.0.0.1:9", kinds=kind(body.format("self.sleep")), hold=2.0))
    assert frozen.longest_stall == pytest.approx(1.0, abs=0.4)
    assert rested.longest_stall < 0.5


def test_what_we_cut_at_the_end_of_an_open_scenario_is_not_a_time_out_of_the_target(
    serve, make_plan, run_here, operation, kind
):
    async def talk(talker):
        await talker.request()
        await asyncio.sleep(60)

    slow = operation("slow", options=OptionsSpec(timeout=30.0))
    lines = (Segment(10, 0), Segment(10, 0.5))
    scenario = ScenarioSpec("x", lines, (0.0, 0.5), Model.OPEN, most=9, graceful_stop=0.3)
    kinds = kind('@task\nasync def wait_for_it(self) -> None:\n    await self.send("slow")')
    outcome = run_here(make_plan(serve(talk).url, slow, kinds=kinds, scenario=scenario))
    assert outcome.counts["cut"] == 5
    assert ErrorKind.TIMEOUT not in {each.kind for each in outcome.errors}
