"""A leak is told, and nothing that only looks like one; small versions of benchmarks/verdicts.py."""

import math

import numpy as np
import pytest
from simulated import NOISES, ar1, step, warm_up

from campaign.stats.growth import Growth, Verdict, judge_growth, judge_together
from campaign.stats.warmup import settled_from

WEEK = 7 * 86_400.0
COUNT = 600
AT = np.arange(COUNT, dtype=float)


def judge(values, **more):
    return judge_growth(AT[: len(values)], values, **{"horizon": WEEK, "head_room": 1e-9, **more})


def rising(seed, *, by, noise="AR(1) 0"):
    return 100 + NOISES[noise](np.random.default_rng(seed), COUNT) + by * AT / COUNT


@pytest.mark.parametrize("noise", NOISES)
def test_what_does_not_grow_is_called_a_leak_in_no_run_however_small_the_head_room(noise):
    made = (NOISES[noise](np.random.default_rng([seed, 1]), COUNT) for seed in range(25))
    assert not any(judge(values).verdict is Verdict.LEAK for values in made)


@pytest.mark.parametrize("shape", [warm_up, step])
def test_a_warm_up_and_a_step_are_no_leaks(shape):
    made = (shape(np.random.default_rng([seed, 2]), COUNT, noise=ar1(0.8)) for seed in range(25))
    assert sum(judge(values).verdict is Verdict.LEAK for values in made) <= 1


@pytest.mark.parametrize("noise", NOISES)
def test_a_leak_that_uses_up_the_head_room_in_half_the_horizon_is_found(noise):
    head_room = 50 / COUNT * WEEK / 2
    found = [judge(rising([seed, 3], by=50, noise=noise), head_room=head_room).verdict for seed in range(20)]
    assert found.count(Verdict.LEAK) >= 19


def test_a_leak_tells_its_growth_and_when_the_head_room_is_gone():
    growth = judge(rising(1, by=60), head_room=600.0, requests=AT * 10)
    assert growth.verdict is Verdict.LEAK
    assert growth.low <= 360 <= growth.high
    assert growth.exhausted_in == pytest.approx(6000, rel=0.05)
    assert growth.per_request == pytest.approx(0.01, rel=0.05)


def test_a_leak_below_a_warm_up_is_found_behind_it():
    values = rising(1, by=60) + 40 * (1 - np.exp(-AT / 40))
    assert judge(values, head_room=600.0).verdict is Verdict.LEAK


def test_a_run_that_could_not_have_seen_the_leak_says_so_and_one_that_could_says_how_small():
    values = rising(1, by=0)
    small = judge(values, head_room=1.0)
    assert (small.verdict, small.why[:9]) == (Verdict.UNDECIDED, "too short")
    large = judge(values, head_room=10_000.0)
    assert large.verdict is Verdict.NO_LEAK
    assert 0 < large.smallest_visible < 10_000 / 168


def test_growth_that_the_head_room_bears_is_no_leak():
    assert judge(rising(1, by=60), head_room=1e6).verdict is Verdict.NO_LEAK


@pytest.mark.parametrize("values", [[], [1.0] * 30, [None] * COUNT])
def test_what_is_too_short_is_undecided(values):
    assert judge(values).verdict is Verdict.UNDECIDED


def test_gaps_move_nothing():
    whole = rising(1, by=60)
    gappy = [None if 200 <= k < 260 else math.nan if k % 7 == 0 else value for k, value in enumerate(whole)]
    growth = judge(gappy, head_room=600.0)
    assert growth.verdict is Verdict.LEAK
    assert growth.per_hour == pytest.approx(360, rel=0.05)


def test_only_the_longest_part_without_a_restart_is_judged():
    values = rising(1, by=0)
    values[:100] -= 50
    assert judge(values, head_room=1e4, restarts=[100.0]).judged_from >= 100


def test_growth_while_the_load_rises_is_the_loads():
    growth = judge(rising(1, by=60), head_room=600.0, load=10 + AT)
    assert (growth.verdict, growth.why) == (Verdict.UNDECIDED, "the load itself rose")


def test_one_leak_among_many_series_must_be_clearer_than_chance():
    leak = Growth(Verdict.LEAK, "", p=0.009)
    alone = judge_together({"a": leak})
    among = judge_together({"a": leak, **{str(k): Growth(Verdict.NO_LEAK, "", p=0.5) for k in range(20)}})
    assert (alone["a"].verdict, among["a"].verdict) == (Verdict.LEAK, Verdict.UNDECIDED)


def test_a_leak_never_settles_and_a_warm_up_does():
    assert settled_from(rising(1, by=60)) is None
    assert 20 <= settled_from(rising(1, by=0) + 50 * np.exp(-AT / 20)) <= 200
