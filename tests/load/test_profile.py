"""A level over time: its area, when the area is reached, and who is there while it is above a number."""

from __future__ import annotations

import pytest

from campaign.load.profile import Profile, Segment


def profile(*segments):
    return Profile(Segment(*each) for each in segments)


HILL = profile((10, 10), (10, 5), (4, 2), (0, 0))


def test_the_area_is_the_level_summed_up():
    assert (HILL.seconds, HILL.highest, HILL.area) == (17, 10, 50 + 50 + 14)
    assert [HILL.area_until(at) for at in (-1, 0, 5, 10, 15, 17, 99)] == [0, 0, 12.5, 50, 100, 114, 114]


@pytest.mark.parametrize("area", [0.0, 0.1, 12.5, 49.9, 50, 60, 99.99, 113.9])
def test_the_moment_of_an_area_is_where_it_is_reached(area):
    assert HILL.area_until(HILL.when(area)) == pytest.approx(area)


def test_an_area_that_is_never_reached_has_no_moment():
    assert HILL.when(114) is None
    assert profile((0, 10)).when(0) is None
    assert profile().when(0) is None


def test_a_time_of_nothing_is_passed_over():
    assert profile((0, 3), (2, 0), (2, 1), (0, 0), (0, 5), (2, 0), (2, 1)).when(2) == 9.0


def test_users_of_a_ramp_come_in_order_and_leave_in_reverse():
    up_and_down = profile((4, 4), (4, 10), (0, 4))
    assert [up_and_down.spans(user) for user in range(4)] == [
        [(0, 17)], [(1, 16)], [(2, 15)], [(3, 14)],
    ]  # fmt: skip
    assert up_and_down.spans(4) == []


def test_a_step_brings_its_users_at_once():
    steps = profile((2, 0), (2, 5), (5, 0), (5, 5))
    assert [steps.spans(user) for user in (1, 2, 4)] == [[(0, 10)], [(5, 10)], [(5, 10)]]


def test_users_of_a_spike_come_and_go_and_those_of_the_base_stay():
    spike = profile((2, 0), (2, 5), (6, 0), (6, 3), (2, 0), (2, 7))
    assert [spike.spans(user) for user in (0, 1, 2, 5)] == [[(0, 15)], [(0, 15)], [(5, 8)], [(5, 8)]]


def test_users_of_bursts_come_again_each_time():
    burst = (3, 0), (3, 2), (0, 0), (0, 4)
    assert profile(*burst, *burst).spans(2) == [(0, 2), (6, 8)]


def test_the_time_of_all_users_together_is_the_area():
    for each in (HILL, profile((3, 0), (3, 2), (0, 0), (0, 4), (7, 7), (1, 3))):
        together = sum(leave - come for user in range(10) for come, leave in each.spans(user))
        # Users are whole: on a line up or down each is there for half a step more, or less, than its area.
        assert together == pytest.approx(each.area, abs=each.highest)


@pytest.mark.parametrize("segments", [
    ((4, 4), (4, 10), (0, 4)),
    ((2, 0), (1, 10)),
    ((2.5, 3), (4, 2), (1.2, 3), (6, 0), (6, 1)),
    ((3, 0), (3, 2), (0, 0), (0, 4), (7, 7), (1, 3)),
], ids=str)  # fmt: skip
def test_attendance_is_the_spans_of_all_users_within_a_time(segments):
    level = profile(*segments)
    users = round(level.highest)
    for begins, ends in ((0, level.seconds), (1.5, 4), (3, 99)):
        spans = [span for user in range(users) for span in level.spans(user)]
        together = sum(max(0.0, min(leave, ends) - max(come, begins)) for come, leave in spans)
        assert level.attendance(users, begins, ends=ends) == pytest.approx(together)
