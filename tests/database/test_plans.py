# ruff: noqa: S608 - tables of our own
"""How a statement is answered, and the index that is missing."""

import pytest
from sqlalchemy import Column, Index, Integer, String, insert

from campaign.database.address import read_address
from campaign.database.plans import Scan, explain, missing_index
from campaign.database.scanning import Found, Scans
from campaign.database.server import open_server, tag_of
from campaign.database.territory import claim

ROWS = 6_000
SESSIONS = 300


@pytest.fixture(scope="module", params=["postgres", "mariadb", "sqlite"])
def place(request, tmp_path_factory):
    """6,000 messages in 300 sessions of 50 children, indexed by child and not by session."""
    if request.param == "sqlite":
        file = tmp_path_factory.mktemp("plans") / "target.sqlite"
        file.touch()
        url = f"sqlite:///{file}"
    else:
        url = request.getfixturevalue(f"{request.param}_server").database("plans")
    server = open_server(read_address(url), tag=tag_of("test"))
    territory = claim(server)
    messages = territory.table(
        "messages",
        Column("id", Integer, primary_key=True),
        Column("session_id", Integer),
        Column("child_id", Integer),
        Column("kind", String(20)),
        Column("body", String(100)),
    )
    Index("messages_by_child", messages.c.child_id, messages.c.id)
    sessions = territory.table(
        "sessions", Column("id", Integer, primary_key=True), Column("state", String(9))
    )
    Index("sessions_by_state", sessions.c.state)
    few = territory.table("few", Column("id", Integer, primary_key=True), Column("name", String(20)))
    territory.create(messages, sessions, few)
    with server.writing() as connection:
        connection.execute(
            insert(messages),
            [
                {
                    "id": n + 1,
                    "session_id": 1 + n % SESSIONS,
                    "child_id": n % 50,
                    "kind": "chat",
                    "body": f"it's {n}",
                }
                for n in range(ROWS)
            ],
        )
        rows = [{"id": n + 1, "state": "open" if n < 2 else "closed"} for n in range(SESSIONS)]
        connection.execute(insert(sessions), rows)
        connection.execute(insert(few), [{"id": n + 1, "name": str(n)} for n in range(900)])
    if server.kind.value != "sqlite":
        verb = "ANALYZE" if server.kind.value == "postgresql" else "ANALYZE TABLE"
        server.run(*(f"{verb} {territory.full(each)}" for each in ("messages", "sessions", "few")))
    yield server, territory
    territory.drop()
    server.close()
    if request.param != "sqlite":
        request.getfixturevalue(f"{request.param}_server").sql(
            "DROP DATABASE plans", *_outside(request.param)
        )


def _outside(name):
    return ("",) if name == "mariadb" else ()


def missing(place, sql, **params):
    server, territory = place
    names = {each: territory.full(each) for each in ("messages", "sessions", "few")}
    found = missing_index(explain(server, sql.format(**names), params))
    return found and (found.table.rpartition("_")[2], found.columns, found.read, found.kept)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM {messages} WHERE session_id = :session ORDER BY id DESC LIMIT 20",
        "SELECT count(*) FROM {messages} AS m WHERE m.session_id = :session AND m.body LIKE '%:x%'",
        "SELECT body FROM {messages} WHERE kind = 'chat' AND body <> 'x' AND session_id = :session",
        "UPDATE {messages} SET kind = 'x' WHERE session_id = :session",
        "DELETE FROM {messages} WHERE session_id = :session",
    ],
)
def test_a_scan_for_a_few_rows_names_the_index_that_is_missing(place, sql):
    table, columns, read, kept = missing(place, sql, session=7)
    assert (table, columns[-1]) == ("messages", "session_id")
    assert read == pytest.approx(ROWS, rel=0.1)
    assert kept <= 20


def test_a_join_that_reads_all_for_a_few_names_the_index(place):
    if place[0].kind.value == "sqlite":
        pytest.skip("SQLite reads the other table first")
    found = missing(
        place,
        "SELECT body FROM {sessions} s LEFT JOIN {messages} m ON m.session_id = s.id WHERE state = :state",
        state="open",
    )
    assert found == ("messages", ("session_id",), ROWS, 2 * ROWS // SESSIONS)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM {messages} WHERE id = :session",
        "SELECT * FROM {messages} WHERE child_id = :session AND session_id = 7",
        "SELECT count(*) FROM {messages}",
        "SELECT * FROM {messages} LIMIT 20",
        "SELECT * FROM {messages} WHERE kind = 'chat' LIMIT 20",
        "SELECT count(*) FROM {messages} WHERE session_id > :session",
        "SELECT count(*) FROM {messages} WHERE session_id <> :session",
        "SELECT * FROM {messages} WHERE lower(body) = 'x'",
        "SELECT * FROM {messages} WHERE body LIKE '%nothing%' AND kind = 'chat'",
        "SELECT * FROM {messages} WHERE id = 1 OR body = 'y'",
        "SELECT * FROM {few} WHERE name = '7'",
        "SELECT s.id, count(*) FROM {sessions} s JOIN {messages} m ON m.session_id = s.id GROUP BY s.id",
        "INSERT INTO {few} VALUES (:session, '12:30')",
        "SELECT 1",
    ],
)
def test_a_healthy_plan_is_not_accused(place, sql):
    assert missing(place, sql, session=7) is None


def test_explaining_changes_nothing(place):
    server, territory = place
    explain(server, f"DELETE FROM {territory.full('messages')} WHERE session_id = :session", {"session": 7})
    assert server.scalar(f"SELECT count(*) FROM {territory.full('messages')}") == ROWS


def test_what_writes_behind_our_back_does_not_write_when_it_is_explained(place):
    server, territory = place
    if server.kind.value != "postgresql":
        pytest.skip("only PostgreSQL's EXPLAIN calls functions without a table")
    emptied = f"DELETE FROM {territory.full('few')} RETURNING 1"
    server.run(f"CREATE FUNCTION {territory.full('sneak')}() RETURNS int LANGUAGE sql AS '{emptied}'")
    with pytest.raises(Exception, match="read-only transaction"):
        explain(server, f"SELECT {territory.full('sneak')}()", {})
    assert server.scalar(f"SELECT count(*) FROM {territory.full('few')}") == 900


def test_a_scan_in_spite_of_an_index_lacks_none(place):
    """The planner has its reasons; an index that is there is not missing."""
    server, territory = place
    name = territory.full("messages").rpartition(".")[2]
    for column, lacking in (("child_id", ()), ("session_id", ("session_id",))):
        scan = Scan(name, "full", ROWS, ROWS, 20, f"{name}.{column} = 7")
        assert Scans(server, counted=True).told(Found(scan, name, territory.schema)).columns == lacking


def test_a_statement_that_takes_too_long_is_estimated(place):
    server, territory = place
    if server.kind.value == "sqlite":
        pytest.skip("SQLite does not run what it explains")
    nap = {"postgresql": "pg_sleep(0.01)::text", "mysql": "sleep(0.01)"}[server.kind.value]
    plan = explain(server, f"SELECT {nap} FROM {territory.full('messages')}", {}, seconds=0.5)
    assert not plan.counted
    assert explain(server, f"SELECT id FROM {territory.full('messages')}", {}).counted


def test_the_plan_shows_what_was_read_as_plain_data(place):
    server, territory = place
    data = explain(server, f"SELECT * FROM {territory.full('few')} WHERE name = 'x'", {}).as_data()
    assert data["scans"][0]["table"].endswith("few")
    assert len(data["text"]) > 5
