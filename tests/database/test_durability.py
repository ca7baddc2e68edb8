"""Settings that decide whether a committed write survives a crash: read back, explained, judged."""

from pathlib import Path
from typing import get_args

import pytest
from scene import run_phase, settings_of
from servers import MariaDb, Postgres

from campaign.records import Evidence, Outcome, PhaseResult, Severity, Status
from campaign.report.html import _own_part
from phases.database.durability import meanings as meanings_module
from phases.database.durability import readings
from phases.database.durability.judge import PLANNED, judge_durability, table
from phases.database.durability.meanings import Verdict, meanings
from phases.database.durability.part import DurabilityPart
from phases.database.durability.settings import DurabilitySettings
from phases.database.settings import PartName

OTHERS = sorted(set(get_args(PartName)) - {"durability"})
FLUSH = "innodb_flush_log_at_trx_commit"


def findings(url, **said):
    settings = settings_of(skip=OTHERS, durability=said)
    evidence = run_phase(settings, stores={"database": url})
    return {
        each.check.partition(".")[2]: each for each in DurabilityPart().judge(evidence, settings)
    }, evidence


@pytest.fixture(scope="module")
def careful_postgres():
    server = Postgres(fsync="on")
    yield server
    server.end()


@pytest.fixture(scope="module")
def careful_mariadb():
    server = MariaDb(innodb_flush_log_at_trx_commit=1)
    yield server
    server.end()


@pytest.mark.parametrize(
    ("product", "values", "verdicts"),
    [
        ("PostgreSQL", {"fsync": "off"}, {"fsync": Verdict.LOSES}),
        ("PostgreSQL", {"fsync": "on", "synchronous_commit": "on"},
         dict.fromkeys(("fsync", "synchronous_commit"), Verdict.SAFE)),
        ("PostgreSQL", {"synchronous_commit": "off"}, {"synchronous_commit": Verdict.LOSES}),
        ("PostgreSQL", {"synchronous_commit": "remote_apply"}, {"synchronous_commit": Verdict.SAFE}),
        ("PostgreSQL", {"synchronous_commit": "local", "synchronous_standby_names": "*"},
         {"synchronous_commit": Verdict.COPIES, "synchronous_standby_names": Verdict.FACT}),
        ("PostgreSQL", {"full_page_writes": "off"}, {"full_page_writes": Verdict.DAMAGES}),
        ("MariaDB", {FLUSH: "0"}, {FLUSH: Verdict.LOSES}),
        ("MariaDB", {FLUSH: "2"}, {FLUSH: Verdict.LOSES}),
        ("MySQL", {FLUSH: "1"}, {FLUSH: Verdict.SAFE}),
        ("MySQL", {"innodb_doublewrite": "OFF"}, {"innodb_doublewrite": Verdict.DAMAGES}),
        ("MariaDB", {"sync_binlog": "0", "log_bin": "OFF"},
         {"sync_binlog": Verdict.FACT, "log_bin": Verdict.FACT}),
        ("MariaDB", {"sync_binlog": "0", "log_bin": "ON"},
         {"sync_binlog": Verdict.COPIES, "log_bin": Verdict.FACT}),
        ("SQLite", {"journal_mode": "memory"}, {"journal_mode": Verdict.LOSES}),
        ("SQLite", {"journal_mode": "wal", "synchronous": "normal"},
         {"journal_mode": Verdict.SAFE, "synchronous": Verdict.POWER}),
        ("SQLite", {"journal_mode": "delete", "synchronous": "full"},
         {"journal_mode": Verdict.SAFE, "synchronous": Verdict.SAFE}),
        ("SQLite", {"synchronous": "off"}, {"synchronous": Verdict.LOSES}),
        ("Oracle", {"fsync": "off"}, {}),
    ],
)  # fmt: skip
def test_every_value_has_its_verdict(product, values, verdicts):
    assert {each.name: each.verdict for each in meanings(product, values)} == verdicts


def test_what_asynchronous_commit_can_lose_is_said_in_time():
    (found,) = (
        each
        for each in meanings("PostgreSQL", {"synchronous_commit": "off", "wal_writer_delay": "200 ms"})
        if each.name == "synchronous_commit"
    )
    assert "up to 600 ms (3 x wal_writer_delay)" in found.text


def test_a_careful_postgresql_passes_all_that_apply(careful_postgres, fresh_name):
    found, evidence = findings(careful_postgres.database(fresh_name))
    assert {name: each.outcome.value for name, each in found.items()} == {
        "commits": "passed", "pages": "passed", "power_loss": "not_applicable", "copies": "passed",
        "roles": "passed", "tables": "passed",
    }  # fmt: skip
    rows = {row["name"]: row["value"] for row in evidence.facts["durability"]["table"]}
    assert rows["fsync"] == "on"
    assert rows["wal_level"] == "replica"


def test_fsync_off_fails_and_says_what_to_set(postgres_url):
    found, _ = findings(postgres_url)
    commits = found["commits"]
    assert (commits.outcome, commits.severity) == (Outcome.FAILED, Severity.CRITICAL)
    assert "fsync = off" in commits.message
    assert "Set fsync = on" in commits.remedy


def test_an_override_for_the_database_is_what_our_session_gets(careful_postgres, fresh_name):
    url = careful_postgres.database(fresh_name)
    careful_postgres.sql(f"ALTER DATABASE {fresh_name} SET synchronous_commit = off")
    found, evidence = findings(url)
    assert found["commits"].outcome is Outcome.FAILED
    assert "up to 600 ms (3 x wal_writer_delay)" in found["commits"].message
    (row,) = (each for each in evidence.facts["durability"]["table"] if each["name"] == "synchronous_commit")
    assert row["source"] == "database"
    accepted, _ = findings(url, accept=["synchronous_commit"])
    assert accepted["commits"].outcome is Outcome.INFORMATIONAL


def test_an_override_for_another_role_and_an_unlogged_table_are_found(careful_postgres, fresh_name):
    url = careful_postgres.database(fresh_name)
    careful_postgres.sql(f"CREATE ROLE lazy_{fresh_name}")
    careful_postgres.sql(
        f"ALTER ROLE lazy_{fresh_name} IN DATABASE {fresh_name} SET synchronous_commit = off"
    )
    careful_postgres.sql("CREATE UNLOGGED TABLE moods (id int)", fresh_name)
    found, _ = findings(url)
    assert (found["roles"].outcome, found["roles"].severity) == (Outcome.FAILED, Severity.IMPORTANT)
    assert f"role lazy_{fresh_name} (not connected now)" in found["roles"].message
    assert found["commits"].outcome is Outcome.PASSED
    assert (found["tables"].outcome, "public.moods (unlogged)" in found["tables"].message) == (
        Outcome.FAILED,
        True,
    )
    assert findings(url, accept="unlogged")[0]["tables"].outcome is Outcome.INFORMATIONAL


def test_mariadb_that_flushes_once_a_second_fails(mariadb_url, mariadb_server, fresh_name):
    mariadb_server.sql("CREATE TABLE moods (id int) ENGINE=MEMORY", fresh_name)
    found, _ = findings(mariadb_url)
    assert found["commits"].outcome is Outcome.FAILED
    assert "up to about 1 s before it" in found["commits"].message
    assert "innodb_flush_log_at_trx_commit = 1" in found["commits"].remedy
    assert (found["tables"].outcome, "moods (MEMORY)" in found["tables"].message) == (Outcome.FAILED, True)


def test_a_careful_mariadb_passes_all_that_apply(careful_mariadb, fresh_name):
    found, _ = findings(careful_mariadb.database(fresh_name))
    assert {name: each.outcome.value for name, each in found.items()} == {
        "commits": "passed", "pages": "passed", "power_loss": "not_applicable", "copies": "passed",
        "roles": "not_applicable", "tables": "passed",
    }  # fmt: skip


def test_sqlite_says_that_it_sees_only_its_own_connection(sqlite_url):
    found, _ = findings(sqlite_url)
    assert found["commits"].outcome is Outcome.PASSED
    assert "each connection's own" in found["commits"].message


@pytest.mark.parametrize(
    ("session", "check"),
    [
        ({"journal_mode": "wal", "synchronous": "normal"}, "power_loss"),
        ({"synchronous": False}, "commits"),
        ({"journal_mode": "memory"}, "commits"),
    ],
)
def test_what_the_service_is_said_to_set_on_its_connections_is_judged(sqlite_url, session, check):
    found, _ = findings(sqlite_url, session=session)
    failed = [name for name, each in found.items() if each.outcome is Outcome.FAILED]
    assert failed == [check]


def test_what_was_never_read_is_undecided():
    found = list(judge_durability(Evidence(), DurabilitySettings()))
    assert {each.check: each.outcome for each in found} == dict.fromkeys(PLANNED, Outcome.INCONCLUSIVE)


def test_a_server_that_does_not_say_what_decides_is_undecided():
    evidence = Evidence(facts={"durability": {"product": "PostgreSQL", "settings": []}})
    found = {each.check: each for each in judge_durability(evidence, DurabilitySettings())}
    assert found["durability.commits"].outcome is Outcome.INCONCLUSIVE
    assert "fsync, synchronous_commit" in found["durability.commits"].message
    assert found["durability.pages"].outcome is Outcome.INCONCLUSIVE
    assert "fsync, full_page_writes" in found["durability.pages"].message
    assert found["durability.copies"].outcome is Outcome.INCONCLUSIVE


def test_tables_that_may_not_be_looked_at_are_not_called_safe(careful_postgres, fresh_name, monkeypatch):
    monkeypatch.setattr(readings, "_UNLOGGED", "SELECT rolpassword FROM pg_nothing")
    tables = findings(careful_postgres.database(fresh_name))[0]["tables"]
    assert tables.outcome is Outcome.INCONCLUSIVE
    assert "cannot be read: " in tables.message
    assert "pg_nothing" in tables.message


def test_tables_of_which_nothing_was_recorded_are_undecided():
    evidence = Evidence(facts={"durability": {"product": "MariaDB", "settings": []}})
    found = {each.check: each for each in judge_durability(evidence, DurabilitySettings())}
    assert found["durability.tables"].outcome is Outcome.INCONCLUSIVE


def test_the_page_shows_every_setting_with_its_verdict():
    facts = {
        "product": "PostgreSQL",
        "settings": [{"name": "fsync", "value": "off", "source": "configuration file"}],
        "overrides": [{"role": "batch", "database": "", "name": "synchronous_commit", "value": "off"}],
    }
    facts["table"] = table(facts)
    source = (Path(meanings_module.__file__).parent / "partial.html").read_text(encoding="utf-8")
    result = PhaseResult(
        "database", "database", "Database", Status.COMPLETED, Evidence(facts={"durability": facts})
    )
    page = str(_own_part(result, source))
    shown = ("fsync", "configuration file", "loses commits", "beyond repair", "Role batch")
    assert [each for each in shown if each not in page] == []
