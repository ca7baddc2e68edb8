"""The scalability law, change points, lagged correlation, the knee: on data whose truth is known."""

import numpy as np
import pytest
from simulated import ar1

from campaign.stats.changepoints import change_points
from campaign.stats.knee import find_knee
from campaign.stats.lagged import lagged_correlation
from campaign.stats.multiple import benjamini_hochberg
from campaign.stats.scalability import NoLaw, fit_scalability, law
from campaign.stats.trend import mann_kendall, theil_sen

LADDER = np.array([1, 5, 10, 25, 50, 100, 200, 400.0])


def test_the_law_is_recovered_with_its_peak():
    fitted = fit_scalability(LADDER, law(LADDER, 100, 0.03, 1e-4))
    assert (fitted.rate, fitted.sigma, fitted.kappa) == pytest.approx((100, 0.03, 1e-4), rel=1e-3)
    assert fitted.peak_n == pytest.approx(98.5, rel=0.01)
    assert fitted.throughput(801) is None


def test_no_peak_is_claimed_where_nothing_has_to_agree():
    assert fit_scalability(LADDER, law(LADDER, 100, 0.05, 0)).peak_n is None


@pytest.mark.parametrize(
    ("levels", "why"), [([1, 5, 10, 25, 50], "5 levels"), ([20, 25, 30, 40, 50, 60], "lowest")]
)
def test_a_ladder_that_says_too_little_gives_no_law(levels, why):
    found = fit_scalability(levels, levels)
    assert isinstance(found, NoLaw)
    assert why in found.reason


def test_a_regression_at_run_ten_of_fifteen_is_found_and_a_stable_history_has_none():
    random = np.random.default_rng(1)
    (change,) = change_points(np.append(random.normal(100, 3, 10), random.normal(120, 3, 5)))
    assert change.index == 10
    assert change.after / change.before == pytest.approx(1.2, rel=0.05)
    stable = [bool(change_points(np.random.default_rng(seed).normal(100, 4, 15))) for seed in range(60)]
    assert sum(stable) <= 3
    assert change_points([1.0] * 5 + [9.0] * 4) == ()


def test_what_follows_is_found_with_its_lag_and_what_is_independent_is_not():
    random = np.random.default_rng(1)
    x = ar1(0.9)(random, 305)
    found = lagged_correlation(x[5:], x[:-5] + random.normal(0, 0.2, 300), max_lag=10)
    assert found.lag == 5
    assert found.p < 1e-6
    pairs = [[ar1(0.95)(np.random.default_rng([k, n]), 300) for n in (1, 2)] for k in range(60)]
    assert sum(lagged_correlation(x, y, max_lag=10).p < 0.01 for x, y in pairs) <= 4
    assert lagged_correlation([1.0] * 50, [2.0] * 50, max_lag=3) is None


def test_the_knee_is_the_last_level_in_proportion():
    assert find_knee([1, 5, 10, 25, 50], [10, 50, 100, 250, 300]) == 25
    assert find_knee([1, 5, 10, 25], [10, 50, 100, 250]) is None


def test_of_many_tests_those_below_their_rank_hold():
    assert benjamini_hochberg([0.01, 0.04, 0.03, 0.5]) == (True, False, False, False)
    assert benjamini_hochberg([0.01, 0.02, 0.03, 0.5]) == (True, True, True, False)
    assert benjamini_hochberg([]) == ()


def test_likeness_of_neighbours_is_no_trend_and_the_slope_of_a_line_is_that_of_the_line():
    seen = [mann_kendall(ar1(0.8)(np.random.default_rng(k), 300)).p_up < 0.05 for k in range(100)]
    assert sum(seen) <= 12
    assert theil_sen([0, 1, 2, 3, 4], [0, 2, 4, 6, 8]).value == 2
