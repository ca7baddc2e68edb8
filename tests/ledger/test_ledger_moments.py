"""When it failed and when it was well again: as a plain reading of the whole list says."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from campaign.ledger.entry import FAILURES, Entry, Mark
from campaign.ledger.moments import moments

STEADY = 10
LISTS = st.lists(st.tuples(st.sampled_from(Mark), st.integers(0, 6)), max_size=60)


def entries_of(steps):
    at, made = 0, []
    for mark, step in steps:
        at += step
        made.append(Entry(mark, 0, at))
    return made


def plainly_healthy(entries):
    """The first acknowledgement after the last failure, where a clean stretch of STEADY follows it."""
    failures = [place for place, each in enumerate(entries) if each.mark in FAILURES]
    after = entries[failures[-1] :] if failures else []
    times = [each.at_ns for each in after if each.mark is Mark.ACKNOWLEDGED]
    return times[0] if times and times[-1] >= times[0] + STEADY else None


@given(LISTS)
def test_healthy_is_the_first_success_after_the_last_failure_with_a_clean_stretch_behind_it(steps):
    made = entries_of(steps)
    seen = moments(made, 1000, steady_ns=STEADY)
    failures = [each.at_ns for each in made if each.mark in FAILURES]
    assert seen.healthy_ns == plainly_healthy(made)
    assert seen.first_failure_ns == (failures[0] if failures else None)
    assert seen.failures == len(failures)


@given(LISTS)
def test_the_longest_gap_is_the_longest_between_acknowledgements_or_the_ends(steps):
    made = entries_of(steps)
    times = [0, *(each.at_ns for each in made if each.mark is Mark.ACKNOWLEDGED), 1000]
    assert moments(made, 1000).gap_ns == max(b - a for a, b in pairwise(times))


def test_recovery_counts_from_the_first_failure_although_answers_still_came_after_the_fault():
    fault, first_failure, last_failure = 100, 150, 400
    story = [
        Entry(Mark.ACKNOWLEDGED, 0, 120),
        Entry(Mark.UNANSWERED, 1, first_failure),
        Entry(Mark.ACKNOWLEDGED, 2, 155),
        Entry(Mark.REFUSED, 3, last_failure),
        *(Entry(Mark.ACKNOWLEDGED, each, each) for each in range(420, 520, 5)),
    ]
    seen = moments(story, 520, since_ns=fault, steady_ns=50)
    assert (seen.to_healthy_ns, seen.failures) == (420 - first_failure, 2)
    assert (seen.first_success_ns, seen.last_failure_ns) == (420, last_failure)
    assert (seen.gap_ns, seen.gap_from_ns) == (420 - 155, 155)


def test_without_a_clean_stretch_it_never_was_healthy_again():
    story = [Entry(mark, 0, at) for at, mark in enumerate([Mark.REFUSED, Mark.ACKNOWLEDGED] * 100)]
    seen = moments(story, 200, steady_ns=50)
    assert (seen.healthy_ns, seen.to_healthy_ns, seen.failures) == (None, None, 100)


def test_a_calm_that_does_not_hold_to_the_end_was_no_recovery():
    calm = [Entry(Mark.ACKNOWLEDGED, 1, at) for at in range(1, 30)]
    again = [Entry(Mark.REFUSED, 2, at) for at in range(30, 230)]
    story = [Entry(Mark.REFUSED, 0, 0), *calm, *again]
    assert moments(story, 230, steady_ns=10).healthy_ns is None
    well = [Entry(Mark.ACKNOWLEDGED, 3, at) for at in range(231, 260)]
    seen = moments([*story, *well], 260, steady_ns=10)
    assert (seen.to_healthy_ns, seen.failures, seen.last_failure_ns) == (231, 201, 229)
