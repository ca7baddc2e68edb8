"""A place of our own in a database: made, found again, dropped."""

import socket
from typing import get_args

import pytest
from scene import run_phase, settings_of
from sqlalchemy import Column, ForeignKey, Integer, insert

from campaign.database.address import read_address
from campaign.database.server import AccessError, open_server, tag_of
from campaign.database.sessions import end_session, foreign_sessions, own_sessions
from campaign.database.territory import Territory, claim, drop, is_there, places
from campaign.errors import TargetUnreachableError
from campaign.records import Evidence, Outcome
from phases.database.judge import judge_database
from phases.database.scene import TERRITORY
from phases.database.settings import PartName


@pytest.fixture
def server(database_url):
    opened = open_server(read_address(database_url), tag=tag_of("test"))
    yield opened
    opened.close()


def test_a_place_is_found_again_and_dropped_with_all_that_is_in_it(server):
    territory = claim(server)
    families = territory.table("families", Column("id", Integer, primary_key=True))
    children = territory.table(
        "children",
        Column("id", Integer, primary_key=True),
        Column("family_id", ForeignKey(territory.full("families.id"))),
    )
    territory.create(families, children)
    with server.writing() as connection:
        connection.execute(insert(families), {"id": 1})
        connection.execute(insert(children), {"id": 1, "family_id": 1})
    (owner,) = places(server).values()
    assert (owner.host, owner.alive) == (socket.gethostname(), True)
    assert is_there(server, territory.name)
    territory.drop()
    assert (places(server), is_there(server, territory.name)) == ({}, False)


ONE_PART = settings_of(skip=sorted(set(get_args(PartName)) - {"invariants"}), invariants={"seconds": "10ms"})


def said(evidence):
    """What the phase says of our tables; None where it says nothing."""
    found = {each.check: each for each in judge_database(evidence, ONE_PART)}
    return found.get("territory.dropped")


def test_that_nothing_of_ours_is_left_is_looked_at_and_told(sqlite_url):
    finding = said(run_phase(ONE_PART, stores={"database": sqlite_url}))
    assert (finding.outcome, "were dropped" in finding.message) == (Outcome.PASSED, True)


def test_tables_of_ours_that_are_left_fail_the_phase(sqlite_url, monkeypatch):
    monkeypatch.setattr(Territory, "drop", lambda territory: None)
    finding = said(run_phase(ONE_PART, stores={"database": sqlite_url}))
    assert (finding.outcome, "are left in the database" in finding.message) == (Outcome.FAILED, True)
    assert "`campaign clean`" in finding.remedy


def test_of_tables_nothing_is_said_where_none_were_made_and_nothing_good_where_nobody_looked():
    assert said(Evidence()) is None
    cut_off = said(Evidence(facts={TERRITORY: {"name": "campaign_12345678"}}))
    assert cut_off.outcome is Outcome.INCONCLUSIVE


def test_only_places_of_ours_are_dropped(server):
    with pytest.raises(ValueError, match="not a place of ours"):
        drop(server, "campaign_customers")


def test_our_sessions_are_told_from_others_in_the_servers_list(server, database_url):
    if server.kind.value == "sqlite":
        pytest.skip("SQLite has no sessions")
    other = open_server(read_address(database_url), tag="somebody else")
    try:
        with server.engine.connect():
            assert len(own_sessions(server)) >= 1
        if server.kind.value == "postgresql":
            (found,) = foreign_sessions(server)
            assert end_session(server, found.id)
    finally:
        other.close()


def test_a_file_that_is_not_there_is_not_made(tmp_path):
    with pytest.raises(AccessError, match="there is no file"):
        open_server(read_address(f"sqlite:///{tmp_path}/none.sqlite"), tag="t")
    assert list(tmp_path.iterdir()) == []


def test_a_wrong_password_and_a_server_that_is_not_there_are_told_apart(postgres_server):
    with pytest.raises(AccessError, match="does not exist"):
        open_server(read_address(f"{postgres_server.url}_of_nobody"), tag="t")
    with pytest.raises(TargetUnreachableError, match="does not answer"):
        open_server(read_address("postgresql://postgres@127.0.0.1:1/postgres"), tag="t")
