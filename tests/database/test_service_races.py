"""What the runs of a race count, on a service in memory that makes one mistake at a time."""

import asyncio
import json
from random import Random
from types import SimpleNamespace

import pytest
from pydantic import TypeAdapter

from phases.database.service import races
from phases.database.service.actor import Done
from phases.database.service.settings import Race

LOST = {
    "kind": "lost update", "first": "rename", "second": "dress", "read": "show",
    "expect": {"$.name": "A{{ iteration }}", "$.coat": "B{{ iteration }}"},
}  # fmt: skip
AFTER = {"kind": "write after", "event": "revoke", "write": "say", "read": "count", "count": "$.total"}


class Scope:
    """The iteration alone, of what a template may ask."""

    def __init__(self):
        self.iteration = 0

    def next_iteration(self):
        self.iteration += 1


class Service:
    """Names, coats and messages; both changes of a pair may get lost, reads may be old, writes refused."""

    def __init__(self, *mistakes):
        self.scope = Scope()
        self.mistakes = mistakes
        self.child, self.total = {"name": "", "coat": ""}, 0
        self.revoked = False
        self.under_way = 0

    async def surely(self, *names):
        self.revoked = False

    async def patiently(self, name):
        return await self.do(name)

    async def do(self, name):
        loop = asyncio.get_running_loop()
        sent = loop.time()
        self.under_way += 1
        await asyncio.sleep({"revoke": 0.001, "count": 0.0}.get(name, 0.02))
        together = self.under_way > 1
        status, body = getattr(self, name)(together=together)
        await asyncio.sleep(0.0)
        self.under_way -= 1
        why = "" if status == 200 else f"status {status}"
        return Done(
            name, sent, loop.time(), status, ok=status == 200, why=why, body=json.dumps(body).encode()
        )

    def rename(self, *, together):
        return self.change("name", f"A{self.scope.iteration}", together=together)

    def dress(self, *, together):
        return self.change("coat", f"B{self.scope.iteration}", together=together)

    def change(self, what, value, *, together):
        if not (together and "loses both" in self.mistakes) and "shows what is old" not in self.mistakes:
            self.child[what] = value
        return 200, {}

    def show(self, **_):
        return (500, {}) if "cannot be read" in self.mistakes else (200, self.child)

    def revoke(self, **_):
        self.revoked = "refuses for ever" not in self.mistakes
        return 200, {}

    def say(self, **_):
        if "refuses for ever" in self.mistakes or (self.revoked and "stores late" not in self.mistakes):
            return 403, {}
        self.total += 1
        return 200, {}

    def count(self, **_):
        return 200, {"total": self.total}


@pytest.fixture(autouse=True)
def _hurried(monkeypatch):
    monkeypatch.setattr(races, "SETTLED", 0.0)
    monkeypatch.setattr(
        races,
        "compile_text",
        lambda text: SimpleNamespace(
            render=lambda scope: text.replace("{{ iteration }}", str(scope.iteration))
        ),
    )


def counted(asked, *mistakes):
    race = TypeAdapter(Race).validate_python(asked)
    return asyncio.run(
        races.run_race(race, Service(*mistakes), times=10, random=Random(7), stopping=lambda: False)
    )


def picked(facts, *names):
    return {name: facts.get(name, 0) for name in names}


@pytest.mark.parametrize(
    ("mistake", "counts"),
    [
        ("none", {"lost": 0, "old_read": 0, "unread": 0}),
        ("loses both", {"lost": 10, "old_read": 0, "unread": 0}),
        ("shows what is old", {"lost": 0, "old_read": 10, "unread": 0}),
        ("cannot be read", {"lost": 0, "old_read": 0, "unread": 10}),
    ],
)
def test_two_lost_changes_are_lost_unless_the_read_shows_no_change_at_all(mistake, counts):
    facts = counted(LOST, mistake)
    assert picked(facts, "lost", "old_read", "unread") == counts
    assert picked(facts, "confirmed", "overlapped") == {"confirmed": 10, "overlapped": 10}


def test_a_write_is_watched_by_itself_before_it_races():
    facts = counted(AFTER)
    assert picked(facts, "alone", "alone_stored", "stored_after") == {
        "alone": 3, "alone_stored": 3, "stored_after": 0,
    }  # fmt: skip
    assert facts["overlapped"] > 0


def test_a_write_that_is_always_refused_is_told_with_its_reason():
    facts = counted(AFTER, "refuses for ever")
    assert picked(facts, "alone", "alone_stored") == {"alone": 3, "alone_stored": 0}
    assert facts["refusals_alone"] == {"say: status 403": 3}


def test_a_write_that_is_stored_late_is_seen():
    assert counted(AFTER, "stores late")["stored_after"] > 0
