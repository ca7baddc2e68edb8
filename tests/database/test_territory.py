"""A place of our own in a database: made, found again, dropped."""

import socket

import pytest
from sqlalchemy import Column, ForeignKey, Integer, insert

from campaign.database.address import read_address
from campaign.database.server import AccessError, open_server, tag_of
from campaign.database.sessions import end_session, foreign_sessions, own_sessions
from campaign.database.territory import claim, drop, places
from campaign.errors import TargetUnreachableError


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
    territory.drop()
    assert places(server) == {}


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
