# ruff: noqa: S608 - tables of our own
"""What a schema shows: a healthy one is accused of nothing, each lack is named."""

import asyncio
import contextlib
import os
import subprocess
import sys
from urllib.parse import urlsplit, urlunsplit

import pytest
from scene import open_scene, run_phase, settings_of
from servers import wait_until

from campaign.database.address import read_address
from campaign.database.server import open_server
from campaign.database.sessions import sessions
from campaign.database.shapes import row_estimate
from campaign.records import Evidence, Outcome, Severity
from phases.database.catalogue.part import CataloguePart
from phases.database.catalogue.rights import sees_all

OTHERS = [
    "workload", "queries", "pool", "isolation", "invariants", "durability", "recovery", "cache", "service",
]  # fmt: skip
FILL = {
    "postgresql": "(SELECT g AS n FROM generate_series(1, 2000) g) q",
    "mysql": "(SELECT seq AS n FROM seq_1_to_2000) q",
    "sqlite": "(WITH RECURSIVE c(n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM c LIMIT 2000) "
    "SELECT n FROM c)",
}


@pytest.fixture
def server(database_url):
    opened = open_server(read_address(database_url), tag="test")
    yield opened
    opened.close()


def make(server, *statements):
    server.run(
        "CREATE TABLE children (id INTEGER PRIMARY KEY, name VARCHAR(20))",
        "INSERT INTO children VALUES (1, 'a'), (2, 'b')",
        *statements,
    )


def fill(server, table, value="1"):
    server.run(f"INSERT INTO {table} SELECT n, {value} FROM {FILL[server.kind.value]}")
    if server.kind.value != "sqlite":
        server.run(f"ANALYZE {table}" if server.kind.value == "postgresql" else f"ANALYZE TABLE {table}")


def judged(url, **catalogue):
    settings = settings_of(skip=OTHERS, catalogue=catalogue)
    evidence = run_phase(settings, stores={"database": url})
    return {each.check.removeprefix("catalogue."): each for each in CataloguePart().judge(evidence, settings)}


def failed(findings):
    return {name: each.message for name, each in findings.items() if each.outcome is Outcome.FAILED}


def outcomes(findings):
    return {name: each.outcome.value for name, each in findings.items()}


@pytest.fixture
def demo(tmp_path):
    """Makes the demo service's tables with some history in a database."""

    def fill_database(url, *defects):
        command = [sys.executable, "-m", "campaign.demo", "--port", "0", "--database-url", url,
                   "--seed-parents", "60", "--seed-history", "1500", "--exit-with-stdin",
                   *(part for each in defects for part in ("--defect", each))]  # fmt: skip
        with (tmp_path / "log").open("w") as log:
            process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=log, stderr=log, env=os.environ)
        try:
            wait_until(lambda: process.poll() is not None or "http://" in (tmp_path / "log").read_text())
            assert process.poll() is None, (tmp_path / "log").read_text()
        finally:
            process.communicate(timeout=20)

    return fill_database


@pytest.mark.parametrize("kind", ["postgres", "sqlite"])
def test_the_healthy_demo_is_accused_of_nothing(request, demo, kind):
    url = request.getfixturevalue(f"{kind}_url")
    demo(url.replace("postgresql://", "postgresql+psycopg://"))
    assert outcomes(judged(url)) == {
        "indexes": "passed",
        "references": "passed",
        "primary_keys": "passed",
        "orphans": "passed" if kind == "sqlite" else "not_applicable",
    }


@pytest.mark.parametrize(
    ("defect", "lack"),
    [
        ("slow-history", {"indexes": ["messages (session_id)", "messages (child_id)"]}),
        ("missing-index", {"indexes": ["activities (child_id)"]}),
        ("no-foreign-keys", {"references": ["children.parent_id (of parents)", ".child_id (of children)"]}),
    ],
)
def test_each_lack_of_the_demos_schema_is_found(postgres_url, demo, defect, lack):
    demo(postgres_url.replace("postgresql://", "postgresql+psycopg://"), defect)
    found = failed(judged(postgres_url))
    assert set(found) == set(lack)
    assert all(name in found[check] for check, names in lack.items() for name in names)


def test_a_key_of_a_large_table_without_an_index_is_named(server, database_url):
    if server.kind.value == "mysql":
        pytest.skip("InnoDB gives every foreign key an index")
    make(
        server,
        "CREATE TABLE notes (id INTEGER PRIMARY KEY, child_id INTEGER REFERENCES children (id))",
        "CREATE TABLE few (id INTEGER PRIMARY KEY, child_id INTEGER REFERENCES children (id))",
    )
    fill(server, "notes")
    found = judged(database_url)["indexes"]
    assert (found.outcome, found.severity) == (Outcome.FAILED, Severity.IMPORTANT)
    assert "1 of 1 references" in found.message
    assert "notes (child_id), 2,000 rows" in found.message
    server.run("CREATE INDEX notes_by_child ON notes (child_id, id)")
    assert failed(judged(database_url)) == {}


def test_a_reference_without_a_foreign_key_and_its_orphans_are_named(server, database_url):
    make(
        server,
        "CREATE TABLE notes (id INTEGER PRIMARY KEY, child_id INTEGER)",
        "CREATE INDEX i ON notes (child_id)",
    )
    fill(server, "notes")
    found = judged(database_url)
    assert failed(found) == {
        "references": "1 of 1 columns that look like references have no foreign key: "
        "notes.child_id (of children)"
    }
    assert "no row refers to something" in found["orphans"].message
    server.run("INSERT INTO notes VALUES (3001, 77), (3002, 78), (3003, NULL)")
    found = judged(database_url)
    assert failed(found)["orphans"] == "rows refer to something that is not there: 2 in notes.child_id"
    assert found["orphans"].severity is Severity.CRITICAL


def test_what_only_looks_like_a_reference_is_not_accused(server, database_url):
    make(
        server,
        "CREATE TABLE things (id INTEGER PRIMARY KEY, turn_id INTEGER, children_text VARCHAR(5), "
        "child_id VARCHAR(20), external_id INTEGER)",
        "CREATE TABLE child_id (id INTEGER PRIMARY KEY)",
    )
    assert outcomes(judged(database_url))["references"] == "not_applicable"


def test_what_the_file_ignores_is_left_alone(server, database_url):
    make(server, "CREATE TABLE notes (id INTEGER, child_id INTEGER)", "CREATE INDEX i ON notes (child_id)")
    assert set(failed(judged(database_url))) == {"references", "primary_keys"}
    assert set(failed(judged(database_url, ignore=["notes.child_id"]))) == {"primary_keys"}
    assert failed(judged(database_url, ignore="notes")) == {}
    assert set(outcomes(judged(database_url, checks="primary_keys"))) == {"primary_keys"}


def test_tables_that_know_no_transactions_are_named(mariadb_url):
    server = open_server(read_address(mariadb_url), tag="test")
    make(server, "CREATE TABLE old (id INTEGER PRIMARY KEY) ENGINE=MyISAM")
    server.close()
    assert failed(judged(mariadb_url)) == {
        "engines": "1 of 2 tables that this account sees are not InnoDB: old (MyISAM)"
    }
    assert judged(mariadb_url, ignore="old")["engines"].outcome is Outcome.PASSED


def test_a_table_without_a_primary_key_is_a_minor_matter(server, database_url):
    make(server, "CREATE TABLE log (line VARCHAR(20))")
    found = judged(database_url)["primary_keys"]
    assert found.severity is Severity.MINOR
    assert found.message == "1 of 2 tables that this account sees have no primary key: log"


def test_a_database_without_tables_is_undecided(database_url):
    found = judged(database_url)
    assert set(outcomes(found).values()) == {"inconclusive"}
    assert "may this account see its tables?" in found["primary_keys"].message


def test_no_database_at_all_is_told_as_that(mariadb_url):
    found = judged(mariadb_url.rpartition("/")[0] + "/")
    assert set(outcomes(found).values()) == {"inconclusive"}
    assert "no database was chosen" in found["engines"].message


def test_an_account_that_sees_a_part_of_the_tables_passes_nothing(mariadb_server, mariadb_url):
    server = open_server(read_address(mariadb_url), tag="test")
    make(server, "CREATE TABLE old (id INTEGER PRIMARY KEY) ENGINE=MyISAM")
    name = server.scalar("SELECT DATABASE()")
    account = f"p{name[-8:]}"
    parts = urlsplit(mariadb_url)
    url = urlunsplit(parts._replace(netloc=f"{account}@{parts.hostname}:{parts.port}"))
    server.run(
        f"CREATE USER {account}@'127.0.0.1'", f"GRANT SELECT ON {name}.children TO {account}@'127.0.0.1'"
    )
    try:
        found = judged(url)
        assert set(outcomes(found).values()) == {"inconclusive"}
        assert found["engines"].message.startswith("all 1 tables that this account sees are InnoDB, but ")
        server.run(f"GRANT SELECT ON {name}.* TO {account}@'127.0.0.1'")
        assert set(failed(judged(url))) == {"engines"}
    finally:
        server.run(f"DROP USER {account}@'127.0.0.1'")
        server.close()


@pytest.mark.parametrize(
    ("grant", "whole"),
    [
        ("GRANT ALL PRIVILEGES ON *.* TO `a`@`%` WITH GRANT OPTION", True),
        ("GRANT SELECT, INSERT ON `teddy`.* TO `a`@`%`", True),
        (r"GRANT SELECT ON `ted\_y`.* TO `a`@`%`", False),
        ("GRANT SELECT ON `ted%`.* TO `a`@`%`", True),
        ("GRANT SELECT ON `other`.* TO `a`@`%`", False),
        ("GRANT USAGE ON *.* TO `a`@`%`", False),
        ("GRANT PROCESS ON *.* TO `a`@`%`", False),
        ("GRANT SELECT ON `teddy`.`children` TO `a`@`%`", False),
    ],
)
def test_the_servers_grants_say_whether_all_is_seen(grant, whole):
    assert sees_all([grant], "teddy") is whole


def test_orphans_that_take_too_long_are_not_said_to_be_none(postgres_url):
    server = open_server(read_address(postgres_url), tag="test")
    make(server, "CREATE TABLE notes (id INTEGER PRIMARY KEY, child_id INTEGER)")
    fill(server, "notes", value="NULL")
    server.run("ANALYZE")
    with server.writing() as connection:
        connection.exec_driver_sql("LOCK TABLE children IN ACCESS EXCLUSIVE MODE")
        found = judged(postgres_url, timeout="200ms", checks=["references"])
    server.close()
    assert found["orphans"].outcome is Outcome.INCONCLUSIVE


def test_a_schema_that_was_not_read_is_undecided():
    settings = settings_of(skip=OTHERS)
    found = {each.check: each.outcome for each in CataloguePart().judge(Evidence(), settings)}
    assert set(found.values()) == {Outcome.INCONCLUSIVE}
    assert "catalogue.orphans" in found


def test_a_phase_that_is_stopped_does_not_wait_for_a_count(postgres_url):
    server = open_server(read_address(postgres_url), tag="other")
    make(server, "CREATE TABLE notes (id INTEGER PRIMARY KEY, child_id INTEGER)", "ANALYZE")
    settings = settings_of(skip=OTHERS, catalogue={"timeout": "60s"})

    def counts():
        return any("LEFT JOIN" in each.statement for each in sessions(server))

    async def stopped():
        async with open_scene(postgres_url, settings) as scene:
            counting = asyncio.create_task(CataloguePart().collect(scene))
            await asyncio.to_thread(wait_until, counts)
            scene.context.stop.request()
            async with asyncio.timeout(10):
                await counting
            return scene.context.record.evidence

    with server.writing() as connection:
        connection.exec_driver_sql("LOCK TABLE children IN ACCESS EXCLUSIVE MODE")
        evidence = asyncio.run(stopped())
    server.close()
    found = {each.check: each.outcome for each in CataloguePart().judge(evidence, settings)}
    assert found["catalogue.orphans"] is Outcome.INCONCLUSIVE


ODD = 'W e:i%r"d'


def test_names_with_signs_of_their_own_are_counted_like_others(postgres_url):
    with opened(postgres_url) as server:
        schema = '"W e:i%r""d"'
        server.run(
            f"CREATE SCHEMA {schema}".replace("%", "%%"),
            f'CREATE TABLE {schema}."a%c:s" (id INT PRIMARY KEY)'.replace("%", "%%"),
            f'CREATE TABLE {schema}.hops (id INT PRIMARY KEY, "a%c_id" INT)'.replace("%", "%%"),
            f"INSERT INTO {schema}.hops SELECT g, 7 FROM generate_series(1, 2000) g".replace("%", "%%"),
        )
        server.run(
            f'ALTER TABLE {schema}.hops ADD CONSTRAINT hop FOREIGN KEY ("a%c_id") '
            f'REFERENCES {schema}."a%c:s" NOT VALID'.replace("%", "%%")
        )
        assert row_estimate(server, "hops", ODD) == 2000
    found = failed(judged(postgres_url, many_rows=100))
    assert found["orphans"] == f"rows refer to something that is not there: 2,000 in {ODD}.hops.a%c_id"
    assert "2,000 rows" in found["indexes"]


def test_rows_from_before_a_foreign_key_that_is_not_valid_are_looked_for(postgres_url):
    with opened(postgres_url) as server:
        make(server, "CREATE TABLE letters (id INT PRIMARY KEY, child_id INT)")
        server.run(
            "INSERT INTO letters VALUES (1, 9)",
            "ALTER TABLE letters ADD FOREIGN KEY (child_id) REFERENCES children NOT VALID",
        )
    assert failed(judged(postgres_url))["orphans"].endswith("1 in letters.child_id")


def test_what_mariadb_let_in_unchecked_is_not_claimed_to_be_absent(mariadb_url):
    with opened(mariadb_url) as server:
        make(
            server,
            "CREATE TABLE letters (id INT PRIMARY KEY, child_id INT, "
            "FOREIGN KEY (child_id) REFERENCES children (id))",
        )
    assert "foreign_key_checks=0 were not looked for" in judged(mariadb_url)["orphans"].message


def test_tables_after_the_last_that_is_looked_at_leave_all_undecided(sqlite_url, monkeypatch):
    monkeypatch.setattr("phases.database.catalogue.tables.MOST_TABLES", 3)
    with opened(sqlite_url) as server:
        server.run(*(f"CREATE TABLE t{number} (id INTEGER PRIMARY KEY)" for number in range(3)))
        assert set(outcomes(judged(sqlite_url)).values()) == {"not_applicable", "passed"}
        server.run("CREATE TABLE t3 (id INTEGER PRIMARY KEY)")
    found = judged(sqlite_url)
    assert set(outcomes(found).values()) == {"inconclusive"}
    assert all("only 3 of 4 tables were looked at" in each.message for each in found.values())


@contextlib.contextmanager
def opened(url):
    server = open_server(read_address(url), tag="test")
    try:
        yield server
    finally:
        server.close()
