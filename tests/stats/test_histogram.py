"""The sparse histogram gives what the reference implementation gives."""

import json
import pickle

import numpy as np
import pytest
from hdrh.histogram import HdrHistogram
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import skew

from campaign.stats.histogram import HIGHEST, Histogram

VALUES = st.lists(
    st.one_of(
        st.integers(1, 5000), st.integers(1, HIGHEST), st.sampled_from([1, 1023, 1024, 2047, 2048, HIGHEST])
    ),
    min_size=1,
    max_size=200,
)
SHARES = st.one_of(st.floats(0.001, 1), st.sampled_from([0.5, 0.9, 0.95, 0.99, 0.999, 1.0]))


def filled(values):
    histogram = Histogram()
    histogram.record_many(values)
    return histogram


@settings(deadline=None)
@given(VALUES, SHARES)
def test_percentiles_and_extremes_equal_those_of_hdrhistogram(values, share):
    reference = HdrHistogram(1, HIGHEST, 3)
    for value in values:
        reference.record_value(value)
    ours = filled(values)
    assert reference.get_value_at_percentile(share * 100) == ours.percentile(share)
    assert reference.get_max_value() == ours.maximum
    assert reference.get_min_value() == ours.minimum


@settings(deadline=None)
@given(VALUES)
def test_one_by_one_and_all_at_once_are_the_same(values):
    single = Histogram()
    for value in values:
        single.record(value)
    assert single == filled(values)


@settings(deadline=None)
@given(VALUES, VALUES)
def test_a_merge_is_the_histogram_of_the_union(first, second):
    merged = filled(first)
    merged.merge(filled(second))
    assert filled(first + second) == merged
    assert len(first + second) == merged.count


@settings(deadline=None)
@given(VALUES)
def test_the_mean_is_exact(values):
    assert sum(values) / len(values) == filled(values).mean


@settings(deadline=None)
@given(VALUES)
def test_pairs_and_pickle_lose_nothing(values):
    histogram = filled(values)
    pairs = json.loads(json.dumps(histogram.pairs()))
    assert histogram == Histogram.from_pairs(pairs, total=histogram.total)
    assert histogram == pickle.loads(pickle.dumps(histogram))  # noqa: S301 - our own bytes


@pytest.mark.parametrize(("value", "kept"), [(-5, 1), (0, 1), (HIGHEST + 1, HIGHEST), (10**15, HIGHEST)])
def test_values_clamp_at_both_ends(value, kept):
    single, many = Histogram(), filled([value])
    single.record(value)
    assert filled([kept]) == single == many


def test_an_empty_histogram_says_not_measured():
    empty = Histogram()
    empty.record_many([])
    assert (
        empty.count,
        empty.mean,
        empty.minimum,
        empty.maximum,
        empty.percentile(0.5),
    ) == (0, None, None, None, None)


def test_values_beyond_a_limit_are_counted():
    histogram = filled([100, 200, 300, 1_000_000])
    assert [histogram.count_above(limit) for limit in (150, 200, 5000, 1_000_000)] == [3, 2, 1, 0]


def test_a_sparse_histogram_is_small_on_the_wire():
    histogram = filled([int(1000 * 1.01**n) for n in range(500)] * 100)
    assert len(pickle.dumps(histogram)) < 5000


def test_skewness_is_that_of_scipy():
    random = np.random.default_rng(4)
    values = [int(each) for each in 10_000 * np.exp(random.normal(0, 0.8, 500))]
    histogram = Histogram()
    histogram.record_many(values)
    assert histogram.skewness() == pytest.approx(skew(values, bias=False), rel=1e-2)
    assert Histogram().skewness() is None
