"""Windows keep the least of what is watched; seconds are up, down or say nothing; restarts are seen."""

from types import SimpleNamespace

import pytest

from phases.stability.leaps import Leaps
from phases.stability.restarts import STARTED, Restarts
from phases.stability.service import MOST_OUTAGES, Service
from phases.stability.windows import LOW, Windows


def second(at, asked=10, failed=0, *, waiting=0, p50=0.01):
    tally = SimpleNamespace(asked=asked, failed=failed)
    tallies = {"x": tally} if asked else {}
    return SimpleNamespace(
        at=at,
        tallies=tallies,
        waiting=waiting,
        seconds=1.0,
        p50=p50 if asked else None,
        p95=p50 if asked else None,
    )


def test_a_window_keeps_the_least_of_the_watched_and_a_gap_where_nothing_was_read():
    kept = []
    windows = Windows(2.0, frozenset({"m"}), lambda at, points: kept.append((at, points)))
    for at, value in enumerate([5.0, 3.0, None, None, 9.0]):
        windows.hear(float(at), {"m": (value, "B"), "other": (1.0, "B")})
        windows.see(float(at), second(at, failed=at == 4))
    windows.end()
    assert [(at, points[LOW + "m"]) for at, points in kept] == [
        (0.0, (3.0, "B")),
        (2.0, (None, "B")),
        (4.0, (9.0, "B")),
    ]
    assert [points["soak.requests"][0] for _, points in kept] == [20, 40, 49]
    assert [points["soak.error_rate"][0] for _, points in kept] == [0, 0, 0.1]
    assert not any("other" in name for _, points in kept for name in points)


@pytest.mark.parametrize(
    ("seconds", "up", "down", "idle", "outages"),
    [
        ([second(0), second(1)], 2, 0, 0, 0),
        ([second(0), second(1, 5, 5), second(2, 5, 5), second(3)], 2, 2, 0, 1),
        ([second(0, 5, 5), second(1), second(2, 5, 5)], 1, 2, 0, 2),
        ([second(0, 0, waiting=3)], 0, 1, 0, 1),
        ([second(0, 0)], 0, 0, 1, 0),
        ([second(0, 10, 9)], 1, 0, 0, 0),
    ],
)
def test_a_second_is_up_when_anybody_was_served(seconds, up, down, idle, outages):
    service = Service()
    for each in seconds:
        service.see(each)
    plain = service.plain()
    assert (plain["up"], plain["down"], plain["idle"], plain["outages"]) == (up, down, idle, outages)


def test_outages_are_counted_beyond_those_that_are_kept():
    service = Service()
    for at in range(3 * MOST_OUTAGES):
        service.see(second(at, 4, 4 * (at % 2)))
    assert service.plain()["outages"] == 1.5 * MOST_OUTAGES
    assert len(service.plain()["when"]) == MOST_OUTAGES
    assert service.plain()["first_failure"] == 1


def test_a_process_that_began_anew_is_a_restart_and_a_gap_is_none():
    restarts = Restarts()
    for at, started in enumerate([None, 100.0, 100.02, None, 100.0, 160.0, None, 160.0]):
        restarts.hear(at, {STARTED: (started, "s since 1970")})
    assert restarts.at == [5]
    assert restarts.seen


def test_a_restart_in_a_gap_is_kept_apart_from_those_that_were_seen():
    before = Restarts()
    before.hear(1.0, {STARTED: (100.0, "s since 1970")})
    for started, unwatched in ((100.0, []), (500.0, [9.0])):
        after = Restarts(before.plain())
        after.hear(9.0, {STARTED: (started, "s since 1970")})
        after.hear(10.0, {STARTED: (started, "s since 1970")})
        assert (after.at, after.unwatched) == ([], unwatched)


def test_a_time_without_any_window_is_a_gap():
    kept = []
    windows = Windows(1.0, frozenset({"m"}), lambda at, points: kept.append((at, points)), requests=5)
    for at in (0.0, 1.0, 50.0):
        windows.hear(at, {"m": (7.0, "B")})
        windows.see(at, second(at))
    windows.end()
    assert [(at, points[LOW + "m"][0]) for at, points in kept] == [
        (0.0, 7.0),
        (1.0, 7.0),
        (2.0, None),
        (50.0, 7.0),
    ]
    assert [points["soak.requests"][0] for _, points in kept] == [15, 25, None, 35]


def test_outages_of_a_soak_that_goes_on_count_from_its_first_beginning():
    service = Service()
    service.see(second(3, 4, 4))
    later = Service.of(service.plain(), offset=1000.0)
    later.see(second(2))
    later.see(second(3, 4, 4))
    plain = later.plain()
    assert plain["when"] == [[3, 4], [1003, 1004]]
    assert (plain["up"], plain["down"], plain["outages"], plain["first_failure"]) == (1, 2, 2, 3)


def test_a_clock_that_leaps_is_told_once_and_one_that_creeps_is_not():
    leaps = Leaps()
    walls = [1000.0, 1001.2, 1002.0, 4603.0, 4604.0, 1005.0, 1006.0]
    told = [leaps.see(wall, float(at)) for at, wall in enumerate(walls)]
    assert [bool(each) for each in told] == [False, False, False, True, False, True, False]
    assert "leapt forward by 60 min, 3 s after" in told[3]
    assert "leapt back by 60 min" in told[5]
