"""Limits agree with published tables, and cover what they promise to cover."""

import math
import random

import numpy as np
import pytest

from campaign.stats.histogram import Histogram
from campaign.stats.intervals import (
    clopper_pearson,
    fewest_for,
    mean_limits,
    percentile_limits,
    percentile_ranks,
    share_at_least,
    share_at_most,
)


def filled(values):
    histogram = Histogram()
    histogram.record_many(values)
    return histogram


@pytest.mark.parametrize(
    ("failures", "count", "low", "high"),
    [
        (0, 10, 0.0, 0.3085),
        (1, 10, 0.0025, 0.4450),
        (5, 10, 0.1871, 0.8129),
        (10, 10, 0.6915, 1.0),
        (10, 100, 0.0490, 0.1762),
        (0, 0, 0.0, 1.0),
    ],
)
def test_clopper_pearson_gives_the_published_limits(failures, count, low, high):
    assert clopper_pearson(failures, count) == pytest.approx((low, high), abs=5e-5)


def test_no_failure_in_2995_proves_less_than_one_in_a_thousand_and_2994_does_not():
    assert share_at_most(0, 2995) < 0.001
    assert share_at_most(0, 2994) > 0.001


def test_one_sided_limits_mirror_each_other():
    assert share_at_least(97, 100) == pytest.approx(1 - share_at_most(3, 100))
    assert (share_at_least(0, 5), share_at_most(5, 5)) == (0.0, 1.0)


@pytest.mark.parametrize(
    ("count", "share", "ranks"),
    [
        (10, 0.5, (2, 9)),  # the textbook limits of a median
        (100, 0.5, (40, 61)),
        (5, 0.5, (None, None)),
        (6, 0.5, (1, 6)),
        (71, 0.95, (63, None)),
        (72, 0.95, (64, 72)),  # 0.95**72 < 0.025: the first sample that bounds p95 from above
        (368, 0.99, (360, 368)),
        (367, 0.99, (359, None)),
        (0, 0.5, (None, None)),
    ],
)
def test_ranks_around_a_percentile_are_those_of_the_binomial(count, share, ranks):
    assert percentile_ranks(count, share) == ranks


def test_percentile_limits_are_the_values_at_those_ranks():
    assert percentile_limits(filled(range(1, 101)), 0.5) == (40, 61)
    assert percentile_limits(filled(range(1, 6)), 0.5) == (None, None)
    assert percentile_limits(Histogram(), 0.95) == (None, None)


def test_limits_at_a_large_count_are_found_quickly_and_narrow():
    low, high = percentile_ranks(10**8, 0.99)
    assert low < 0.99 * 10**8 < high
    assert high - low < 10_000


def test_the_true_p95_lies_within_its_limits_in_at_least_19_of_20_samples():
    rng = random.Random(7)
    true_p95 = -math.log(0.05) * 1000  # of an exponential distribution with mean 1000
    inside = 0
    for _ in range(400):
        low, high = percentile_limits(filled([int(rng.expovariate(1 / 1000)) + 1 for _ in range(200)]), 0.95)
        inside += (low or 0) <= true_p95 <= (high or float("inf"))
    assert inside >= 0.93 * 400


def test_mean_limits_are_those_of_student():
    values = [100, 110, 120, 130, 140]
    # mean 120, standard error 15.811 / sqrt(5) = 7.071, t(4, 0.975) = 2.7764
    assert mean_limits(filled(values)) == pytest.approx((120 - 19.632, 120 + 19.632), abs=0.01)


def test_one_value_has_a_mean_but_no_limits():
    assert mean_limits(filled([100])) == (None, None)


@pytest.mark.parametrize(
    ("count", "share"),
    [(30, 0.91), (200, 0.93)],  # of 30 it is 0.929 in the long run: no known method reaches 0.95 there
)
def test_the_true_mean_of_very_skewed_times_lies_within_its_limits(count, share):
    random = np.random.default_rng(3)
    truth = 10_000 * math.exp(1.2**2 / 2)
    samples = 10_000 * np.exp(random.normal(0, 1.2, (500, count)))
    limits = [mean_limits(filled([int(each) for each in sample])) for sample in samples]
    assert sum(low <= truth <= high for low, high in limits) / 500 >= share


def test_limits_of_skewed_times_reach_further_up_and_are_never_narrower_than_students():
    values = [100] * 28 + [1000, 3000]
    low, high = mean_limits(filled(values))
    error = np.std(values, ddof=1) / math.sqrt(30)
    assert low <= np.mean(values) - 2.0452 * error + 1  # t(29, 0.975) = 2.0452
    assert high > np.mean(values) + 2.5 * error


def test_the_fewest_values_for_a_percentile_are_those_of_which_the_largest_bounds_it():
    for share in (0.5, 0.95, 0.99):
        count = fewest_for(share)
        assert percentile_ranks(count, share)[1] == count
        assert percentile_ranks(count - 1, share)[1] is None
