"""What users make is deleted when they leave, whatever ends them, and nothing is said of it untrue."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from types import SimpleNamespace

import psutil
import pytest
import uvloop

from campaign.clock import RealClock
from campaign.load import cleanup
from campaign.load.cleanup import Made
from campaign.load.fleet import run_load
from campaign.load.profile import Segment
from campaign.load.spec import Model, ScenarioSpec
from campaign.load.tally import ErrorKind, Stage
from campaign.records import Evidence, Outcome, Severity
from campaign.target.journey import Do, Pause, TaskSpec, WaitSpec
from campaign.target.spec import ExpectSpec, OperationSpec, OptionsSpec, RetrySpec, UserSpec
from phases.load.accounts import FACT, Accounts, judge_accounts

NO = b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n"
ANYTHING = ExpectSpec()
YES = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


class Registry:
    """A server that keeps accounts: `there` are their ids. `refusing` and `hanging` name paths."""

    def __init__(self):
        self.there: set[str] = set()
        self.made = 0
        self.refusing: set[str] = set()
        self.hanging: set[str] = set()
        self.silent = False  # accounts are made, and nobody is told
        self.refusals = 0  # of a first few deletions

    async def talk(self, talker):
        while True:
            request = await talker.request()
            path, _, name = request.split(b" ")[1].decode().partition("?")
            if path in self.hanging:
                await asyncio.sleep(3600)
            answer = NO if path in self.refusing else self.answer(path, name)
            if self.silent and path == "/register":
                await asyncio.sleep(3600)
            talker.say(answer)

    def answer(self, path, name):
        if path == "/register":
            self.made += 1
            self.there.add(f"a{self.made}")
            body = json.dumps({"id": f"a{self.made}"}).encode()
            return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)
        if path == "/delete":
            self.refusals -= 1
            if name not in self.there or self.refusals >= 0:
                return NO
            self.there.remove(name)
        return YES


@pytest.fixture
def registry(serve, make_plan, run_here, operation):
    """Runs users that register, work and leave; `plan` is what they run."""
    registry = Registry()
    server = serve(registry.talk)

    def plan(*, users=3, hold=0.5, wait=0.05, operations=(), scenario=None, workers=1, **changes):
        known = {
            each.name: each
            for each in (
                operation(
                    "register",
                    "/register",
                    save={"id": "$.id"},
                    options=OptionsSpec(timeout=1.0, undo="delete"),
                ),
                operation("delete", "/delete?{{ id }}", options=OptionsSpec(timeout=1.0)),
                operation("child", "/child"),
                operation("work", "/work"),
                *operations,
            )
        }
        user = UserSpec(
            "parent",
            1,
            WaitSpec(wait, wait),
            start=changes.pop("start", (Do("register"), Do("child"))),
            tasks=changes.pop("tasks", {"work": TaskSpec.of("work")}),
            **changes,
        )
        more = {"users": users, "hold": hold} if scenario is None else {"scenario": scenario}
        more |= {"kinds": {"parent": user}, "workers": workers}
        return make_plan(server.url, *known.values(), **more)

    registry.plan = plan
    registry.run = lambda stop_after=None, **how: run_here(plan(**how), stop_after=stop_after)
    registry.server = server
    return registry


def test_all_accounts_are_gone_after_a_normal_end(registry):
    outcome = registry.run()
    assert registry.made == 3
    assert registry.there == set()
    assert outcome.counts == {"accounts.made": 3, "accounts.deleted": 3}


def test_each_account_is_deleted_with_the_values_that_belong_to_it(registry):
    outcome = registry.run(tasks={"again": TaskSpec.of("register")}, users=2, hold=0.4)
    assert registry.made > 4
    assert registry.there == set()
    assert outcome.counts["accounts.made"] == outcome.counts["accounts.deleted"] == registry.made


def test_only_what_deletes_an_account_is_kept_of_it(registry, operation, monkeypatch):
    """A user may save whole answers, and make accounts all day."""
    kept = []
    monkeypatch.setattr(cleanup, "Made", lambda *made: kept.append(made) or Made(*made))
    save = {"id": "$.id", "whole": "$", "more": "$.id"}
    options = OptionsSpec(timeout=1.0, undo="delete")
    registry.run(operations=(operation("register", "/register", save=save, options=options),), users=2)
    assert registry.made == 2
    assert registry.there == set()
    assert sorted(read for _, read, _ in kept) == [("a1",), ("a2",)]


def test_a_start_that_fails_leaves_nothing_behind_before_it_begins_anew(registry):
    registry.refusing.add("/child")
    outcome = registry.run(users=1, hold=2.3)
    assert registry.made >= 2
    assert registry.there == set()
    assert outcome.counts == {"accounts.made": registry.made, "accounts.deleted": registry.made}
    seen = [request.split(b" ")[1].split(b"?")[0] for request in registry.server.requests]
    assert seen == [b"/register", b"/child", b"/delete"] * registry.made


def test_clean_up_is_no_load_of_the_judged_part(registry):
    registry.refusing.add("/child")
    outcome = registry.run(users=1, hold=2.3)
    assert ("delete", Stage.HOLD) not in outcome.tallies
    assert outcome.tallies["delete", Stage.DOWN].count == registry.made


@pytest.mark.parametrize("rest", [0.05, 60.0], ids=["at work", "resting"])
def test_stopped_in_the_middle_every_user_still_deletes_its_account(registry, rest):
    outcome = registry.run(users=5, hold=60, wait=rest, stop_after=0.4)
    assert registry.made == 5
    assert registry.there == set()
    assert outcome.counts["accounts.deleted"] == 5


def test_a_user_that_rests_in_the_middle_of_a_task_deletes_its_account_too(registry):
    long = TaskSpec(1, (Do("work"), Pause(WaitSpec(60, 60)), Do("work")))
    registry.run(hold=60, tasks={"long": long}, stop_after=0.4)
    assert registry.made == 3
    assert registry.there == set()


def test_a_request_that_hangs_when_the_run_is_stopped_is_cut_and_the_account_deleted(registry):
    registry.hanging.add("/work")
    patient = OperationSpec("work", "GET", "/work", options=OptionsSpec(timeout=50.0))
    outcome = registry.run(hold=60, stop_after=0.4, operations=(patient,))
    assert registry.made == 3
    assert registry.there == set()
    assert outcome.counts["accounts.deleted"] == 3


def test_what_cannot_be_deleted_is_counted_and_its_reason_kept(registry):
    registry.refusing.add("/delete")
    outcome = registry.run()
    assert outcome.counts == {"accounts.made": 3}
    (group,) = outcome.errors
    assert (group.operation, group.kind, group.count) == ("delete", ErrorKind.STATUS, 3)
    held = [tally for (_, stage), tally in outcome.tallies.items() if stage is Stage.HOLD]
    assert sum(tally.failed for tally in held) == 0


def test_the_verdict_names_what_is_left_and_why(registry):
    registry.refusing.add("/delete")
    accounts = Accounts()
    accounts.add(registry.run(), registry.plan().vocabulary)
    registry.refusing.clear()
    accounts.add(registry.run(users=2), registry.plan().vocabulary)
    kept = {}
    accounts.record(SimpleNamespace(record=SimpleNamespace(fact=kept.__setitem__)))
    seen = {"made": 5, "deleted": 2, "unknown": 0, "left": 3}
    assert kept[FACT] == {**seen, "reasons": {"delete: status 503": 3}}
    (finding,) = judge_accounts(Evidence(facts=kept))
    assert (finding.outcome, finding.severity) == (Outcome.FAILED, Severity.IMPORTANT)
    assert "5 accounts were made and 2 deleted: 3 are left" in finding.message
    assert "delete: status 503 (3)" in finding.message
    assert list(judge_accounts(Evidence())) == []


def registering(timeout=0.1, expect=ANYTHING, **changes):
    """The operation that makes an account, with little time for it."""
    options = OptionsSpec(timeout=timeout, undo="delete", **changes)
    return OperationSpec("register", "POST", "/register", save={"id": "$.id"}, expect=expect, options=options)


def test_what_a_request_without_an_answer_made_leaves_the_verdict_open(registry):
    registry.silent = True
    outcome = registry.run(operations=(registering(),))
    assert outcome.counts == {"accounts.unknown": registry.made}
    registry.silent = False
    finding = verdict(registry, outcome, registry.run(users=2))
    assert (finding.outcome, finding.severity) == (Outcome.INCONCLUSIVE, Severity.IMPORTANT)
    assert finding.message.startswith("2 accounts were made and 2 deleted; ")
    assert f"up to {outcome.counts['accounts.unknown']} more may be left: " in finding.message
    assert "none is left" in verdict(registry, registry.run(users=2)).message


def test_each_attempt_without_an_answer_may_have_made_one(registry):
    registry.silent = True
    again = RetrySpec(attempts=2, pause=0.01, kinds=("timeout",))
    outcome = registry.run(users=1, operations=(registering(retry=again),), hold=1.0)
    assert registry.made >= 3
    assert outcome.counts["accounts.unknown"] == registry.made


def test_a_request_that_is_cut_when_the_run_is_stopped_may_have_made_one(registry):
    registry.silent = True
    outcome = registry.run(hold=60, stop_after=0.4, operations=(registering(50.0),))
    assert registry.made == 3
    assert outcome.counts["accounts.unknown"] == 3


def test_a_refusal_made_nothing_and_a_wrong_answer_may_have(registry):
    registry.refusing.add("/register")
    assert "accounts.unknown" not in registry.run().counts
    registry.refusing.clear()
    outcome = registry.run(operations=(registering(1.0, ExpectSpec(contains=("welcome",))),))
    assert outcome.counts == {"accounts.unknown": registry.made}


def test_what_could_not_be_sent_made_nothing(registry, run_here):
    plan = registry.plan()
    outcome = run_here(replace(plan, target=replace(plan.target, url="http://127.0.0.1:1")))
    assert outcome.errors
    assert outcome.counts == {}


def verdict(registry, *outcomes):
    accounts, kept = Accounts(), {}
    for outcome in outcomes:
        accounts.add(outcome, registry.plan().vocabulary)
    accounts.record(SimpleNamespace(record=SimpleNamespace(fact=kept.__setitem__)))
    [finding] = judge_accounts(Evidence(facts=kept))
    return finding


def test_what_is_left_is_not_certain_where_a_worker_was_lost(registry):
    def lost(outcome):
        return replace(outcome, generator=replace(outcome.generator, workers=2, workers_lost=1))

    registry.refusing.add("/delete")
    left = verdict(registry, lost(registry.run(users=2)))
    assert "2 accounts were made and 0 deleted: about 2 are left on the target." in left.message
    assert "a worker was lost, so what was made and deleted there at last is not known" in left.message
    registry.refusing.clear()
    gone = verdict(registry, lost(registry.run(users=2)))
    assert gone.outcome is Outcome.INCONCLUSIVE


def test_an_account_that_its_journey_deletes_is_not_deleted_twice(registry):
    tasks = {"short": TaskSpec(1, (Do("register"), Do("work"), Do("delete")))}
    outcome = registry.run(start=(), tasks=tasks, users=2)
    assert registry.there == set()
    assert outcome.errors == ()
    assert outcome.counts["accounts.made"] == outcome.counts["accounts.deleted"] == registry.made


def test_an_account_is_deleted_after_the_stop_steps(registry):
    registry.run(users=1, stop=(Do("child"),))
    last = [request.split(b" ")[1].split(b"?")[0] for request in registry.server.requests[-2:]]
    assert last == [b"/child", b"/delete"]


def test_a_plan_without_undo_counts_nothing(serve, make_plan, run_here):
    outcome = run_here(make_plan(serve(YES).url))
    assert outcome.counts == {}


def test_deleting_is_tried_again_where_the_operation_says_so(registry):
    registry.refusals = 1
    again = RetrySpec(attempts=2, pause=0.01, statuses=("5xx",))
    patient = OperationSpec(
        "delete", "GET", "/delete?{{ id }}", options=OptionsSpec(timeout=1.0, retry=again)
    )
    outcome = registry.run(users=1, operations=(patient,))
    assert registry.there == set()
    assert outcome.counts == {"accounts.made": 1, "accounts.deleted": 1, "retries": 1}


def test_arrivals_delete_what_they_made_when_their_time_is_over(registry):
    scenario = ScenarioSpec(
        "test", (Segment(20.0, 0.0), Segment(20.0, 0.6)), (0.0, 0.6), model=Model.OPEN, most=4
    )
    outcome = registry.run(scenario=scenario)
    assert registry.made >= 1
    assert registry.there == set()
    assert outcome.counts["accounts.made"] == outcome.counts["accounts.deleted"] == registry.made


def test_a_worker_that_is_lost_leaves_accounts_and_they_are_counted(registry, make_plan):
    """Its counts were streamed each second, so what it made and did not delete is known."""
    plan = registry.plan(users=4, hold=60, workers=2)
    ended = asyncio.Event()

    async def run():
        seconds = []

        def on_second(second):
            seconds.append(second)
            if len(seconds) == 1:
                kill_one_worker()
            if len(seconds) == 3:
                ended.set()

        return await run_load(plan, clock=RealClock(), stop=ended, on_second=on_second)

    outcome = uvloop.run(run())
    assert outcome.generator.workers_lost == 1
    assert outcome.counts == {"accounts.made": 4, "accounts.deleted": 2}
    assert len(registry.there) == 2


def kill_one_worker():
    workers = [
        child
        for child in psutil.Process().children(recursive=True)
        if "campaign.load.worker" in " ".join(child.cmdline())
    ]
    workers[0].kill()
