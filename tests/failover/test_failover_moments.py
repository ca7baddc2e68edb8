"""When it failed and when it was well again, whatever the outage looks like."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stories import down, ns, probes, story, strike

from campaign.clock import SECOND
from phases.failover.episodes import episodes_of
from phases.failover.measure import measure, measurements
from phases.failover.story import Ending, Probe

STEP = 0.05
OK, STATUS = Ending.OK, Ending.STATUS
MOMENT = st.floats(5.3, 30.0)


def only(told):
    (episode,) = measure(told)["episodes"]
    return episode


def reads(answer, seconds=40.0, **changes):
    return story(probes=probes(answer, seconds=seconds), seconds=seconds, **changes)


@given(began=st.floats(5.0, 9.0), length=st.floats(0.2, 20.0))
def test_an_outage_is_found_within_one_interval_on_either_end(began, length):
    ended = began + length
    seen = only(reads(down(began, ended)))
    assert 0 <= seen["first_failure"] - began <= STEP + 1e-3
    assert 0 <= seen["recovered_at"] - ended <= STEP + 1e-3
    assert abs(seen["unavailable"] - length) <= STEP + 1e-3
    assert abs(seen["to_recover"] - max(0, ended - 10.0)) <= STEP + 1e-3
    assert seen["resolution"] == pytest.approx(STEP)


@given(ended=st.floats(10.0, 20.0), late=st.floats(21.0, 38.0))
def test_a_failure_later_on_moves_the_recovery_behind_it(ended, late):
    def answer(due):
        again = late <= due < late + STEP
        return (STATUS, 0.002, 503) if again else down(5.15, ended)(due)

    seen = only(reads(answer))
    assert seen["recovered_at"] > late
    assert seen["first_success"] < late, "it had answered before"


@given(ended=st.floats(10.0, 20.0), slow=st.floats(0.3, 1.9), length=st.floats(0.3, 8.0))
def test_answers_that_are_slow_are_no_recovery(ended, slow, length):
    def answer(due):
        return (OK, slow, 200) if ended <= due < ended + length else down(5.15, ended)(due)

    seen = only(reads(answer))
    assert abs(seen["recovered_at"] - (ended + length)) <= STEP * 4, "a tenth of a window may be slow"
    assert seen["first_success"] == pytest.approx(ended, abs=2 * STEP)


@given(st.lists(st.sampled_from(list(Ending)), min_size=1, max_size=300), st.booleans())
def test_the_moments_are_in_order_whatever_is_seen(endings, heals_itself):
    def answer(due):
        number = round((due - 5.0) / STEP)
        ending = endings[number] if 0 <= number < len(endings) else OK
        return ending, 0.004, 0, ""

    seen = only(reads(answer, seconds=25.0, strikes=(strike(heals_itself=heals_itself),)))
    known = [seen[each] for each in ("first_bad", "first_failure") if seen[each] is not None]
    assert known == sorted(known)
    assert all(each >= seen["began"] for each in known)
    if seen["recovered_at"] is not None:
        assert all(each < seen["recovered_at"] for each in known)
        assert seen["unavailable"] is None or seen["unavailable"] >= 0
    if seen["first_failure"] is None:
        assert seen["unavailable"] == 0


@given(st.lists(MOMENT, min_size=2, max_size=6, unique=True))
def test_episodes_cover_the_time_from_the_first_fault_to_the_end_once(moments):
    moments.sort()
    struck = tuple(strike(sent=at, confirmed=at + 0.1, start=at + 1.0, running=at + 1.2) for at in moments)
    found = episodes_of(reads(down(0, 0), strikes=struck))
    assert [each.began_ns for each in found[1:]] == [each.ended_ns for each in found[:-1]]
    assert found[-1].ended_ns == ns(40.0)
    assert sum(len(each.strikes) for each in found) == len(struck)


def test_answers_that_were_under_way_at_the_fault_are_no_recovery():
    def answer(due):
        return (OK, 0.3, 200) if 4.8 <= due < 5.0 else down(5.0, 12.0)(due)  # done after the command

    seen = only(reads(answer))
    assert seen["first_success"] == pytest.approx(12.0)
    assert seen["to_recover"] == pytest.approx(2.0, abs=STEP)


def test_a_request_that_was_cut_off_fails_from_the_command_on_and_not_from_when_it_was_due():
    def answer(due):
        return (Ending.RESET, 0.4, 0) if 4.8 <= due < 5.0 else down(5.0, 10.5)(due)

    seen = only(reads(answer))
    assert seen["first_failure"] == 5.0
    assert seen["detected"] == pytest.approx(0.002, abs=0.001), "the first that a client knew of"


def test_what_nobody_felt_took_no_time_and_is_known_only_where_it_was_watched():
    calm = only(reads(down(0, 0)))
    assert (calm["felt"], calm["to_recover"], calm["unavailable"]) == (False, 0.0, 0.0)
    short = only(reads(down(0, 0), seconds=10.4))
    assert (short["known"], short["to_recover"], short["unavailable"]) == (False, None, None)


def test_a_recovery_needs_a_whole_window_before_the_end():
    assert only(reads(down(5.15, 10.5), seconds=11.0))["recovered_at"] is None
    assert only(reads(down(5.15, 10.5), seconds=11.6))["recovered_at"] == pytest.approx(10.5)


def test_one_slow_answer_at_the_very_end_is_no_relapse():
    def answer(due):
        return (OK, 0.4, 200) if due >= 39.9 else down(5.15, 10.5)(due)

    assert only(reads(answer))["recovered_at"] == pytest.approx(10.5)


def test_faults_that_overlap_are_one_episode_and_count_from_the_last_start():
    cache = strike(subject="cache", sent=5.0, start=12.0, running=12.1)
    database = strike(sent=8.0, confirmed=8.1, start=11.0, running=11.2)
    seen = only(reads(down(8.1, 13.0), strikes=(cache, database)))
    assert (seen["subjects"], seen["counts_from"], seen["back"]) == (["cache", "database"], 12.0, 12.1)
    assert seen["to_recover"] == pytest.approx(1.0)


def test_a_recovery_of_what_is_rarer_is_known_less_well():
    well = probes(down(5.15, 9.0), seconds=40.0)
    writes = probes(down(5.15, 10.5), seconds=40.0, rate=2.0, kind="write", operation="converse")
    seen = only(story(probes=well + writes, seconds=40.0))
    assert seen["resolution"] == pytest.approx(0.5)


def test_requests_that_we_did_not_send_are_neither_failures_nor_successes():
    def answer(due):
        return (Ending.UNSENT, 0.0, 0) if 15.0 <= due < 17.0 else down(5.15, 10.5)(due)

    figures = measure(reads(answer))
    assert figures["unsent"] == 40
    assert figures["episodes"][0]["recovered_at"] == pytest.approx(10.5)


def test_the_numbers_to_follow_have_the_time_between_two_probes_as_their_limits():
    found = {each.name: each for each in measurements(measure(reads(down(5.15, 10.5))))}
    recover = found["database_down.to_recover"]
    assert (recover.value, recover.low, recover.high) == pytest.approx((0.5, 0.45, 0.55))
    assert found["database_down.failed"].value == 107


def test_what_users_were_told_is_counted_the_most_frequent_first():
    told = measure(reads(down(5.15, 10.5)))["told"]
    assert told == [
        {"operation": "history", "ending": "status", "status": 503, "said": "unavailable", "count": 107}
    ]


def test_a_story_without_a_fault_or_a_probe_has_figures_too():
    assert measure(story(strikes=(), why="interrupted"))["episodes"] == []
    empty = measure(story(probes=(), seconds=0.0))
    assert empty["episodes"][0]["known"] is False
    assert empty["steady"]["count"] == 0


def test_moments_are_nanoseconds_in_a_story_and_seconds_in_figures():
    assert measure(story())["strikes"][0]["sent"] == story().strikes[0].sent_ns / SECOND


@pytest.mark.parametrize(
    ("sent", "done", "ending", "met", "lost"),
    [
        (4.9, 5.2, Ending.RESET, 1, 1),
        (4.9, 7.0, Ending.HUNG, 1, 1),
        (4.9, 5.2, OK, 1, 0),
        (4.9, 5.2, 503, 1, 0),
        (4.9, 5.2, 429, 1, 0),
        (4.9, 5.2, 500, 1, 1),
        (4.9, 4.95, Ending.RESET, 0, 0),
        (4.9, 5.2, Ending.REFUSED, 0, 0),
        (4.998, 5.2, Ending.RESET, 0, 0),
        (5.01, 5.2, Ending.RESET, 0, 0),
    ],
)
def test_in_flight_is_what_was_surely_under_way_and_lost_what_got_no_answer(sent, done, ending, met, lost):
    status = ending if isinstance(ending, int) else 0
    volley = Probe("volley", "history", ns(sent), ns(sent), ns(done), STATUS if status else ending, status)
    (struck,) = measure(story(probes=(volley,)))["strikes"]
    reset = int(bool(lost) and ending is Ending.RESET)
    assert struck["in_flight"] == {"met": met, "lost": lost, "reset": reset}


def test_a_service_that_is_only_slow_is_felt_and_has_failed_nobody():
    seen = only(reads(lambda due: (OK, 0.5 if 5.2 <= due < 12.0 else 0.005, 200)))
    assert (seen["felt"], seen["first_failure"], seen["unavailable"]) == (True, None, 0.0)
    assert seen["first_bad"] == pytest.approx(5.2)
    assert seen["to_recover"] == pytest.approx(2.0, abs=4 * STEP)


def test_every_other_answer_slow_is_no_recovery_and_one_in_twenty_is():
    def every(step):
        return lambda due: (OK, 0.5, 200) if 10.5 <= due < 20.0 and round(due * 20) % step == 0 else None

    def after(step):
        return only(reads(lambda due: every(step)(due) or down(5.15, 10.5)(due)))

    assert after(2)["recovered_at"] > 19.0
    assert after(20)["recovered_at"] < 11.0
