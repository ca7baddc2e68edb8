"""Large answers of many users never take all memory: what does not fit is an error of ours, told as such."""

from __future__ import annotations

import asyncio

import pytest

from campaign.load import transport
from campaign.load.kept import Shelf
from campaign.load.tally import OURS, ErrorKind, Stage
from campaign.target.spec import ExpectSpec

SIZE = 2 * 2**20
BIG = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (SIZE, b"x" * SIZE)
READ = ExpectSpec(contains=("x",))


@pytest.fixture
def shelf(monkeypatch):
    """Room for one large answer, and no second one."""
    shelf = Shelf(SIZE + SIZE // 2)
    monkeypatch.setattr(transport, "SHELF", shelf)
    return shelf


def test_room_is_given_back_after_each_answer(shelf, serve, make_plan, run_here, operation):
    outcome = run_here(make_plan(serve(BIG).url, operation("home", expect=READ), hold=0.5))
    assert outcome.errors == ()
    assert outcome.tallies["home", Stage.HOLD].count > 3
    assert shelf.taken == 0


def test_what_does_not_fit_is_an_error_of_ours_and_no_time(shelf, serve, make_plan, run_here, operation):
    async def slowly(talker):
        await talker.request()
        if talker.number > 1:
            await asyncio.sleep(0.1)
        talker.say(BIG[: SIZE * 9 // 10])
        await asyncio.sleep(0.4)
        talker.say(BIG[SIZE * 9 // 10 :])

    outcome = run_here(make_plan(serve(slowly).url, operation("home", expect=READ), users=3, hold=0.2))
    [group] = outcome.errors
    assert (group.kind, group.detail) == (ErrorKind.EXHAUSTED, "no memory left for large answers")
    assert group.kind in OURS
    assert outcome.tallies["home", Stage.HOLD].count == 1
    assert shelf.taken == 0


def test_bodies_that_nobody_reads_take_no_room(shelf, serve, make_plan, run_here):
    outcome = run_here(make_plan(serve(BIG).url, users=4, hold=0.5))
    assert outcome.errors == ()
    assert shelf.taken == 0


def test_pieces_have_their_place_as_long_as_they_are_held():
    shelf = Shelf(100)
    first = shelf.put([b"a" * 60], 60)
    assert (shelf.put([b"b" * 60], 60), shelf.taken) == (None, 60)
    assert shelf.put(first, 90) is first
    assert shelf.taken == 90
    del first
    assert shelf.taken == 0


def test_a_list_of_another_kind_is_left_alone():
    class Seen(list):
        """As a stream has it."""

    seen, shelf = Seen(), Shelf(10)
    assert (shelf.put(seen, 1000) is seen, shelf.taken) == (True, 0)


def test_the_beginning_of_a_refusal_can_be_read_though_nobody_judges_it(shelf, serve, make_plan, run_here):
    body = b"the cupboard is bare " + b"x" * SIZE
    refusal = b"HTTP/1.1 503 Busy\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)
    outcome = run_here(make_plan(serve(refusal).url, hold=0.3))
    [group] = outcome.errors
    assert group.samples[0].answer.startswith("503 the cupboard is bare xxx")
    assert shelf.taken == 0
