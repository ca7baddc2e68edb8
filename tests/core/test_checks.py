"""Every rule by which a measurement and a limit become an outcome."""

import math

import pytest

from campaign import checks
from campaign.records import Direction, Limit, Measurement, Outcome, Severity
from campaign.scoring import share

RANGE = Limit(200.0, 500.0, "ms", Direction.AT_MOST)
SINGLE = Limit(1.0, 1.0, "%", Direction.AT_MOST)
RATE = Limit(100.0, 50.0, "per s", Direction.AT_LEAST)
FLOOR = Limit(99.0, 99.0, "%", Direction.AT_LEAST)


def measured(value, low, high):
    return Measurement("m", value, "ms", 100, low, high)


CASES = [
    (RANGE, (150, 140, 160), Outcome.PASSED, 1.0),
    (RANGE, (195, 190, 200), Outcome.PASSED, 1.0),  # the worse end is on the target
    (
        RANGE,
        (195, 180, 215),
        Outcome.WARNED,
        0.975,
    ),  # the interval crosses the target: a warning, not a doubt
    (RANGE, (350, 350, 350), Outcome.WARNED, 0.75),
    (RANGE, (490, 480, 500), Outcome.WARNED, 0.5),  # the worse end is on acceptable
    (RANGE, (490, 480, 501), Outcome.INCONCLUSIVE, None),  # crosses acceptable
    (RANGE, (500, 500, 900), Outcome.INCONCLUSIVE, None),  # its better end is just acceptable
    (RANGE, (600, 510, 650), Outcome.FAILED, 0.25),
    (RANGE, (800, 790, 800), Outcome.FAILED, 0.0),
    (RANGE, (9000, 8000, 9999), Outcome.FAILED, 0.0),
    (RANGE, (150, 100, 900), Outcome.INCONCLUSIVE, None),  # crosses both ends
    (RANGE, (150, 100, None), Outcome.INCONCLUSIVE, None),  # nothing is known on the bad side
    (RANGE, (900, 700, None), Outcome.FAILED, 0.0),  # bad for certain, how bad is not known
    (RANGE, (150, None, 160), Outcome.PASSED, 1.0),  # nothing is known on the good side: no matter
    (RANGE, (900, None, 950), Outcome.INCONCLUSIVE, None),
    (RANGE, (None, None, None), Outcome.INCONCLUSIVE, None),
    (RANGE, (math.nan, 1, 2), Outcome.INCONCLUSIVE, None),
    (RANGE, (100, math.nan, 150), Outcome.INCONCLUSIVE, None),
    (RANGE, (100, 50, math.nan), Outcome.INCONCLUSIVE, None),
    (RANGE, (math.inf, math.inf, math.inf), Outcome.FAILED, 0.0),
    (SINGLE, (0.5, 0.4, 1.0), Outcome.PASSED, 1.0),
    (SINGLE, (0.5, 0.4, 1.1), Outcome.INCONCLUSIVE, None),
    (SINGLE, (1.5, 1.1, 2.0), Outcome.FAILED, 0.0),
    (RATE, (120, 110, 130), Outcome.PASSED, 1.0),
    (RATE, (90, 75, 105), Outcome.WARNED, 0.75),
    (RATE, (60, 49, 70), Outcome.INCONCLUSIVE, None),
    (RATE, (30, 25, 40), Outcome.FAILED, 0.25),
    (FLOOR, (100, 100, 100), Outcome.PASSED, 1.0),
    (FLOOR, (98, 98, 98), Outcome.FAILED, 0.0),
]


@pytest.mark.parametrize(("limit", "numbers", "outcome", "points"), CASES)
def test_the_worse_end_decides_and_only_a_straddled_acceptable_is_inconclusive(
    limit, numbers, outcome, points
):
    finding = checks.within("c", measured(*numbers), limit=limit, subject="s")
    assert (outcome, points) == (finding.outcome, None if points is None else pytest.approx(share(finding)))
    if points is None:
        assert share(finding) is None


@pytest.mark.parametrize(
    ("low", "high", "why"),
    [
        (None, None, "100 observations, which allow no 95 % interval, do not settle it"),
        (100, None, "the 95 % interval from 100 ms upwards from 100 observations does not settle it"),
        (None, 950, "the 95 % interval up to 950 ms from 100 observations does not settle it"),
    ],
)
def test_an_interval_without_an_end_is_told_as_one(low, high, why):
    assert checks.within("c", measured(400, low, high), limit=RANGE, subject="s").message.endswith(f": {why}")


def test_no_measurement_at_all_is_inconclusive_and_says_so():
    finding = checks.within("c", None, limit=RANGE, subject="p95")
    assert finding.outcome is Outcome.INCONCLUSIVE
    assert finding.message == "p95 was not measured (target 200 ms, acceptable 500 ms): no observations"


@pytest.mark.parametrize(
    ("numbers", "outcome"),
    [
        ((150, 140, 160), Outcome.INCONCLUSIVE),
        ((350, 340, 360), Outcome.INCONCLUSIVE),
        ((900, 800, 999), Outcome.FAILED),
    ],
)
def test_a_saturated_generator_takes_passes_away_and_lets_failures_stand(numbers, outcome):
    finding = checks.within("c", measured(*numbers), limit=RANGE, subject="p95", doubt="we were slow")
    assert outcome == finding.outcome
    assert ("we were slow" in finding.message) == (outcome is Outcome.INCONCLUSIVE)


def test_the_message_states_both_numbers_in_either_case():
    limit = Limit(0.2, 0.5, "s")
    good = checks.within("c", Measurement.exact("m", 0.15, unit="s"), limit=limit, subject="converse p95")
    bad = checks.within("c", Measurement.exact("m", 1.5, unit="s"), limit=limit, subject="converse p95")
    assert good.message == "converse p95 was 150 ms (target 200 ms, acceptable 500 ms)"
    assert bad.message == "converse p95 was 1.5 s (target 200 ms, acceptable 500 ms)"


def test_plain_facts_and_things_outside_the_plan():
    assert checks.holds("c", ok=True, message="m").outcome is Outcome.PASSED
    assert checks.holds("c", ok=False, message="m").outcome is Outcome.FAILED
    assert checks.inconclusive("c", "why", severity=Severity.BLOCKER).weight == 10
    assert (checks.not_applicable("c", "w").weight, checks.informational("c", "w").weight) == (0, 0)


@pytest.mark.parametrize(("measured", "doubt", "remedy"), [
    (Measurement("p95", 0.19, "s", 40, 0.1, 0.3), "", checks.MORE_SAMPLES),
    (Measurement("p95", None, "s"), "", checks.NOTHING_SEEN),
    (Measurement("p95", 0.1, "s", 4000, 0.09, 0.11), "our own generator was saturated", checks.AGAIN),
    (Measurement("p95", 0.3, "s", 4000, 0.29, 0.31), "", "Look at the slow queries."),
], ids=["straddles", "nothing seen", "doubt", "failed"])  # fmt: skip
def test_what_to_do_fits_what_is_known(measured, doubt, remedy):
    limit = Limit(0.2, 0.2, "s", Direction.AT_MOST)
    finding = checks.within(
        "p95", measured, limit=limit, subject="p95", remedy="Look at the slow queries.", doubt=doubt
    )
    assert finding.remedy == remedy
