"""Whose write is whose, what was refused for certain, and what must hold afterwards."""

import asyncio
import sqlite3

import pytest

from campaign.clock import RealClock
from campaign.database.address import read_address
from campaign.database.server import open_server
from campaign.ledger.book import State
from phases.failover.consistency import Outset, look_at_all, outset
from phases.failover.people import Exchange
from phases.failover.settings import ConsistencySettings, WriteSettings
from phases.failover.story import Ending
from phases.failover.writes import Writer, mark_of


class Scripted:
    """A user to whom each request comes back as the script says."""

    class scope:  # noqa: N801 - what a user has
        @staticmethod
        def next_iteration():
            pass

    def __init__(self, *endings):
        self.endings = list(endings)
        self.said = []

    async def do(self, name, *, values=None):
        self.said.append(values["write"])
        ending, status = self.endings.pop(0)
        return Exchange(name, 0, 0, ending, status)


def writer(tmp_path, person, **settings):
    said = WriteSettings(operation="say", **settings)
    return Writer(said, [person], path=tmp_path / "ledger", mark=mark_of("a"), clock=RealClock())


OK = (Ending.OK, 200)


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        (OK, State.ACKNOWLEDGED),
        ((Ending.REFUSED, 0), State.REFUSED),
        ((Ending.UNSENT, 0), State.REFUSED),
        ((Ending.STATUS, 400), State.REFUSED),
        ((Ending.STATUS, 429), State.REFUSED),
        ((Ending.STATUS, 408), State.UNKNOWN),
        ((Ending.STATUS, 409), State.UNKNOWN),
        ((Ending.STATUS, 500), State.UNKNOWN),
        ((Ending.STATUS, 503), State.UNKNOWN),
        ((Ending.RESET, 0), State.UNKNOWN),
        ((Ending.HUNG, 0), State.UNKNOWN),
        ((Ending.WRONG, 200), State.UNKNOWN),
    ],
)
def test_what_is_known_of_a_write_by_its_answer(tmp_path, answer, state):
    book = writer(tmp_path, Scripted(answer))
    asyncio.run(book.write(0))
    assert book.book().state(0) is state


@pytest.mark.parametrize(
    ("answers", "tries", "state"),
    [
        ([(Ending.HUNG, 0), OK], 2, State.ACKNOWLEDGED),
        ([(Ending.STATUS, 503), (Ending.REFUSED, 0), (Ending.REFUSED, 0)], 3, State.UNKNOWN),
        ([(Ending.REFUSED, 0), (Ending.REFUSED, 0), (Ending.REFUSED, 0)], 3, State.REFUSED),
        ([(Ending.STATUS, 400)], 1, State.REFUSED),
        ([(Ending.WRONG, 200)], 1, State.UNKNOWN),
    ],
)
def test_a_client_asks_again_with_the_same_words(tmp_path, answers, tries, state):
    person = Scripted(*answers)
    book = writer(tmp_path, person, retry={"attempts": 2, "pause": "100ms"})
    first = asyncio.run(book.write(0))
    assert len(person.said) == tries
    assert len(set(person.said)) == 1
    assert book.book().state(0) is state
    assert first.ending is answers[0][0]


def test_what_quotes_a_write_is_not_that_write_once_more(tmp_path):
    book = writer(tmp_path, Scripted())
    said = [
        book.text(1),
        f"You said {book.text(1)}!",
        f"Tell me of {book.text(2)}",
        book.text(3),
        book.text(3),
    ]
    other = book.text(4).replace(book.mark, mark_of("b"))
    assert dict(book.found_in([*said, other, "x"])) == {1: 1, 2: 1, 3: 2}


@pytest.fixture
def family(tmp_path):
    """A database in which a child names its parent, and nobody looks whether there is one."""
    file = tmp_path / "family.sqlite"
    with sqlite3.connect(file) as connection:
        connection.executescript(
            "CREATE TABLE parents (id INTEGER PRIMARY KEY);"
            "CREATE TABLE children (id INTEGER PRIMARY KEY, parent INTEGER REFERENCES parents (id));"
            "INSERT INTO parents VALUES (1); INSERT INTO children VALUES (1, 1), (2, 99), (3, NULL);"
        )
    server = open_server(read_address(f"sqlite:///{file}"), tag="test")
    yield server, lambda *statements: _run(file, statements)
    server.close()


def _run(file, statements):
    with sqlite3.connect(file) as connection:
        for each in statements:
            connection.execute(each)


def seen(server, settings, before):
    found = asyncio.run(look_at_all(server, settings, before, person=None, clock=RealClock()))
    return {each.name: (each.holds, each.detail) for each in found}


def test_orphans_that_were_there_before_are_nobodys_fault_and_new_ones_are_named(family):
    server, change = family
    settings = ConsistencySettings()
    before = asyncio.run(outset(server, settings))
    assert before.orphans == {"children.parent -> parents": 1}
    holds, detail = seen(server, settings, before)["foreign keys"]
    assert holds
    assert "1 there before" in detail
    change("INSERT INTO children VALUES (4, 77)")
    holds, detail = seen(server, settings, before)["foreign keys"]
    assert holds is False
    assert detail == "children.parent -> parents: 2 orphans, 1 before"


def test_invariants_are_a_value_or_the_same_as_before(family):
    server, change = family
    settings = ConsistencySettings(
        orphans=False,
        queries={
            "two": {"sql": "SELECT count(*) FROM parents", "equals": 1},
            "wrong_before": {"sql": "SELECT 5", "equals": 6},
            "same": "SELECT count(*) FROM children",
            "broken": "SELECT nothing FROM nowhere",
        },
    )
    before = asyncio.run(outset(server, settings))
    found = seen(server, settings, before)
    assert {name: holds for name, (holds, _) in found.items()} == {
        "two": True, "wrong_before": None, "same": True, "broken": None,
    }  # fmt: skip
    change("INSERT INTO parents VALUES (2)", "DELETE FROM children WHERE id = 1")
    found = seen(server, settings, before)
    assert found["two"] == (False, "it is 2, and must be 1")
    assert found["same"] == (False, "it is 2, and was 3 before the fault")


def test_without_a_database_what_was_asked_is_undecided():
    settings = ConsistencySettings(queries={"one": "SELECT 1"})
    (found,) = asyncio.run(look_at_all(None, settings, Outset(), person=None, clock=RealClock()))
    assert found.holds is None
