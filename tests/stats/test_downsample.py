"""A series stays small however long it gets."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from campaign.stats.downsample import SeriesBuilder


def built(values, capacity, keep="mean"):
    builder = SeriesBuilder(capacity, keep=keep)
    for at, value in enumerate(values):
        builder.add(at, value)
    return builder


def test_below_capacity_every_point_is_kept_as_it_came():
    assert built([1.0, None, 3.0], 4).points() == [(0, 1.0), (1, None), (2, 3.0)]


def test_past_capacity_neighbours_are_merged_into_their_mean():
    assert built([1, 3, 5, 7, 9], 4).points() == [(0, 2.0), (2, 6.0), (4, 9)]


def test_a_day_of_seconds_fits_and_keeps_its_mean():
    builder = built(range(86_400), 3600)
    times, values = builder.columns()
    assert len(times) <= 3600
    assert times[1] - times[0] == 32
    assert values[0] == pytest.approx(15.5)


def test_a_maximum_survives_every_merge():
    values = [0.0] * 1000
    values[617] = 42.0
    assert max(value for _, value in built(values, 10, "max").points()) == 42.0


def test_a_gap_stays_a_gap_and_does_not_count_as_zero():
    points = built([4.0] * 8 + [None] * 8 + [4.0] * 8, 6).points()
    assert {value for _, value in points} == {4.0, None}


@settings(deadline=None)
@given(st.lists(st.one_of(st.none(), st.floats(0, 1000)), min_size=1, max_size=300), st.integers(2, 20))
def test_never_more_than_capacity_and_within_the_extremes(values, capacity):
    points = built(values, capacity).points()
    present = [value for value in values if value is not None]
    assert len(points) <= capacity
    assert points[0][0] == 0
    assert [at for at, _ in points] == sorted({at for at, _ in points})
    for _, value in points:
        assert value is None or min(present) - 1e-9 <= value <= max(present) + 1e-9


@settings(deadline=None)
@given(st.lists(st.floats(0, 1000), min_size=1, max_size=300), st.integers(2, 20))
def test_the_weighted_mean_of_the_windows_is_the_mean_of_the_points(values, capacity):
    builder = built(values, capacity)
    sizes = builder._counts
    assert sum(sizes) == len(values)
    weighted = sum(value * size for (_, value), size in zip(builder.points(), sizes, strict=True))
    assert weighted / len(values) == pytest.approx(sum(values) / len(values))
