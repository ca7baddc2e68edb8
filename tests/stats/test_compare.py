"""Two sets of times are called different when they are, and hardly ever when they are not."""

import numpy as np
import pytest
from scipy.stats import mannwhitneyu

from campaign.stats.compare import Difference, compare, rank_test
from campaign.stats.histogram import Histogram

THRESHOLD = 0.2


def histogram(values):
    made = Histogram()
    made.record_many([int(each) for each in values])
    return made


def latencies(random, *, count=200, median=3000.0, spread=0.3, slow=0.0):
    """Log-normal times in µs, as services have them; a share of them is ten times as long."""
    times = median * np.exp(random.normal(0, spread, count))
    return np.where(random.random(count) < slow, times * 10, times)


def difference(first, second, **how):
    return compare(histogram(first), histogram(second), **how).difference(THRESHOLD)


@pytest.mark.parametrize(("share", "slow"), [(None, 0.0), (None, 0.02), (0.5, 0.02), (0.95, 0.0)])
def test_equal_targets_are_called_slower_in_less_than_one_of_a_hundred_runs(share, slow):
    random = np.random.default_rng(7)
    found = [
        difference(latencies(random, slow=slow), latencies(random, slow=slow), share=share)
        for _ in range(100)
    ]
    assert found.count(Difference.SLOWER) == 0
    assert found.count(Difference.FASTER) <= 3


def test_a_target_that_is_slower_by_half_is_found():
    random = np.random.default_rng(8)
    found = [difference(latencies(random, median=4500), latencies(random)) for _ in range(40)]
    assert found.count(Difference.SLOWER) >= 39


def test_a_target_that_is_faster_is_called_so():
    random = np.random.default_rng(9)
    assert difference(latencies(random, median=2000), latencies(random)) is Difference.FASTER


def test_a_step_below_the_threshold_is_shown_and_borne():
    random = np.random.default_rng(10)
    slightly = latencies(random, count=3000, median=3300)
    assert difference(slightly, latencies(random, count=3000)) is Difference.WITHIN


def test_what_may_be_beyond_the_threshold_is_not_told_apart():
    random = np.random.default_rng(11)
    assert difference(latencies(random, median=3700), latencies(random)) is Difference.UNCLEAR


def test_a_few_very_slow_answers_alone_make_nothing_slower():
    random = np.random.default_rng(12)
    stuck = latencies(random)
    stuck[:5] = 2_000_000
    assert difference(stuck, latencies(random)) is Difference.UNCLEAR


def test_values_that_are_all_the_same_differ_in_nothing():
    assert difference([500] * 50, [500] * 50) is Difference.NONE


def test_too_few_values_are_not_compared():
    assert compare(histogram([1000] * 9), histogram([1000] * 500)) is None


def test_the_interval_is_the_same_each_time_and_holds_the_ratio():
    random = np.random.default_rng(13)
    first, second = histogram(latencies(random)), histogram(latencies(random))
    found = compare(first, second)
    assert found == compare(first, second)
    assert found.low < found.ratio < found.high
    assert found.ratio == pytest.approx(first.mean / second.mean, rel=1e-3)


def test_the_interval_holds_the_true_ratio_in_about_19_of_20_cases():
    random = np.random.default_rng(14)
    found = [
        compare(histogram(latencies(random, median=3600)), histogram(latencies(random))) for _ in range(150)
    ]
    assert 0.90 <= sum(each.low <= 1.2 <= each.high for each in found) / 150 <= 0.99


@pytest.mark.parametrize("alternative", ["greater", "less"])
def test_the_rank_test_agrees_with_that_of_scipy_also_with_ties(alternative):
    random = np.random.default_rng(15)
    first, second = random.integers(5, 30, 80), random.integers(4, 28, 120)
    told = mannwhitneyu(first, second, alternative=alternative, method="asymptotic")
    longer, shorter, superiority = rank_test(histogram(first), histogram(second))
    assert (longer if alternative == "greater" else shorter) == pytest.approx(told.pvalue)
    if alternative == "greater":
        assert superiority == pytest.approx(told.statistic / (80 * 120))


@pytest.mark.parametrize(("count", "spread"), [(12, 0.8), (30, 0.8), (30, 1.2), (200, 1.2)])
def test_a_target_that_is_slower_by_half_hardly_ever_passes_however_few_the_samples(count, spread):
    random = np.random.default_rng(16)
    clear = {Difference.NONE, Difference.WITHIN, Difference.FASTER}

    def times(median):
        return latencies(random, count=count, median=median, spread=spread)

    found = [difference(times(4500), times(3000)) for _ in range(150)]
    assert sum(each in clear for each in found) <= 0.03 * 150


def test_what_few_samples_leave_open_says_how_many_would_settle_it():
    random = np.random.default_rng(17)
    few = compare(*(histogram(latencies(random, count=30, spread=0.8)) for _ in range(2)))
    assert few.difference(THRESHOLD) is Difference.UNCLEAR
    enough = few.enough(THRESHOLD)
    assert 30 < enough < 100_000
    many = compare(*(histogram(latencies(random, count=enough * 3, spread=0.8)) for _ in range(2)))
    assert many.difference(THRESHOLD) is not Difference.UNCLEAR
    assert many.enough(THRESHOLD) is None
