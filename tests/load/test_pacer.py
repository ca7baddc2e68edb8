"""When arrivals are due: at the rate of the profile, evenly or at random, and the same under any split."""

from __future__ import annotations

from itertools import pairwise

import pytest

from campaign.clock import SECOND
from campaign.load.pacer import dues, even_count, make_pacer
from campaign.load.profile import Segment
from campaign.load.spec import Model, ScenarioSpec
from campaign.load.timeline import Timeline

START = 1_000 * SECOND


def open_scenario(*segments, poisson=False):
    lines = tuple(Segment(*each) for each in segments)
    return ScenarioSpec(
        "open", lines, (0.0, sum(each.seconds for each in lines)), Model.OPEN, poisson=poisson
    )


def pacer(*segments, poisson=False, seed="1"):
    scenario = open_scenario(*segments, poisson=poisson)
    return make_pacer(scenario, Timeline.of(scenario, START), seed=seed)


def seconds(pacer, *, first=0, step=1):
    return [(due - START) / SECOND for due in dues(pacer, first=first, step=step)]


def test_at_a_constant_rate_arrivals_are_even():
    assert seconds(pacer((4, 0), (4, 2))) == [0.0, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 1.75]


def test_after_the_last_there_is_none():
    even = pacer((4, 0), (4, 2))
    assert (even.due(7), even.due(8), even.due(10**9)) == (START + 1_750_000_000, None, None)


def test_on_a_ramp_arrivals_come_ever_faster_and_as_many_as_its_area():
    moments = seconds(pacer((100, 10)))
    gaps = [later - sooner for sooner, later in pairwise(moments)]
    assert len(moments) == 500
    assert gaps == sorted(gaps, reverse=True)
    assert sum(moment < 5 for moment in moments) == 125


def test_stages_of_the_rate_follow_each_other_without_a_gap():
    moments = seconds(pacer((10, 0), (10, 1), (100, 0), (100, 1), (0, 1)))
    counts = [sum(at <= moment < at + 1 for moment in moments) for at in (0, 1, 2)]
    assert counts == [10, 100, 50]


def test_nothing_arrives_while_the_rate_is_nothing():
    assert seconds(pacer((0, 3), (2, 0), (2, 1))) == [3.0, 3.5]
    assert seconds(pacer((0, 3))) == []


def test_random_arrivals_have_the_rate_and_the_gaps_of_a_poisson_process():
    moments = seconds(pacer((100, 0), (100, 100), poisson=True))
    gaps = [later - sooner for sooner, later in pairwise(moments)]
    mean = sum(gaps) / len(gaps)
    # Four standard deviations; the seed is fixed. The gaps' deviation equals their mean.
    assert len(moments) == pytest.approx(10_000, abs=400)
    assert (sum((gap - mean) ** 2 for gap in gaps) / len(gaps)) ** 0.5 == pytest.approx(mean, rel=0.04)
    assert sum(gap > 3 * mean for gap in gaps) / len(gaps) == pytest.approx(0.0498, abs=0.009)


def test_random_arrivals_follow_the_profile():
    moments = seconds(pacer((400, 10), poisson=True))
    assert sum(moment < 5 for moment in moments) / len(moments) == pytest.approx(0.25, abs=0.04)


def test_random_arrivals_depend_on_the_seed_alone():
    same = [seconds(pacer((50, 0), (50, 2), poisson=True, seed="7")) for _ in range(2)]
    assert same[0] == same[1] != seconds(pacer((50, 0), (50, 2), poisson=True, seed="8"))


@pytest.mark.parametrize("poisson", [False, True])
@pytest.mark.parametrize("workers", [2, 3, 7])
def test_any_split_sends_the_union_of_the_arrivals(poisson, workers):
    whole = seconds(pacer((60, 1), (60, 2), poisson=poisson))
    parts = [
        seconds(pacer((60, 1), (60, 2), poisson=poisson), first=index, step=workers)
        for index in range(workers)
    ]
    assert sorted(moment for part in parts for moment in part) == whole
    assert max(map(len, parts)) - min(map(len, parts)) <= 1


def test_a_pacer_says_the_same_in_any_order():
    random = pacer((50, 0), (50, 1), poisson=True)
    later, sooner = random.due(20), random.due(3)
    fresh = pacer((50, 0), (50, 1), poisson=True)
    assert (fresh.due(3), fresh.due(20), fresh.due(20)) == (sooner, later, later)


@pytest.mark.parametrize(("begins", "ends"), [(0, 4), (1.3, 3.1), (0.5, 0.5), (2, 2.01)])
def test_even_arrivals_can_be_counted_without_their_moments(begins, ends):
    scenario = open_scenario((30, 2), (30, 2))
    moments = seconds(make_pacer(scenario, Timeline.of(scenario, START), seed="1"))
    counted = even_count(Timeline.of(scenario, START), begins, ends=ends)
    assert counted == sum(begins <= moment < ends for moment in moments)
