"""User-seconds at work are those of the hold, and of no more of it than there was."""

from campaign.clock import SECOND
from campaign.load.presence import Presence

HOLD = (10 * SECOND, 20 * SECOND)


def test_only_time_within_the_hold_counts():
    presence = Presence(HOLD)
    presence.changes(+1, 5 * SECOND)
    presence.changes(+1, 15 * SECOND)
    assert presence.take(17 * SECOND) == (5 + 2 * 2) * SECOND
    assert presence.take(30 * SECOND) == 2 * 3 * SECOND


def test_after_an_early_stop_users_who_still_wait_for_answers_add_nothing():
    presence = Presence(HOLD)
    presence.changes(+1, 5 * SECOND)
    presence.stop(11 * SECOND)
    presence.changes(-1, 13 * SECOND)
    assert presence.take(13 * SECOND) == 1 * SECOND


def test_a_stop_before_the_hold_leaves_none():
    presence = Presence(HOLD)
    presence.changes(+1, 5 * SECOND)
    presence.stop(6 * SECOND)
    assert presence.take(30 * SECOND) == 0


def test_an_early_stop_takes_back_what_was_credited_for_the_time_after_it():
    presence = Presence(HOLD)
    for _ in range(3):
        presence.changes(+1, 5 * SECOND)
    for done, until in ((8, 20), (12, 15), (12, 20)):
        presence.changes(-1, done * SECOND)
        presence.credit(done * SECOND, until * SECOND)
    taken = presence.take(13 * SECOND)
    presence.stop(14 * SECOND)
    assert taken + presence.take(30 * SECOND) == 3 * 4 * SECOND
