"""The longest stall is found where no worker got an answer and at least one waited for one."""

from __future__ import annotations

import pytest

from campaign.clock import SECOND
from campaign.load.silence import Silences, SilenceWatch, intersect, join, longest_stall

MS = SECOND // 1000


def at(*milliseconds):
    return [(begin * MS, end * MS) for begin, end in milliseconds]


def test_an_answer_after_a_long_wait_is_reported_as_one_silence():
    watch = SilenceWatch(0)
    watch.began(10 * MS)
    watch.answered(20 * MS)
    watch.began(30 * MS)
    watch.answered(500 * MS)
    assert watch.take(500 * MS) == Silences(quiet=at((20, 500)), waits=at((30, 500)))


def test_short_times_are_not_reported():
    watch = SilenceWatch(0)
    for moment in range(0, 1000, 50):
        watch.began(moment * MS)
        watch.answered((moment + 40) * MS)
    assert watch.take(1000 * MS) == Silences()


def test_thinking_is_quiet_but_waits_for_nothing():
    watch = SilenceWatch(0)
    watch.began(0)
    watch.answered(10 * MS)
    watch.began(3000 * MS)
    watch.answered(3010 * MS)
    assert watch.take(3010 * MS) == Silences(quiet=at((10, 3000 + 10)), waits=[])


def test_a_failure_ends_the_wait_but_not_the_quiet():
    watch = SilenceWatch(0)
    watch.began(0)
    watch.failed(400 * MS)
    assert watch.take(900 * MS) == Silences(quiet=at((0, 900)), waits=at((0, 400)))


def test_a_silence_over_several_reports_is_given_in_parts_that_touch():
    watch = SilenceWatch(0)
    watch.began(0)
    watch.answered(950 * MS)
    watch.began(960 * MS)
    parts = [watch.take(1000 * MS), watch.take(2000 * MS), watch.take(3000 * MS)]
    watch.answered(3050 * MS)
    parts.append(watch.take(4000 * MS))
    assert parts == [
        Silences(quiet=at((0, 950)), waits=at((0, 950))),
        Silences(quiet=at((950, 2000)), waits=at((960, 2000))),
        Silences(quiet=at((2000, 3000)), waits=at((2000, 3000))),
        Silences(quiet=at((3000, 3050), (3050, 4000)), waits=at((3000, 3050))),
    ]
    whole = Silences(
        [each for part in parts for each in part.quiet], [each for part in parts for each in part.waits]
    )
    assert longest_stall([whole], (0, 4000 * MS)) == 2.09


@pytest.mark.parametrize(("workers", "expected"), [
    ([Silences(at((0, 900)), at((100, 900)))], 0.8),
    ([Silences(at((0, 900)), at((100, 900))), Silences()], 0.0),  # the other got answers all the time
    ([Silences(at((0, 900)), at((100, 900))), Silences(at((0, 5000)))], 0.8),  # the other only thought
    ([Silences(at((0, 900)), at((0, 500))), Silences(at((0, 900)), at((400, 900)))], 0.9),  # they took turns
    ([Silences(at((0, 900)), at((0, 500))), Silences(at((600, 900)), at((600, 900)))], 0.3),
    ([Silences(at((0, 900), (900, 2000)), at((0, 900), (900, 2000)))], 1.0),  # cut at the end of the hold
    ([Silences()], 0.0),
])  # fmt: skip
def test_all_must_be_quiet_and_one_must_wait(workers, expected):
    assert longest_stall(workers, (0, 1000 * MS)) == expected


def test_spans_join_and_intersect():
    assert join([(5, 6), (1, 2), (2, 3), (5, 9)]) == [(1, 3), (5, 9)]
    assert intersect([(0, 10), (20, 30)], [(5, 22), (25, 26), (29, 40)]) == [
        (5, 10),
        (20, 22),
        (25, 26),
        (29, 30),
    ]
