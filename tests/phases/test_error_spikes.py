"""Errors that came together are told from errors that are spread evenly, in memory that does not grow."""

import random

import pytest

from campaign.load.tally import ErrorKind
from campaign.records import Evidence, Measurement, Outcome, Severity
from phases.load.judge import judge_load
from phases.load.settings import LoadSettings
from phases.load.spikes import FEWEST, ErrorCounts


def counted(failed, *, asked=50, most=1024):
    counts = ErrorCounts(most)
    for at, each in enumerate(failed):
        counts.add(at, asked=asked, failed=each)
    return counts


def by_chance(seed, *, rate, seconds=120, asked=50):
    source = random.Random(seed)
    return [sum(source.random() < rate for _ in range(asked)) for _ in range(seconds)]


@pytest.mark.parametrize("rate", [0.002, 0.01, 0.2])
def test_errors_by_chance_are_no_spike(rate):
    found = [counted(by_chance(seed, rate=rate)).spike() for seed in range(60)]
    assert [each for each in found if each] == []


@pytest.mark.parametrize(
    ("failed", "began", "ended"),
    [
        ([0] * 40 + [30] * 4 + [0] * 76, 40, 44),
        ([1, 0] * 30 + [50] * 8 + [0, 1] * 30, 60, 68),
        ([0] * 20 + [12] + [0] * 40, 20, 21),
        ([0] * 100 + [50] * 20, 100, 120),
    ],
    ids=["a pause", "a pause among others", "one second", "to the end"],
)
def test_a_spike_is_found_where_it_was(failed, began, ended):
    spike = counted(failed).spike()
    assert (spike.began, spike.ended) == (began, ended)
    assert spike.failed == sum(failed[began:ended])
    assert spike.asked == 50 * (ended - began)


@pytest.mark.parametrize(
    "failed",
    [[0] * 60, [0] * 50 + [FEWEST - 1] + [0] * 50, [50] * 60, [5] * 60, [10] * 30 + [20] * 30],
    ids=["none", "too few", "all", "a constant share", "twice as many later"],
)
def test_what_is_no_spike(failed):
    assert counted(failed).spike() is None


def test_more_traffic_is_no_spike_of_errors():
    counts = ErrorCounts()
    for at in range(60):
        busy = 30 <= at < 40
        counts.add(at, asked=1000 if busy else 20, failed=10 if busy else at % 5 == 0)
    assert counts.spike() is None


def test_a_whole_day_is_kept_in_constant_memory_and_still_shows_its_spike():
    counts = ErrorCounts(most=64)
    for at in range(86_400):
        counts.add(at, asked=20, failed=18 if 40_000 <= at < 41_000 else at % 500 == 0)
        assert len(counts._bins) <= 64
    spike = counts.spike()
    assert (spike.began, spike.ended) == pytest.approx((40_000, 41_000), abs=2048)
    assert counts.failed > spike.failed >= 17_000


def evidence(errors_over_time, rate=0.0):
    scenario = {
        "name": "calm", "users": 5, "generator": {"saturation": ""}, "errors_over_time": errors_over_time,
    }  # fmt: skip
    spike = Measurement.exact("calm.all.error_spike", rate, unit="share", count=6000)
    return Evidence((spike,), (), {"scenarios": [scenario]})


SPIKE = {"began": 40.0, "ended": 44.0, "failed": 120, "asked": 200, "chance": 1e-9, "error_rate": 0.6}


def findings(of, **limits):
    chosen = LoadSettings.model_validate({"scenarios": {"calm": {"users": 5}}, "limits": {"all": limits}})
    return {each.check: each for each in judge_load(of, chosen)}


def test_a_spike_is_a_minor_warning_that_says_when_and_how_much():
    found = findings(evidence({"asked": 6000, "failed": 132, "spike": SPIKE}, 0.6))
    finding = found["calm.all.errors_over_time"]
    assert (finding.outcome, finding.severity) == (Outcome.WARNED, Severity.MINOR)
    assert "120 of 132 errors (90.9 %) came in a spike from 40 s to 44 s" in finding.message


@pytest.mark.parametrize(("limit", "verdict"), [("50%", Outcome.FAILED), ("70%", Outcome.PASSED)])
def test_a_limit_on_spikes_decides_in_place_of_the_warning(limit, verdict):
    found = findings(evidence({"asked": 6000, "failed": 132, "spike": SPIKE}, 0.6), error_spike=limit)
    assert found["calm.all.error_spike"].outcome is verdict
    assert found["calm.all.errors_over_time"].outcome is Outcome.INFORMATIONAL


@pytest.mark.parametrize(
    ("asked", "failed", "said"),
    [
        (6000, 60, "60 errors in calm, spread evenly"),
        (6000, 1, "1 error in calm, too few to say"),
        (60, 60, "all requests"),
    ],
)
def test_errors_without_a_spike_are_a_remark(asked, failed, said):
    found = findings(evidence({"asked": asked, "failed": failed, "spike": None}))
    finding = found["calm.all.errors_over_time"]
    assert finding.outcome is Outcome.INFORMATIONAL
    assert said in finding.message


def test_no_errors_are_not_worth_a_word():
    assert "calm.all.errors_over_time" not in findings(evidence({"asked": 9, "failed": 0, "spike": None}))


def unbuilt(count, *, requests=10_000, kind=ErrorKind.RENDER):
    whole = evidence({"asked": requests, "failed": 0, "spike": None})
    scenario = whole.facts["scenarios"][0]
    scenario["requests"] = requests
    scenario["errors"] = [{"operation": "search", "kind": kind, "detail": "no 'mail'", "count": count}]
    return findings(whole)["calm.all.requests_sent"]


@pytest.mark.parametrize(
    ("count", "kind", "verdict"),
    [
        (1, ErrorKind.RENDER, Outcome.INFORMATIONAL),
        (10, ErrorKind.RENDER, Outcome.INFORMATIONAL),
        (11, ErrorKind.RENDER, Outcome.INCONCLUSIVE),
        (1, ErrorKind.EXHAUSTED, Outcome.INCONCLUSIVE),
    ],
)
def test_a_few_requests_that_could_not_be_built_are_a_remark(count, kind, verdict):
    assert unbuilt(count, kind=kind).outcome is verdict
