"""What the ledger calls lost, phantom and unexpected is what plain sets say."""

from hypothesis import given
from hypothesis import strategies as st

from campaign.ledger.book import Book, State
from campaign.ledger.comparison import compare
from campaign.ledger.entry import Entry, Mark, read_line

IDS = st.integers(0, 30)
OUTCOMES = st.dictionaries(IDS, st.sampled_from(["ok", "never sent", "refused", "unanswered", "pending"]))
MARKS = {
    "ok": (Mark.SENT, Mark.ACKNOWLEDGED),
    "never sent": (Mark.REFUSED,),
    "refused": (Mark.SENT, Mark.REFUSED),
    "unanswered": (Mark.SENT, Mark.UNANSWERED),
    "pending": (Mark.SENT,),
}


def book_of(outcomes):
    lives = [Entry(mark, number, 0) for number, outcome in outcomes.items() for mark in MARKS[outcome]]
    return Book.of(lives)


def with_outcome(outcomes, *wanted):
    return {number for number, outcome in outcomes.items() if outcome in wanted}


@given(OUTCOMES, st.sets(st.integers(-3, 40)))
def test_each_kind_is_the_difference_of_two_sets(outcomes, found):
    ok = with_outcome(outcomes, "ok")
    failed = with_outcome(outcomes, "never sent", "refused")
    unknown = with_outcome(outcomes, "unanswered", "pending")
    came = compare(book_of(outcomes), found)
    assert (came.lost.count, set(came.lost.first)) == (len(ok - found), set(sorted(ok - found)[:10]))
    assert came.phantom.count == len(failed & found)
    assert came.unexpected.count == len(found - set(outcomes))
    assert (came.acknowledged, came.refused, came.unknown) == (len(ok), len(failed), len(unknown))
    assert (came.found, came.unknown_found) == (len(found), len(unknown & found))
    assert came.right is (ok <= found and not failed & found and found <= set(outcomes))


@given(OUTCOMES, st.lists(st.integers(-3, 40)))
def test_what_is_there_more_than_once_is_doubled_and_counted_once(outcomes, found):
    came = compare(book_of(outcomes), found)
    assert came.found == len(set(found))
    assert came.doubled.count == len({each for each in found if found.count(each) > 1})


@given(st.lists(st.sampled_from(Mark)))
def test_an_acknowledgement_is_final_and_an_unanswered_try_is_never_refused(marks):
    book = Book.of(Entry(mark, 7, 0) for mark in marks)
    if Mark.ACKNOWLEDGED in marks:
        assert book.state(7) is State.ACKNOWLEDGED
    elif Mark.UNANSWERED in marks:
        assert book.state(7) is State.UNKNOWN


def test_a_refused_write_that_is_tried_again_is_what_the_second_try_came_to():
    tries = [Mark.SENT, Mark.REFUSED, Mark.SENT]
    assert Book.of(Entry(mark, 0, 0) for mark in tries).state(0) is State.UNKNOWN
    done = [*tries, Mark.ACKNOWLEDGED]
    assert Book.of(Entry(mark, 0, 0) for mark in done).state(0) is State.ACKNOWLEDGED


@given(st.sampled_from(Mark), st.integers(0, 10**12), st.integers(0, 10**15))
def test_an_entry_comes_back_from_its_line_and_from_no_part_of_it(mark, number, microseconds):
    entry = Entry(mark, number, microseconds * 1000)
    line = entry.line()
    assert read_line(line) == entry
    assert [read_line(line[:end]) for end in range(len(line))] == [None] * len(line)
