"""What is judged of a scenario's samples, and what is compared with a baseline."""

import asyncio
from types import SimpleNamespace

import pytest

from campaign.load.spec import ErrorKind, GeneratorHealth, LoadOutcome, ScenarioSpec, Stage, Tally
from campaign.records import Evidence, Measurement, Outcome
from campaign.stats.histogram import Histogram
from campaign.target.spec import UserSpec, Vocabulary, WaitSpec
from phases.load import collect
from phases.load.figures import judged_tallies, measurements, plain, start_only
from phases.load.judge import judge_load
from phases.load.settings import LoadSettings

SETTINGS = LoadSettings.model_validate({"scenarios": {"calm": {"users": 10, "hold": "10s"}}})
VOCABULARY = Vocabulary(
    users={
        "parent": UserSpec("parent", 1.0, WaitSpec(0, 0), ("login", "home"), {"home": 1.0}),
        "child": UserSpec("child", 1.0, WaitSpec(0, 0), ("login",), {"search": 1.0}),
    }
)


def tally(*milliseconds, failed=0):
    response = Histogram()
    response.record_many([each * 1000 for each in milliseconds])
    return Tally(response, Histogram(), {ErrorKind.STATUS: failed} if failed else {})


def outcome(*, users=10, hold_seconds=10.0, saturated=False, **tallies):
    stages = {tuple(name.split("__")): each for name, each in tallies.items()}
    return LoadOutcome(
        scenario=ScenarioSpec("calm", users, 10.0, 10.0),
        tallies={(name, Stage(stage)): each for (name, stage), each in stages.items()},
        errors=(),
        longest_stall=0.1,
        users_reached=1.0,
        hold_seconds=hold_seconds,
        generator=GeneratorHealth(0.2 if saturated else 0.001, 0.001, 0.1, 1, 0),
    )


def counts(of):
    return {name: each.count for name, each in judged_tallies(of, start_only(VOCABULARY)).items()}


def measured(of):
    found = measurements(of, SETTINGS, start_only=start_only(VOCABULARY))
    return {each.name: each for each in found}


def test_what_is_only_done_at_the_start_is_judged_on_its_start_and_all_else_on_the_hold():
    assert start_only(VOCABULARY) == {"login"}
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
    rates = {row["name"]: row["rate"] for row in plain(seen, start_only(VOCABULARY))["operations"]}
    assert rates == {"login": None, "search": 2.0, "all": 2.0}


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
        target=None, vocabulary=VOCABULARY, settings=SETTINGS, clock=None, seed=1, baseline=baseline,
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
        (outcome(search__hold=tally(*[30] * 200), saturated=True), Outcome.FAILED),
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
        ({"scenarios": [{"name": "calm", "users": 1000}]}, "which had 1,000 users there"),
        ({"scenarios": [{"name": "peak", "users": 10}]}, "which it does not have"),
        ({}, "which it does not have"),
    ],
)
def test_what_was_measured_under_another_load_is_not_compared(monkeypatch, facts, why):
    p95 = Measurement.exact("calm.search.p95", 0.001, unit="s", count=200)
    after = collected(monkeypatch, outcome(search__hold=tally(*[10] * 200)), Evidence((p95,), (), facts))
    assert regression(after) == {}
    assert after.notes == (f"Scenario calm was not compared with the baseline, {why}.",)
