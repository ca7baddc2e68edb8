"""What is judged of a scenario's samples, and what is compared with a baseline."""

import asyncio
import json
import sys
from dataclasses import replace
from types import SimpleNamespace

import pytest

from campaign.load.generator import GeneratorHealth
from campaign.load.outcome import LoadOutcome
from campaign.load.profile import Segment
from campaign.load.spec import Model, ScenarioSpec, ramp_and_hold
from campaign.load.tally import ErrorKind, Person, Stage, Tally
from campaign.records import Evidence, Measurement, Outcome
from campaign.stats.histogram import Histogram
from campaign.target.journey import Do, TaskSpec, WaitSpec
from campaign.target.spec import TargetSpec, UserSpec, Vocabulary
from phases.load import collect
from phases.load.figures import measurements
from phases.load.judge import judge_load
from phases.load.samples import judged
from phases.load.settings import LoadSettings
from phases.load.shape import shape
from phases.load.subjects import Subjects
from phases.load.tables import plain

SETTINGS = LoadSettings.model_validate({"scenarios": {"calm": {"users": 10, "hold": "10s"}}})
VOCABULARY = Vocabulary(
    users={
        "parent": UserSpec(
            "parent", 1.0, WaitSpec(0, 0), (Do("login"), Do("home")), {"home": TaskSpec.of("home")}
        ),
        "child": UserSpec("child", 1.0, WaitSpec(0, 0), (Do("login"),), {"search": TaskSpec.of("search")}),
    }
)
SUBJECTS = Subjects.of(VOCABULARY)


def histogram(*milliseconds):
    filled = Histogram()
    filled.record_many([each * 1000 for each in milliseconds])
    return filled


def tally(*milliseconds, failed=0):
    response = Histogram()
    response.record_many([each * 1000 for each in milliseconds])
    return Tally(response, Histogram(), {ErrorKind.STATUS: failed} if failed else {})


def outcome(*, users=10, hold_seconds=10.0, saturated=False, **tallies):
    stages = {tuple(name.split("__")): each for name, each in tallies.items()}
    return LoadOutcome(
        scenario=ramp_and_hold("calm", users, 10.0, 10.0),
        tallies={(name, Stage(stage)): each for (name, stage), each in stages.items()},
        errors=(),
        longest_stall=0.1,
        load_reached=1.0,
        hold_seconds=hold_seconds,
        generator=GeneratorHealth(0.2 if saturated else 0.001, 0.001, 0.1, 1, 0),
    )


def counts(of):
    seen = judged(of, SUBJECTS)
    return {name: seen.of(name, SUBJECTS).tally.count for name in (*seen.operations, "all")}


def measured(of):
    found = measurements(of, SETTINGS, subjects=SUBJECTS)
    return {each.name: each for each in found}


def test_requests_that_were_cut_unanswered_leave_the_error_rate_in_doubt():
    whole = measured(outcome(search__hold=tally(*[10] * 1000)))["calm.all.error_rate"]
    unfinished = tally(*[10] * 1000, *[900] * 50)
    unfinished.errors[ErrorKind.CUT] = 50
    cut = measured(outcome(search__hold=unfinished))
    assert whole.high < 0.01
    assert (cut["calm.all.error_rate"].value, cut["calm.all.error_rate"].low) == (0.0, 0.0)
    assert cut["calm.all.error_rate"].high > 50 / 1050
    # Their times are the least that they would have taken, so what they may decide has no upper end.
    assert cut["calm.search.p50"].high == pytest.approx(0.01, rel=0.01)
    assert cut["calm.search.p95"].high is None
    assert cut["calm.search.mean"].high is None
    assert cut["calm.search.max"].high is None


def test_what_is_only_done_at_the_start_is_judged_on_its_start_and_all_else_on_the_hold():
    assert SUBJECTS.start_only == {"login"}
    seen = outcome(login__ramp=tally(5, 6), home__ramp=tally(1, 1, 1), search__hold=tally(7))
    assert counts(seen) == {"login": 2, "home": 0, "search": 1, "all": 1}


def test_a_run_that_was_stopped_before_its_hold_says_nothing_of_the_tasks():
    found = measured(outcome(home__ramp=tally(1, 1, 1), hold_seconds=0.0))
    assert found["calm.home.p95"].value is None
    assert found["calm.home.error_rate"].value is None
    assert found["calm.all.rate"].value is None


def test_samples_from_outside_the_hold_have_no_rate_there():
    seen = outcome(login__ramp=tally(*[5] * 20), search__hold=tally(*[5] * 20))
    found = measured(seen)
    assert (found["calm.login.rate"].value, found["calm.search.rate"].value) == (None, 2.0)
    assert found["calm.login.p50"].value == pytest.approx(0.005, rel=0.01)
    rates = {row["name"]: row["rate"] for row in plain(seen, SUBJECTS)["operations"]}
    assert rates == {"login": None, "search": 2.0, "all": 2.0}


def at(level, seconds):
    return Segment(level, seconds)


@pytest.mark.parametrize(
    ("segments", "of", "words"),
    [
        ((at(50, 5), at(50, 120), at(0, 5)), Model.CLOSED,
         "0 to 50 users in 5 s, 50 users for 2 min, 50 to 0 users in 5 s"),
        ((at(1, 0), at(1, 30), at(0, 0)), Model.CLOSED, "1 user for 30 s"),
        ((at(10, 0), at(40.5, 60)), Model.OPEN, "10 to 40.5 arrivals/s in 60 s"),
        (tuple(at(10 * step, 5) for step in range(1, 9)), Model.CLOSED, "8 steps up to 80 users in 40 s"),
    ],
)  # fmt: skip
def test_the_load_that_was_asked_for_is_told_in_words(segments, of, words):
    assert shape(ScenarioSpec("calm", segments, (0, 1), of)) == words


def test_the_page_is_told_all_that_was_seen():
    hold = Stage.HOLD
    seen = replace(
        outcome(search__hold=tally(7, 8), search__ramp=tally(5), search__down=tally(5, 6)),
        views={("kind parent", hold): tally(7)},
        measures={
            ("reading", "group", hold): histogram(900),
            ("search", "first_event", hold): histogram(300),
            ("search", "queue", hold): histogram(2),
        },
        counts={
            "reading.failed": 2, "search.events": 40, "retries": 3, "accounts.made": 5, "accounts.deleted": 4,
        },
        people={1: Person(2, 0, 2_000, 1_500), 2: Person(1, 1, 9_000, 9_000)},
    )  # fmt: skip
    table = plain(seen, replace(SUBJECTS, groups=frozenset({"reading"})))
    assert json.dumps(table, allow_nan=False)
    assert (table["model"], table["asked"], table["reached"]) == ("closed", 100.0, 100.0)
    assert (table["cut_before"], table["cut_after"], table["requests"]) == (1, 2, 5)
    assert [(each["name"], each["count"]) for each in table["views"]] == [("kind parent", 1)]
    assert [(each["name"], each["count"], each["failed"]) for each in table["groups"]] == [("reading", 1, 2)]
    assert [(each["operation"], each["name"]) for each in table["times"]] == [("search", "first_event")]
    assert table["received"] == [{"operation": "search", "what": "events", "count": 40}]
    assert table["accounts"] == {"made": 5, "deleted": 4, "left": 1, "unknown": 0}
    assert (table["people"]["fastest"], table["people"]["slowest"]) == (0.001, 0.009)
    assert table["people"]["extremes"][0]["user"] == 2
    queue = {each["name"]: each["queue"] for each in table["operations"]}
    assert queue["search"]["p95"] == pytest.approx(0.002, rel=0.01)


def test_arrivals_are_told_as_arrivals():
    steady = (Segment(40, 0), Segment(40, 10))
    spec = ScenarioSpec("calm", steady, (0, 10), Model.OPEN, most=200, poisson=True)
    counts = {"arrivals.asked": 391, "arrivals.begun": 380}
    table = plain(replace(outcome(), scenario=spec, counts=counts, load_reached=380 / 391), SUBJECTS)
    assert (table["asked"], round(table["reached"]), table["level"]) == (391, 380, 40)
    assert "Poisson" in table["model_title"]


class Record:
    """Keeps what a phase records, as the runner's evidence log does."""

    def __init__(self):
        self.measurements, self.facts, self.notes = [], {}, []
        self.measurement = self.measurements.append
        self.note = self.notes.append

    def fact(self, name, value):
        self.facts[name] = value

    def points(self, at, values):
        pass

    def elapsed(self):
        return 0.0

    def evidence(self):
        return Evidence(tuple(self.measurements), (), self.facts, tuple(self.notes))


def collected(monkeypatch, of, baseline):
    """The evidence of a run that came to `of`."""

    async def run_load(plan, **others):
        return of

    async def ask_nobody(context):
        pass

    monkeypatch.setattr(collect, "run_load", run_load)
    monkeypatch.setattr(collect, "record_aftermath", ask_nobody)
    record = Record()
    context = SimpleNamespace(
        target=TargetSpec("http://127.0.0.1:9"), vocabulary=VOCABULARY, settings=SETTINGS, clock=None, seed=1,
        baseline=baseline,
        record=record, notify=None, stop=SimpleNamespace(requested=False),
    )  # fmt: skip
    asyncio.run(collect.run_scenarios(context))
    return record.evidence()


def regression(evidence):
    return {each.check: each.outcome for each in judge_load(evidence, SETTINGS) if "regression" in each.check}


@pytest.mark.parametrize(
    ("of", "found"),
    [
        (outcome(search__hold=tally(*[10] * 200)), Outcome.PASSED),
        (outcome(search__hold=tally(*[30] * 200)), Outcome.FAILED),
        (outcome(search__hold=tally(*[10] * 200), saturated=True), Outcome.INCONCLUSIVE),
        (outcome(search__hold=tally(*[30] * 200), saturated=True), Outcome.INCONCLUSIVE),
        (outcome(search__ramp=tally(*[10] * 200)), Outcome.INCONCLUSIVE),
    ],
    ids=["as fast", "slower", "as fast, but saturated", "slower and saturated", "no samples"],
)
def test_a_p95_is_compared_with_the_baseline(monkeypatch, of, found):
    before = collected(monkeypatch, outcome(search__hold=tally(*[10] * 200)), None)
    after = collected(monkeypatch, of, before)
    assert regression(after)["calm.search.p95.regression"] is found


@pytest.mark.parametrize(
    ("facts", "why"),
    [
        ({"scenarios": [{"name": "calm", "users": 1000}]}, "the baseline had 1,000 users there"),
        (
            {"scenarios": [{"name": "calm", "users": 10, "model": "open", "level": 10.0}]},
            "the baseline had 10 arrivals/s there",
        ),
        (
            {
                "scenarios": [{"name": "calm", "users": 10}],
                "choice": "Only a part was run (--tags a): 1 of 2.",
            },
            "of the baseline only a part was run (--tags a): 1 of 2",
        ),
        ({"scenarios": [{"name": "peak", "users": 10}]}, "the baseline does not have this scenario"),
        ({}, "the baseline does not have this scenario"),
    ],
)
def test_what_was_measured_under_another_load_is_not_compared(monkeypatch, facts, why):
    p95 = Measurement.exact("calm.search.p95", 0.001, unit="s", count=200)
    after = collected(monkeypatch, outcome(search__hold=tally(*[10] * 200)), Evidence((p95,), (), facts))
    assert regression(after) == {}
    assert after.notes == (f"Scenario calm was not compared with the baseline: {why}.",)


def test_a_part_is_not_compared_with_the_whole_but_with_the_same_part(monkeypatch):
    before = collected(monkeypatch, outcome(search__hold=tally(*[10] * 200)), None)
    part = replace(VOCABULARY, choice="Only a part was run (--tags a): 1 of 2 tasks of users.")
    monkeypatch.setattr(sys.modules[__name__], "VOCABULARY", part)
    of_part = collected(monkeypatch, outcome(search__hold=tally(*[10] * 200)), before)
    assert regression(of_part) == {}
    why = "of this run only a part was run (--tags a): 1 of 2 tasks of users"
    assert of_part.notes == (part.choice, f"Scenario calm was not compared with the baseline: {why}.")
    again = collected(monkeypatch, outcome(search__hold=tally(*[10] * 200)), of_part)
    assert "calm.search.p95.regression" in regression(again)
