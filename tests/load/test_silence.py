"""The longest stall is found where no worker got an answer and at least one waited for one."""

from __future__ import annotations

import pytest

from campaign.clock import SECOND
from campaign.load.silence import Silences, SilenceWatch, Stalls, intersect, join

MS = SECOND // 1000


def longest_stall(workers, hold):
    stalls = Stalls(len(workers), hold)
    for number, silences in enumerate(workers):
        stalls.add(number, silences)
    stalls.settle(10_000 * MS)
    return stalls.longest_ns / SECOND


def at(*milliseconds):
    return [(begin * MS, end * MS) for begin, end in milliseconds]


def test_an_answer_after_a_long_wait_is_reported_as_one_silence():
    watch = SilenceWatch(0)
    watch.began(10 * MS)
    watch.answered(15 * MS)
    watch.began(30 * MS)
    watch.answered(500 * MS)
    assert watch.take(500 * MS) == Silences(quiet=[(15 * MS + 1, 500 * MS)], waits=at((30, 500)))


def test_short_times_are_not_reported():
    watch = SilenceWatch(0)
    for moment in range(0, 100, 10):
        watch.began(moment * MS)
        watch.answered((moment + 8) * MS)
    assert watch.take(100 * MS) == Silences()


def test_thinking_is_quiet_but_waits_for_nothing():
    watch = SilenceWatch(0)
    watch.began(0)
    watch.answered(10 * MS)
    watch.began(3000 * MS)
    watch.answered(3010 * MS)
    assert watch.take(3010 * MS) == Silences(quiet=[(10 * MS + 1, 3010 * MS)], waits=[])


def test_a_failure_ends_the_wait_but_not_the_quiet():
    watch = SilenceWatch(0)
    watch.began(0)
    watch.failed(400 * MS)
    assert watch.take(900 * MS) == Silences(quiet=at((0, 900)), waits=at((0, 400)))


def test_a_silence_over_several_reports_is_given_in_parts_that_touch():
    watch = SilenceWatch(0)
    watch.began(0)
    watch.answered(995 * MS)
    watch.began(998 * MS)
    parts = [watch.take(1000 * MS), watch.take(2000 * MS), watch.take(3000 * MS)]
    watch.answered(3050 * MS)
    parts.append(watch.take(4000 * MS))
    answered = 995 * MS + 1
    assert parts == [
        Silences(quiet=at((0, 995)), waits=at((0, 995))),
        Silences(quiet=[(answered, 2000 * MS)], waits=at((998, 2000))),
        Silences(quiet=at((2000, 3000)), waits=at((2000, 3000))),
        Silences(quiet=[*at((3000, 3050)), (3050 * MS + 1, 4000 * MS)], waits=at((3000, 3050))),
    ]
    whole = Silences(
        [each for part in parts for each in part.quiet], [each for part in parts for each in part.waits]
    )
    assert longest_stall([whole], (0, 4000 * MS)) == 2.052


@pytest.mark.parametrize(("workers", "expected"), [
    ([Silences(at((0, 900)), at((100, 900)))], 0.8),
    ([Silences(at((0, 900)), at((100, 900))), Silences()], 0.0),  # the other got answers all the time
    ([Silences(at((0, 900)), at((100, 900))), Silences(at((0, 5000)))], 0.8),  # the other only thought
    ([Silences(at((0, 900)), at((0, 500))), Silences(at((0, 900)), at((400, 900)))], 0.9),  # they took turns
    ([Silences(at((0, 900)), at((0, 500))), Silences(at((600, 900)), at((600, 900)))], 0.3),
    ([Silences(at((0, 900), (900, 2000)), at((0, 900), (900, 2000)))], 2.0),  # begins in the hold, ends later
    ([Silences(at((1100, 2000)), at((1100, 2000)))], 0.0),  # begins after the hold
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


def test_slow_answers_that_keep_coming_are_no_stall():
    watch, stalls = SilenceWatch(0), Stalls(1, (0, 60 * SECOND))
    for _ in range(3):
        watch.began(0)
    for number in range(1, 200):
        now = number * 150 * MS
        watch.answered(now)
        watch.began(now)
        if number % 6 == 0:
            stalls.add(0, watch.take(now))
            stalls.settle(now)
    assert stalls.longest_ns / SECOND == pytest.approx(0.15)


def test_settling_every_second_gives_the_same_as_once_at_the_end_and_keeps_nothing():
    reports = [
        [Silences(at((0, 900)), at((100, 900))), Silences(at((0, 1000)), [])],
        [Silences(at((1200, 2000)), at((1300, 2000))), Silences(at((1000, 2000)), at((1000, 2000)))],
        [Silences(at((2000, 2400), (2500, 3000)), at((2000, 2400))), Silences(at((2000, 3000)), [])],
        [Silences([], []), Silences([], [])],
    ]
    step, once = Stalls(2, (0, 4 * SECOND)), Stalls(2, (0, 4 * SECOND))
    for second, parts in enumerate(reports, start=1):
        for worker, part in enumerate(parts):
            step.add(worker, Silences(list(part.quiet), list(part.waits)))
            once.add(worker, Silences(list(part.quiet), list(part.waits)))
        step.settle(second * SECOND)
    once.settle(4 * SECOND)
    assert (step.longest_ns, once.longest_ns) == (1200 * MS, 1200 * MS)
    assert [each.quiet for each in step._workers] == [[], []]
